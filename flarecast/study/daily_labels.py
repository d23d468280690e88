"""Which days had flares, by every record there is: daily counts, and a list of flares on both scales."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flarecast import cycles, goes
from flarecast.errors import FlarecastError
from flarecast.flares import layouts, read_flares
from flarecast.flares.scales import factor
from flarecast.ingest.dsd import find_files, read_dsd
from flarecast.schema import NO_TIME

DAY = cycles.DAY
FIRST_TRUE_CATALOGUE = cycles.seconds("2002-01-01") // DAY
"""From here on the catalogue of the paper is on the true scale, before it on the operational one [d]."""

MOST_BAD_ROWS = 100
UNKNOWN = -1

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Labels:
    """Outcome of each day by one record and one reading of it.

    Attributes:
        name: What it is.
        event: `M` or `X`.
        first_day: Days since 1970 of the first.
        occurred: 1, 0, -1 = unknown, shape (day,).
    """

    name: str
    event: str
    first_day: int
    occurred: NDArray[np.int8]

    def of(self, day: NDArray[np.int64]) -> NDArray[np.int8]:
        """Outcome of some days since 1970, any shape."""
        place = day - self.first_day
        inside = (place >= 0) & (place < self.occurred.size)
        return np.where(inside, self.occurred[place.clip(0, self.occurred.size - 1)], UNKNOWN).astype(np.int8)


def labels_of(raw: Path) -> tuple[list[Labels], list[str]]:
    """Every reading of the flare records below a folder.

    Returns:
        Labels, and sentences on where they come from.

    Raises:
        FlarecastError: No daily solar data.
    """
    files = find_files(raw)
    if not files:
        raise FlarecastError(f"{raw}: expected daily solar data named like 2012_DSD.txt, found none")
    data = read_dsd(files, MOST_BAD_ROWS)
    first = int(data.day[0])
    m, x = data.columns["m_flares"], data.columns["x_flares"]
    unknown = np.isnan(m) | np.isnan(x)
    found = [
        _counted("operational, M alone", "M", first, m > 0, unknown),
        _counted("operational, M or X", "M", first, (m > 0) | (x > 0), unknown),
        _counted("operational", "X", first, x > 0, unknown),
    ]
    about = [f"operational: counts of {len(files)} files of daily solar data"]
    flares = best_list(raw)
    if flares is None:
        return found, [*about, "catalogue: no list of flares was found"]
    path, table = flares
    about.append(f"list and catalogue: {path.name}, {len(table):,} flares, by their peaks")
    return [*found, *_listed(table)], about


def best_list(raw: Path) -> tuple[Path, pd.DataFrame] | None:
    """The list of flares below a folder that spans most days, and its flares; None where there is none."""
    best: tuple[Path, pd.DataFrame] | None = None
    longest = 0
    for path in _lists(raw):
        try:
            table = read_flares([path])
        except FlarecastError:
            continue
        when = _when(table)
        known = when[when != NO_TIME]
        # Lists of the strongest flares alone, or of those with a region, leave days without any.
        span = np.unique(known[known >= cycles.seconds("1998-01-01")] // DAY).size
        if span > longest:
            best, longest = (path, table), span
    return best


def _lists(raw: Path) -> Sequence[Path]:
    """CSV files with the header of a flare list."""
    found = []
    for path in sorted(raw.rglob("*.csv")):
        if path.is_file():
            with path.open("rb") as file:
                header = file.readline(10_000).decode("utf-8-sig", errors="replace")
            if layouts.layout_of([name.strip() for name in header.split(",")]) is not None:
                found.append(path)
    return found


def _when(table: pd.DataFrame) -> NDArray[np.int64]:
    """Peak of each flare, its start where the peak is unknown [s since 1970]."""
    peak, start = (table[name].to_numpy(dtype=np.int64) for name in ("peak", "start"))
    when: NDArray[np.int64] = np.where(peak != NO_TIME, peak, start)
    return when


def _listed(table: pd.DataFrame) -> list[Labels]:
    """Readings of a list: as it stands, and on the scale of the paper's catalogue."""
    day = _when(table) // DAY
    first, n_days = int(day.min()), int(day.max() - day.min()) + 1
    flux = table["flux"].to_numpy()
    scale = np.array([goes.FLUX_SCALES.index(one) for one in table["flux_scale"]])
    true = np.where(day >= FIRST_TRUE_CATALOGUE, flux * factor(scale, "true"), flux)
    found = []
    for name, values in (("list", flux), ("catalogue", true)):
        large, larger = (goes.at_least(values, goes.parse_class(one)) for one in ("M1.0", "X1.0"))
        for reading, event, chosen in (
            (f"{name}, M alone", "M", large & ~larger),
            (f"{name}, M or X", "M", large),
            (name, "X", larger),
        ):
            occurred = np.zeros(n_days, dtype=np.int8)
            occurred[day[chosen] - first] = 1
            found.append(Labels(reading, event, first, occurred))
    return found


def _counted(name: str, event: str, first: int, occurred: BoolArray, unknown: BoolArray) -> Labels:
    return Labels(name, event, first, np.where(unknown, UNKNOWN, occurred).astype(np.int8))

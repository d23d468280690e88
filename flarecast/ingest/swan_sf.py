"""`ingest swan-sf`: the SWAN-SF data set as released, each line stored once.

A file of the release is a window: 60 lines of 12 minutes, and in its name the largest flare of the next 24
hours. Windows follow each other hourly, so a line stands in up to twelve files; here it is a row of its
region's track. Times are as printed (no shift from TAI), a row is known at its time (latency 0), and a window
is issued at its last time stamp. `docs/swan_sf.md` tells what the labels can and cannot mean.
"""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import goes, schema
from flarecast.errors import FlarecastError
from flarecast.ingest.swan.columns import FEATURES, UNITS
from flarecast.ingest.swan.lines import Tally
from flarecast.ingest.swan.merge import merge
from flarecast.ingest.swan.reader import Part
from flarecast.ingest.swan.series import CADENCE, N_STEPS
from flarecast.ingest.swan.sources import Source, find_sources, read_source
from flarecast.windows import cut

IntArray = NDArray[np.int64]

Spread = Callable[[Callable[[Source], tuple[Part, str]], list[Source]], Iterable[tuple[Part, str]]]
"""What calls a function with each item of a list and gives the results in that order."""

HORIZON = 86_400
"""The labels look 24 hours ahead [s]."""


def ingest_swan_sf(
    raw: Path | None,
    rng: np.random.Generator,  # noqa: ARG001  (every source has this signature; this one draws nothing)
    spread: Spread = map,
    *,
    list_floor: str = "B1.0",
    max_bad_rows: int = 100,
    max_bad_windows: int = 100,
) -> xr.Dataset:
    """Windows of SWAN-SF archives and folders.

    The class in a file's name is the peak flux: known exactly. A quiet file has 0, with the largest class
    below `list_floor` as upper bound: SWAN-SF has labels from B on, and what its list has not it cannot say.

    Args:
        raw: An archive, or a folder searched for `*.tar.gz` archives and for instances, in any mixture.
        rng: Not used.
        spread: `map`, or what does the same in other processes: each archive and each folder is read apart.
        list_floor: Smallest class that the list of flares holds.
        max_bad_rows: Lines that may be broken; they are left missing.
        max_bad_windows: Files that may be unreadable; they are left out.

    Returns:
        Windows (`schema.WINDOWS`); attributes count files, lines, rows, and all that is unusual.

    Raises:
        FlarecastError: There is nothing to read, or it cannot be read, or too much of it is broken.
    """
    quiet_upper = goes.below(goes.parse_class(list_floor))
    negative = [
        f"{name}: expected at least 0, got {value}"
        for name, value in (("max_bad_rows", max_bad_rows), ("max_bad_windows", max_bad_windows))
        if value < 0
    ]
    if negative:
        raise FlarecastError("; ".join(negative))
    sources = find_sources(raw)
    reading = partial(read_source, max_bad_rows=max_bad_rows, max_bad_windows=max_bad_windows)
    return assemble(spread(reading, sources), Tally(max_bad_rows, max_bad_windows), quiet_upper)


def assemble(read: Iterable[tuple[Part, str]], tally: Tally, quiet_upper: float) -> xr.Dataset:
    """Make windows of what was read from all sources, in their order.

    Raises:
        FlarecastError: There is no window, or too much is broken.
    """
    parts, lines = map(list, zip(*read, strict=True))
    part = merge(parts, tally)
    del parts
    if not part.issue_time.size:
        problem = f"; {tally.shown[0]}" if tally.shown else ""
        raise FlarecastError(f"swan-sf: expected instances, found none that can be read{problem}")
    rows, row_track, track_of = _ordered_rows(part)
    time = part.row_time[rows]
    chosen, counts = _ordered_windows(part, track_of)
    track, issue_time = track_of[part.window_series[chosen]], part.issue_time[chosen]
    first_row, n_rows = cut(time, row_track, issue_time, track, N_STEPS * CADENCE)
    low, high = part.low[chosen], part.high[chosen]
    region = part.series_region[part.window_series[chosen]]
    arrays = {
        "values": part.values[rows],
        "feature": list(FEATURES),
        "feature_unit": list(UNITS),
        "feature_memory_hours": np.zeros(len(FEATURES)),
        "time": time,
        "track": row_track,
        "longitude": part.longitude[rows],
        "first_row": first_row,
        "n_rows": n_rows,
        "issue_time": issue_time,
        "valid_from": issue_time,
        "valid_to": issue_time + HORIZON,
        "region": _texts(region, lambda number: f"HARP {number}"),
        "noaa_regions": _noaa_regions(part, part.row_noaa[rows], first_row, n_rows),
        "peak_flux": low,
        "peak_flux_upper": np.where(high > 0, high, quiet_upper),
        "unassigned_peak_flux": np.zeros(low.size),
        "flare_start": np.full(low.size, schema.NO_TIME),
        "flare_peak": np.full(low.size, schema.NO_TIME),
        "flare_id": _texts(part.flare[chosen], part.texts.__getitem__),
        "flux_scale": np.full(low.size, goes.FLUX_SCALES.index("operational")),
        "partition": part.partition[chosen],
    }
    counts |= part.counts | _conflicts(part) | {"n_truncated": _n_truncated(region, issue_time, part)}
    return schema.build(schema.WINDOWS, arrays, _attributes(counts, tally, lines))


def _ordered_rows(part: Part) -> tuple[IntArray, IntArray, IntArray]:
    """Order of the rows by track and time, the track of each, and the track of each series.

    Tracks follow their region, the phase of their grid, their first slot, and the order of reading.
    """
    n_series = part.series_region.size
    begin = np.full(n_series, np.iinfo(np.int64).max)
    np.minimum.at(begin, part.row_series, part.row_slot)
    order = np.lexsort((np.arange(n_series), begin, part.series_phase, part.series_region))
    order = order[np.bincount(part.row_series, minlength=n_series)[order] > 0]
    track_of = np.full(n_series, -1, dtype=np.int64)
    track_of[order] = np.arange(1, order.size + 1)
    track = track_of[part.row_series]
    rows = np.lexsort((part.row_time, track))
    return rows, track[rows], track_of


def _ordered_windows(part: Part, track_of: IntArray) -> tuple[IntArray, dict[str, int]]:
    """The windows by track and issue time; of those that are the same the first that was read."""
    track = track_of[part.window_series]
    order = np.lexsort((np.arange(track.size), part.issue_time, track))
    before, after = order[:-1], order[1:]
    same = (track[before] == track[after]) & (part.issue_time[before] == part.issue_time[after])
    kept = order[np.concatenate([[True], ~same])]
    # Windows that are the same stand together, in the order of reading.
    differs = (part.low[before] != part.low[after]) | (part.flare[before] != part.flare[after])
    counts = {
        "n_repeated_windows": int(same.sum()),
        "n_relabelled_windows": int((same & differs).sum()),
    }
    return kept, counts


def _conflicts(part: Part) -> dict[str, int]:
    """Rows that differ from one of the same region and slot met before, and the windows on their tracks."""
    slots = part.row_slot, part.series_phase[part.row_series], part.series_region[part.row_series]
    order = np.lexsort((part.row_series, *slots))
    same = np.all([key[order[1:]] == key[order[:-1]] for key in slots], axis=0)
    other = same & (part.row_hash[order[1:]] != part.row_hash[order[:-1]])
    rows = order[1:][other]
    series = np.unique(part.row_series[rows])
    return {
        "n_conflicting_rows": int(rows.size),
        "n_conflicting_windows": int(np.isin(part.window_series, series).sum()),
    }


def _n_truncated(region: IntArray, issue_time: IntArray, part: Part) -> int:
    """Windows whose labels saw less than 24 hours: their region's rows end before."""
    numbers, place = np.unique(part.series_region[part.row_series], return_inverse=True)
    end = np.full(numbers.size, np.iinfo(np.int64).min)
    np.maximum.at(end, place, part.row_time)
    return int((end[np.searchsorted(numbers, region)] - issue_time < HORIZON).sum())


def _noaa_regions(part: Part, code: IntArray, first_row: IntArray, n_rows: IntArray) -> NDArray[np.object_]:
    """The NOAA numbers that a window's rows give, comma separated."""
    if not code.any():
        return np.full(first_row.size, "", dtype=object)
    # Windows over which the text does not change have that text; the others are few.
    changed = np.concatenate([[0], np.cumsum(code[1:] != code[:-1])])
    last_row = first_row + n_rows - 1
    out = _texts(code[last_row], part.texts.__getitem__)
    for window in np.flatnonzero(changed[first_row] != changed[last_row]).tolist():
        codes = np.unique(code[first_row[window] : last_row[window] + 1])
        numbers = {number for text in codes.tolist() for number in part.texts[text].split(",") if number}
        out[window] = ",".join(sorted(numbers))
    return out


def _texts(codes: IntArray, name: Callable[[int], str]) -> NDArray[np.object_]:
    """A text for each code, made once."""
    known, place = np.unique(codes, return_inverse=True)
    names = np.array([name(code) for code in known.tolist()], dtype=object)
    out: NDArray[np.object_] = names[place]
    return out


def _attributes(counts: dict[str, int], tally: Tally, source_files: list[str]) -> dict[str, Any]:
    """The attributes of the windows file."""
    return {
        "n_steps": N_STEPS,
        "cadence_minutes": CADENCE // 60,
        "lead_hours": 0,
        "horizon_hours": HORIZON // 3600,
        "latency_minutes": 0,
        "source": "swan-sf",
        "sampling": "filtered",
        "source_files": source_files,
        "context_features": "",
        "history": f"ingest swan-sf: {counts['n_files']} files of {len(source_files)} archives and folders",
        **counts,
        "n_infinite": tally.n_infinite,
        "n_bad_rows": tally.n_bad_rows,
        "n_skipped": tally.n_bad_windows,
        "skipped": "; ".join(tally.shown),
    }

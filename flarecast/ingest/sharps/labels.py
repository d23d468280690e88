"""The flares of HARPs: by NOAA number, from the flare lists or event reports under RAW.

A flare belongs to every HARP that lists its NOAA number. Where two HARPs that are seen at the same time list
one number, it belongs to the one with more flux; of the other it is not known whether the flare was its own.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast.errors import FlarecastError
from flarecast.flares import archives, event_reports
from flarecast.flares.finding import find_lists
from flarecast.flares.reading import Conversion
from flarecast.ingest.largest import largest_flux
from flarecast.ingest.region_flares import Flares, listed_flares, reported_flares
from flarecast.ingest.region_outcomes import outcomes
from flarecast.ingest.sharps.records import Records
from flarecast.schema import NO_TIME

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

NOT_OURS = -1
"""Region of a flare whose NOAA number no HARP lists."""


@dataclass(frozen=True)
class FlareRecord:
    """All flares on the Sun (None where there is no record), its files, and what was counted."""

    flares: Flares | None
    paths: list[Path]
    told: str
    n_skipped: int = 0
    skipped: str = ""


@dataclass(frozen=True)
class Owners:
    """Pairs of NOAA number and HARP, each of shape (pair,).

    Attributes:
        noaa: Five-digit number.
        harp: HARP that lists it.
        own: Whether its flares are the HARP's; False where a HARP with more flux lists it at the same time.
    """

    noaa: IntArray
    harp: IntArray
    own: NDArray[np.bool_]

    def numbers_of(self, harp: int) -> list[int]:
        """NOAA numbers of a HARP, ascending."""
        return sorted(set(self.noaa[self.harp == harp].tolist()))


def find_flares(
    raw: Path, flare_lists: tuple[str, ...], convert_to: Conversion, max_bad_rows: int
) -> FlareRecord:
    """Flares of the lists named, else of the event reports under RAW, else of the flare lists there.

    Raises:
        FlarecastError: A file is damaged or no flare list.
    """
    folder = raw if raw.is_dir() else raw.parent
    if flare_lists:
        paths, told = [folder / name for name in flare_lists], "flare lists"
    elif not raw.is_dir():
        return FlareRecord(None, [], "none")
    elif paths := archives.find(raw, event_reports.SUFFIXES):
        flares, counted = reported_flares(raw, paths, convert_to, max_bad_rows)
        return FlareRecord(flares, paths, "event reports", int(counted["n_skipped"]), str(counted["skipped"]))
    elif paths := find_lists(raw):
        told = "flare lists"
    else:
        return FlareRecord(None, [], "none")
    absent = [path for path in paths if not path.exists()]
    if absent:
        raise FlarecastError(f"{absent[0]}: expected a flare list, found none; look at flare_lists")
    flares, counted = listed_flares(paths, convert_to, max_bad_rows)
    return FlareRecord(flares, paths, told, int(counted["n_skipped"]), str(counted["skipped"]))


def find_owners(records: Records, flux: FloatArray, noaa_of: dict[int, list[int]]) -> Owners:
    """Which HARP lists which NOAA number, by its records or by JSOC's list.

    Args:
        records: By HARP and time.
        flux: Unsigned flux of each record, NaN = not told, shape (record,).
        noaa_of: NOAA numbers by HARP from JSOC's list.
    """
    pairs: list[tuple[int, int]] = []
    life: dict[int, tuple[int, int, float]] = {}
    edges = np.flatnonzero(np.r_[True, np.diff(records.harp) != 0][: records.harp.size])
    for first, stop in zip(edges, np.r_[edges[1:], records.harp.size].astype(np.int64), strict=False):
        harp = int(records.harp[first])
        own = slice(first, stop)
        numbers = {int(one) for text in set(records.noaa[own]) for one in text.split(",") if one}
        pairs += [(number, harp) for number in sorted(numbers | set(noaa_of.get(harp, [])))]
        known = flux[own][~np.isnan(flux[own])]
        size = float(known.mean()) if known.size else 0.0
        life[harp] = int(records.tai[first]), int(records.tai[stop - 1]), size
    listing: dict[int, list[int]] = {}
    for number, harp in pairs:
        listing.setdefault(number, []).append(harp)
    smaller = [
        any(_smaller(harp, other, life) for other in listing[number] if other != harp)
        for number, harp in pairs
    ]
    noaa, harps = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return Owners(noaa, harps, ~np.array(smaller, dtype=bool))


def label(
    harp: IntArray,
    valid_from: IntArray,
    horizon: int,
    owners: Owners,
    found: FlareRecord,
    quiet: FloatArray,
) -> tuple[dict[str, Any], int]:
    """What happened in the valid spans of windows, and for how many a flare may or may not be theirs.

    Args:
        harp: HARP of each window, ascending, shape (window,).
        valid_from: Start of each span [s since 1970], ascending inside a HARP, shape (window,).
        horizon: Length of the spans [s].
        owners: Which HARP lists which NOAA number.
        found: The flares; without any all outcomes are unknown.
        quiet: Upper bound of a quiet span [W m-2], shape (window,).
    """
    if found.flares is None:
        zeros, never = np.zeros(harp.size), np.full(harp.size, NO_TIME)
        return {
            "peak_flux": zeros,
            "peak_flux_upper": np.full(harp.size, np.inf),
            "unassigned_peak_flux": zeros,
            "flare_start": never,
            "flare_peak": never,
            "flare_id": [""] * harp.size,
        }, 0
    arrays: dict[str, Any] = outcomes(
        harp, valid_from, horizon, of_harps(found.flares, owners, own=True), quiet
    )
    maybe = of_harps(found.flares, owners, own=False)
    named = maybe.region > 0
    possible = largest_flux(
        harp, valid_from, horizon, (maybe.region[named], maybe.time[named], maybe.flux_upper[named])
    )
    upper: FloatArray = arrays["peak_flux_upper"]
    arrays["peak_flux_upper"] = np.maximum(upper, possible)
    return arrays, int((possible > upper).sum())


def of_harps(flares: Flares, owners: Owners, own: bool) -> Flares:
    """Flares with HARP numbers for regions: 0 = without a region, -1 = of a region that no HARP lists.

    Args:
        flares: With NOAA numbers.
        owners: Which HARP lists which number.
        own: Flares that are the HARPs' own; else those that may be.
    """
    chosen = owners.own == own
    noaa, harp = owners.noaa[chosen], owners.harp[chosen]
    order = np.argsort(noaa, kind="stable")
    first = np.searchsorted(noaa[order], flares.region, side="left")
    count = np.searchsorted(noaa[order], flares.region, side="right") - first
    count[flares.region == 0] = 0
    flare = np.repeat(np.arange(count.size), count)
    nth = np.arange(flare.size) - np.repeat(np.cumsum(count) - count, count)
    others = np.flatnonzero(count == 0)
    place = np.r_[flare, others]
    region = np.r_[harp[order][first[flare] + nth], np.where(flares.region[others] == 0, 0, NOT_OURS)].astype(
        np.int64
    )
    order = np.argsort(place, kind="stable")
    place, region = place[order], region[order]
    columns = {name: getattr(flares, name)[place] for name in ("start", "time", "flux", "flux_upper")}
    return replace(flares, region=region, **columns)


def _smaller(harp: int, other: int, life: dict[int, tuple[int, int, float]]) -> bool:
    """Whether two HARPs are seen at one time and the first has less flux (as much: the larger number)."""
    (first, last, flux), (other_first, other_last, other_flux) = life[harp], life[other]
    return first <= other_last and other_first <= last and (flux, -harp) < (other_flux, -other)

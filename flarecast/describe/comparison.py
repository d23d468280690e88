"""Two windows files of the same regions, feature by feature: say, definitive against near-real-time data.

Rows pair when they are observed at one time in one region. A row is observed `latency_minutes` before it is
known; times may differ by half a cadence. A region is the same by its name, or where the names differ, by a
NOAA number: the two SHARP series number their HARPs apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles
from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.windows import open_windows

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

LEAST_PAIRS = 3
"""Fewer pairs have no correlation."""


@dataclass(frozen=True)
class Track:
    """A track: its region's name and NOAA numbers, its rows, and when they were observed [s since 1970]."""

    region: str
    noaa: frozenset[str]
    rows: IntArray
    observed: IntArray


def compare(first: Path, second: Path) -> dict[str, Any]:
    """What differs between the features that two windows files share.

    Args:
        first: windows.nc, say of definitive data.
        second: windows.nc, say of near-real-time data.

    Returns:
        `file`, `kind`, `sha256` of the first, `summary` and `tables`: of each feature the pairs of known
        values, the median of second / first and of second - first, the correlation, the share of pairs where
        only one is known, and the largest difference with its region and time. Undefined is None.

    Raises:
        FlarecastError: One is no windows file, or they have no feature or no row of a region in common.
    """
    one, two = open_windows(first), open_windows(second)
    names = [str(name) for name in one["feature"].values if name in set(two["feature"].values.tolist())]
    if not names:
        some, others = (", ".join(map(str, windows["feature"].values[:3])) for windows in (one, two))
        raise FlarecastError(
            f"{first}, {second}: expected features in common, got {some} ... and {others} ..."
        )
    tolerance = min(one.attrs["cadence_minutes"], two.attrs["cadence_minutes"]) * 30
    joined = _join(list(_tracks(one)), list(_tracks(two)), tolerance)
    if not joined:
        raise FlarecastError(
            f"{first}, {second}: expected rows of one region (or of HARPs with one NOAA number) observed at"
            " one time, got none"
        )
    rows, other_rows = (np.concatenate([pair[place] for _, _, *pair in joined]) for place in (0, 1))
    regions = np.repeat([track.region for track, _, _, _ in joined], [pair[2].size for pair in joined])
    table = [_differences(name, one, two, (rows, other_rows), regions) for name in names]
    summary = {
        "second_file": second.name,
        "second_sha256": sha256(second),
        "source": f"{_source(one)} against {_source(two)}",
        "pairs_of_rows": int(rows.size),
        "rows": int(one.sizes["row"]),
        "second_rows": int(two.sizes["row"]),
        "pairs_of_tracks": len(joined),
        "paired_by_noaa_number": sum(track.region != other.region for track, other, _, _ in joined),
        "features_in_common": len(names),
        "features_in_first_only": ", ".join(_only(one, two)),
        "features_in_second_only": ", ".join(_only(two, one)),
    }
    head = {"file": first.name, "kind": "comparison", "sha256": sha256(first)}
    return head | {"summary": summary, "tables": {"features": table, "regions": _regions(joined)}}


def _source(windows: xr.Dataset) -> str:
    """Series or source of a file."""
    return str(windows.attrs.get("series", windows.attrs["source"]))


def _only(windows: xr.Dataset, other: xr.Dataset) -> list[str]:
    """Features that only the first of two files has."""
    there = set(other["feature"].values.tolist())
    return [str(name) for name in windows["feature"].values if name not in there]


def _tracks(windows: xr.Dataset) -> Iterator[Track]:
    """Tracks that a window reads."""
    track, time = windows["track"].values, windows["time"].values
    observed = time - round(windows.attrs["latency_minutes"] * 60)
    used = np.flatnonzero(windows["n_rows"].values > 0)
    of_window = track[windows["first_row"].values[used]]
    for number, place in zip(*np.unique(of_window, return_index=True), strict=True):
        window = used[place]
        rows = np.arange(*np.searchsorted(track, [number, number + 1]))
        numbers = str(windows["noaa_regions"].values[window]).split(",")
        noaa = frozenset(one.strip() for one in numbers) - {""}
        yield Track(str(windows["region"].values[window]), noaa, rows, observed[rows])


def _join(
    tracks: list[Track], others: list[Track], tolerance: float
) -> list[tuple[Track, Track, IntArray, IntArray]]:
    """Pairs of tracks of one region with rows in common, and these rows; a row pairs once."""
    by_name: dict[str, list[Track]] = {}
    by_noaa: dict[str, list[Track]] = {}
    for other in others:
        by_name.setdefault(other.region, []).append(other)
        for number in other.noaa:
            by_noaa.setdefault(number, []).append(other)
    joined = []
    for track in tracks:
        found = by_name.get(track.region, [])
        same = found or {id(one): one for number in track.noaa for one in by_noaa.get(number, [])}.values()
        pairs = [(other, *_same_times(track, other, tolerance)) for other in same]
        pairs = [pair for pair in pairs if pair[1].size]
        if found:
            joined += [(track, *pair) for pair in pairs]
        elif pairs:  # of several HARPs with the number, the one seen together for longest
            joined.append((track, *max(pairs, key=lambda pair: pair[1].size)))
    return joined


def _same_times(track: Track, other: Track, tolerance: float) -> tuple[IntArray, IntArray]:
    """Rows of two tracks that are observed at one time, each of shape (pair,)."""
    place = np.searchsorted(other.observed, track.observed)
    before, after = (np.clip(one, 0, other.observed.size - 1) for one in (place - 1, place))
    earlier = np.abs(track.observed - other.observed[before])
    later = np.abs(other.observed[after] - track.observed)
    nearest = np.where(earlier <= later, before, after)
    near = np.flatnonzero(np.minimum(earlier, later) < tolerance)
    _, first = np.unique(nearest[near], return_index=True)
    chosen = near[first]
    return track.rows[chosen], other.rows[nearest[chosen]]


def _differences(
    name: str, one: xr.Dataset, two: xr.Dataset, pairs: tuple[IntArray, IntArray], regions: NDArray[Any]
) -> dict[str, Any]:
    """One feature's row of the table."""
    values, others = (
        windows["values"].values[rows, windows["feature"].values.tolist().index(name)].astype(np.float64)
        for windows, rows in zip((one, two), pairs, strict=True)
    )
    known, other_known = ~np.isnan(values), ~np.isnan(others)
    both = known & other_known
    difference = np.where(both, others - values, np.nan)
    divided = others[both & (values != 0)] / values[both & (values != 0)]
    most = int(np.nanargmax(np.abs(difference))) if both.any() else -1
    return {
        "feature": name,
        "unit": str(one["feature_unit"].values[one["feature"].values.tolist().index(name)]),
        "pairs": int(both.sum()),
        "median_ratio": _digits(np.median(divided)) if divided.size else None,
        "median_difference": _digits(np.median(difference[both])) if both.any() else None,
        "correlation": _correlation(values[both], others[both]),
        "first_only": _digits((known & ~other_known).mean()),
        "second_only": _digits((other_known & ~known).mean()),
        "largest_difference": _digits(difference[most]) if most >= 0 else None,
        "region": str(regions[most]) if most >= 0 else "",
        "time": cycles.iso(one["time"].values[pairs[0][most]]) if most >= 0 else "",
    }


def _correlation(values: FloatArray, others: FloatArray) -> float | None:
    """Correlation of Pearson; None where there are too few pairs or one does not vary."""
    if values.size < LEAST_PAIRS or not (np.ptp(values) and np.ptp(others)):
        return None
    scaled = [(one - one.mean()) / np.abs(one - one.mean()).max() for one in (values, others)]
    return _digits((scaled[0] * scaled[1]).sum() / np.sqrt((scaled[0] ** 2).sum() * (scaled[1] ** 2).sum()))


def _regions(joined: list[tuple[Track, Track, IntArray, IntArray]]) -> list[dict[str, Any]]:
    """Which region is compared with which, and on how many rows."""
    return [
        {"region": track.region, "second": other.region, "pairs": int(rows.size)}
        for track, other, rows, _ in sorted(joined, key=lambda pair: -pair[2].size)
    ]


def _digits(value: Any) -> float:
    """A number to six digits."""
    return float(f"{float(value):.6g}")

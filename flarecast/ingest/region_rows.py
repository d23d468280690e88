"""Region summaries as tracks of daily rows: one track a region, one row a day, spots and their changes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flarecast.flares.clock import DAY
from flarecast.ingest.srs import RegionDay, Summary

MEMORY_DAYS = 27
"""The longest that a region is looked back on [d]: one rotation, after which it has another number."""

SPOTS: dict[str, str] = {
    "area": "1e-6 hemisphere",
    "spot_count": "1",
    "extent": "degree",
    "mcintosh_z": "1",
    "mcintosh_p": "1",
    "mcintosh_c": "1",
    "mount_wilson": "1",
}
"""Values of section I and their units; each also has its change since the day before."""

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Tracks:
    """Rows of all tracks, those of a track together, a day apart and without a gap.

    Attributes:
        time: When the locations are valid [s since 1970], shape (row,).
        track: Number of the track, from 0, shape (row,).
        region: Five-digit NOAA number, shape (row,).
        spotted: Whether the region was in section I, shape (row,).
        age: Days since the region was first named in any section, at most `MEMORY_DAYS`, shape (row,).
        values: Columns of `RegionDay` from `latitude` on by name, NaN = missing, each of shape (row,).
    """

    time: IntArray
    track: IntArray
    region: IntArray
    spotted: NDArray[np.bool_]
    age: FloatArray
    values: dict[str, FloatArray]


def lay_tracks(summaries: Sequence[Summary]) -> Tracks:
    """Put the regions of all summaries on daily grids.

    A region that is not named for more than `MEMORY_DAYS` days begins a new track (a misprinted number, most
    likely). A track ends with its last day in section I. Days on which a region was not named are NaN.
    """
    names = RegionDay._fields
    days = np.array([tuple(region) for summary in summaries for region in summary.regions], dtype=np.float64)
    days = days.reshape(-1, len(names))
    days = days[np.lexsort((days[:, 0], days[:, 1]))]
    time, region, spotted = days[:, 0].astype(np.int64), days[:, 1].astype(np.int64), days[:, 2] == 1

    begins = np.r_[True, (np.diff(region) != 0) | (np.diff(time) > MEMORY_DAYS * DAY)][: time.size]
    track = np.cumsum(begins) - 1
    last_spotted = np.full(track.max(initial=-1) + 1, -1, dtype=np.int64)
    last_spotted[track[spotted]] = np.flatnonzero(spotted)
    kept = np.arange(time.size) <= last_spotted[track]
    days, time, track, spotted = days[kept], time[kept], track[kept], spotted[kept]
    _, track = np.unique(track, return_inverse=True)

    first, last = _ends(track)
    length = (time[last] - time[first]) // DAY + 1
    start = np.cumsum(length) - length
    place = start[track] + (time - time[first][track]) // DAY
    n_rows = int(length.sum())
    row_track = np.repeat(np.arange(length.size), length)
    nth = np.arange(n_rows) - start[row_track]
    table = np.full((n_rows, days.shape[1]), np.nan)
    table[place] = days
    on_disk = np.zeros(n_rows, dtype=bool)
    on_disk[place] = spotted
    return Tracks(
        time=time[first][row_track] + nth * DAY,
        track=row_track,
        region=days[first, 1].astype(np.int64)[row_track],
        spotted=on_disk,
        age=np.minimum(nth, MEMORY_DAYS).astype(np.float64),
        values={name: table[:, column] for column, name in enumerate(names) if column >= 3},
    )


def spot_features(tracks: Tracks) -> dict[str, tuple[FloatArray, str, float]]:
    """Features of the region itself: name -> values (row,), unit, memory [h]."""
    features = {
        "latitude": (tracks.values["latitude"], "degree", 0.0),
        "longitude": (tracks.values["longitude"], "degree", 0.0),
        "age": (tracks.age, "d", MEMORY_DAYS * 24.0),
    }
    features |= {name: (tracks.values[name], unit, 0.0) for name, unit in SPOTS.items()}
    same = np.r_[False, np.diff(tracks.track) == 0][: tracks.track.size]
    for name, unit in SPOTS.items():
        values = tracks.values[name]
        change = np.where(same, values - np.roll(values, 1), np.nan)
        features[f"{name}_change"] = (change, unit, 24.0)
    return features


def disk_spots(tracks: Tracks, summaries: Sequence[Summary]) -> dict[str, tuple[FloatArray, str, float]]:
    """Sums over section I of the day's summary: name -> values (row,), unit, memory [h]; NaN without one."""
    days = np.array([summary.time for summary in summaries], dtype=np.int64)
    sums = np.array(
        [
            [
                len(spotted := [region for region in summary.regions if region.section == 1]),
                sum(region.area for region in spotted if region.area == region.area),
                sum(region.spot_count for region in spotted if region.spot_count == region.spot_count),
            ]
            for summary in summaries
        ],
        dtype=np.float64,
    ).reshape(-1, 3)
    place = np.searchsorted(days, tracks.time).clip(0, max(days.size - 1, 0))
    known = days[place] == tracks.time if days.size else np.zeros(tracks.time.size, dtype=bool)
    on_day = np.where(known[:, None], sums[place], np.nan)
    units = {"disk_regions": "1", "disk_area": "1e-6 hemisphere", "disk_spot_count": "1"}
    return {name: (on_day[:, column], unit, 0.0) for column, (name, unit) in enumerate(units.items())}


def _ends(track: IntArray) -> tuple[IntArray, IntArray]:
    """First and last place of each track in an ascending array."""
    edges = np.flatnonzero(np.r_[True, np.diff(track) != 0][: track.size])
    return edges, np.r_[edges[1:], track.size].astype(np.int64)[: edges.size] - 1

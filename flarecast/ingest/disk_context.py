"""What the whole disk did, for rows of regions: the last value known at each row's time.

Features are name -> values (row,), unit, memory [h]. The memory counts how old the value itself may be.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flarecast.flares.clock import DAY
from flarecast.ingest import dsd, region_history
from flarecast.ingest.noaa_disk import FEATURES
from flarecast.ingest.region_flares import Flares
from flarecast.ingest.region_history import Feature
from flarecast.ingest.region_rows import Tracks

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

HOUR = 3600


def as_of(known_at: IntArray, values: FloatArray, time: IntArray, oldest: int) -> FloatArray:
    """Last of some values known at each time; NaN where the last one is too old.

    Args:
        known_at: When each value is known [s since 1970], ascending, shape (value,).
        values: Shape (value, ...).
        time: Shape (row,).
        oldest: Age from which on a value is none [s].

    Returns:
        Shape (row, ...).
    """
    place = np.searchsorted(known_at, time, side="right") - 1
    there = place >= 0
    there[there] = time[there] - known_at[place[there]] < oldest
    out = np.full((time.size, *values.shape[1:]), np.nan)
    out[there] = values[place[there]]
    return out


def daily_features(paths: Sequence[Path], time: IntArray, max_bad_rows: int) -> dict[str, Feature]:
    """Features of NOAA's daily solar data, of the last whole day before each row.

    Raises:
        FlarecastError: A file cannot be read, or too many lines are bad.
    """
    if not paths:
        return {}
    daily = dsd.read_dsd(paths, max_bad_rows)
    table = np.stack([feature.make(daily.columns) for feature in FEATURES.values()], axis=1)
    joined = as_of((daily.day + 1) * DAY, table, time, DAY)
    return {
        f"disk_{name}": (joined[:, column], feature.unit, (feature.memory_days + 1) * 24.0)
        for column, (name, feature) in enumerate(FEATURES.items())
    }


def flare_features(flares: Flares, time: IntArray) -> dict[str, Feature]:
    """Features of all flares on the Sun up to the full hour before each row."""
    hour, row = np.unique(time // HOUR * HOUR, return_inverse=True)
    everywhere = np.zeros_like(hour)
    hours = Tracks(hour, everywhere, everywhere, everywhere == 0, np.zeros(hour.size), {})
    found = region_history.disk_features(hours, flares)
    return {name: (values[row], unit, memory + 1.0) for name, (values, unit, memory) in found.items()}

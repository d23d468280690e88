"""Windows that hold the peak of the flare that they are to forecast."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.schema import NO_TIME


def holds_peak(windows: xr.Dataset) -> NDArray[np.bool_]:
    """Whether a row of a window lies at or after the peak of its largest flare, shape (window,).

    A flare may peak in the very second of the issue: its window is valid from then on, and its last row knows
    that second. What such a window says is no forecast.
    """
    count = windows["n_rows"].values.astype(np.int64)
    peak = windows["flare_peak"].values
    holds: NDArray[np.bool_] = (count > 0) & (peak != NO_TIME)
    filled = np.flatnonzero(holds)
    latest = windows["time"].values[windows["first_row"].values[filled] + count[filled] - 1]
    holds[filled] = latest >= peak[filled]
    return holds

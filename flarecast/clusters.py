"""Clusters: windows that are drawn, hidden and resampled together, for they are near copies of each other."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.cycles import rotation_of

DISK = "disk"


def clusters(windows: xr.Dataset) -> NDArray[np.object_]:
    """Cluster of each window of a file, shape (window,); see `clusters_of`."""
    return clusters_of(windows["region"].values.astype(object), windows["valid_from"].values)


def clusters_of(region: NDArray[Any], valid_from: NDArray[np.int64]) -> NDArray[Any]:
    """What is resampled as a whole: the region, or for the disk the 27-day rotation of the valid span.

    Args:
        region: Name of each region as an object, shape (window,).
        valid_from: Begin of each span [s since 1970], shape (window,).
    """
    disk = region == DISK
    numbers, place = np.unique(rotation_of(valid_from[disk]), return_inverse=True)
    found = region.copy()
    found[disk] = np.array([f"rotation {number}" for number in numbers], dtype=object)[place]
    return found

"""Roles by region: no region in two roles, and the rare classes in every one."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.errors import FlarecastError
from flarecast.split.fractions import checked, deal_regions
from flarecast.split.regions import is_disk, linked_regions
from flarecast.split.roles import Roles


def by_region(
    windows: xr.Dataset,
    rng: np.random.Generator,
    *,
    train: float = 0.6,
    validation: float = 0.1,
    calibration: float = 0.1,
    test: float = 0.2,
) -> Roles:
    """Give whole regions to the roles at random, each class of largest flare on its own.

    Regions are dealt out from the rarest class (X) to the commonest (none of C or more), so that each role
    gets its share of the regions that flare most. Regions under several names or NOAA numbers are one. The
    fractions count regions, not windows. Roles are contemporaneous: nothing here says how a model fares in
    another cycle.

    Args:
        windows: A windows Dataset of regions.
        rng: Decides which regions go where.
        train: Fraction of regions for train.
        validation: Fraction of regions for validation.
        calibration: Fraction of regions for calibration.
        test: Fraction of regions for test.

    Raises:
        FlarecastError: Windows of the disk, fewer regions than roles, or fractions that do not add up to 1.
    """
    fraction = checked(train, validation, calibration, test)
    region = regions_of(windows, "by_region")
    n_regions = int(region.max(initial=-1)) + 1
    if n_regions < (fraction > 0).sum():
        raise FlarecastError(
            f"split: expected at least {(fraction > 0).sum()} regions, one a role, got {n_regions}"
        )
    return Roles(deal_regions(region, windows["peak_flux"].values, fraction, rng)[None, :])


def regions_of(windows: xr.Dataset, strategy: str) -> NDArray[np.int64]:
    """Number of the linked region of each window, shape (window,).

    Raises:
        FlarecastError: There are no windows, or some of the disk.
    """
    if windows.sizes["window"] == 0:
        raise FlarecastError("split: expected windows to split, got a file without any")
    disk = is_disk(windows)
    if disk.any():
        raise FlarecastError(
            f"split.strategy: expected windows of regions for {strategy}, got {int(disk.sum()):,} of the "
            "disk, which is one region; choose by_cycle or by_time"
        )
    return linked_regions(windows)

"""Roles by region: no region in two roles, and the rare classes in every one."""

import numpy as np
import xarray as xr

from flarecast import goes
from flarecast.errors import FlarecastError
from flarecast.schema import ROLES
from flarecast.split.fractions import checked, deal
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
    disk = is_disk(windows)
    if disk.any():
        raise FlarecastError(
            f"split.strategy: expected windows of regions for by_region, got {int(disk.sum()):,} of the "
            "disk, which is one region; choose by_cycle or by_time"
        )
    region = linked_regions(windows)
    n_regions = int(region.max(initial=-1)) + 1
    if n_regions < (fraction > 0).sum():
        raise FlarecastError(
            f"split: expected at least {(fraction > 0).sum()} regions, one a role, got {n_regions}"
        )
    largest = np.zeros(n_regions)
    np.fmax.at(largest, region, windows["peak_flux"].values)
    stratum = sum(goes.at_least(largest, goes.DECADES[letter]).astype(np.int64) for letter in "CMX")
    role_of_region = np.zeros(n_regions, dtype=np.int8)
    has = np.zeros(fraction.size, dtype=np.int64)
    for level in range(3, -1, -1):
        members = rng.permutation(np.flatnonzero(stratum == level))
        role_of_region[members] = deal(members.size, fraction, has)
        has += np.bincount(role_of_region[members], minlength=len(ROLES))[1:]
    return Roles(role_of_region[region][None, :])

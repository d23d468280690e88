"""Folds by region: every region is tested on once, by a model of others."""

import numpy as np
import xarray as xr

from flarecast.errors import FlarecastError
from flarecast.split.by_region import regions_of
from flarecast.split.fractions import check_folds, checked, deal_regions
from flarecast.split.roles import TEST, Roles


def k_fold_region(
    windows: xr.Dataset,
    rng: np.random.Generator,
    *,
    folds: int = 5,
    validation: float = 0.125,
    calibration: float = 0.125,
) -> Roles:
    """Deal whole regions out into equal parts; each fold tests on one and learns from the others.

    Parts, and the roles of what a fold learns from, are stratified by the region's largest flare as in
    `by_region`. Roles are contemporaneous: nothing here says how a model fares in another cycle.

    Args:
        windows: A windows Dataset of regions.
        rng: Decides which regions go where.
        folds: How many.
        validation: Fraction for validation of the regions that a fold does not test on.
        calibration: Fraction for calibration of the regions that a fold does not test on.

    Raises:
        FlarecastError: Windows of the disk, fewer than two folds, too few regions for them, or fractions that
            leave nothing to train on.
    """
    check_folds(folds)
    rest = checked(1 - validation - calibration, validation, calibration, 0.0)[:3]
    region, flux = regions_of(windows, "k_fold_region"), windows["peak_flux"].values
    n_regions = np.unique(region).size
    least = max(folds, int(np.ceil((1 + (rest > 0).sum()) * folds / (folds - 1))))
    if n_regions < least:
        raise FlarecastError(
            f"split.folds: expected at least {least} regions for {folds} folds, got {n_regions}; ask for "
            "fewer folds, or split by time"
        )
    part = deal_regions(region, flux, np.full(folds, 1 / folds), rng)
    role = np.full((folds, region.size), TEST, dtype=np.int8)
    for fold in range(folds):
        others = part != fold + 1
        role[fold, others] = deal_regions(region[others], flux[others], rest, rng)
    names = "\n".join(f"test part {fold + 1} of the regions" for fold in range(folds))
    return Roles(role, details={"fold_names": names})

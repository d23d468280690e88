"""Roles at random, window by window: the wrong way, for showing what it does to a score."""

import numpy as np
import xarray as xr

from flarecast.schema import ROLES
from flarecast.split.fractions import checked
from flarecast.split.roles import Roles


def random_windows(
    windows: xr.Dataset,
    rng: np.random.Generator,
    *,
    train: float = 0.6,
    validation: float = 0.1,
    calibration: float = 0.1,
    test: float = 0.2,
) -> Roles:
    """Shuffle windows and cut: near copies of the training windows end up in test, and the audit says so.

    Args:
        windows: A windows Dataset.
        rng: Decides which windows go where.
        train: Fraction of windows for train.
        validation: Fraction of windows for validation.
        calibration: Fraction of windows for calibration.
        test: Fraction of windows for test.

    Raises:
        FlarecastError: Fractions that do not add up to 1.
    """
    fraction = checked(train, validation, calibration, test)
    n_windows = windows.sizes["window"]
    border = np.round(np.cumsum(fraction) * n_windows).astype(np.int64)
    role = np.zeros((1, n_windows), dtype=np.int8)
    place = rng.permutation(n_windows)
    role[0] = np.searchsorted(border, place, side="right").clip(max=len(ROLES) - 2) + 1
    return Roles(role)

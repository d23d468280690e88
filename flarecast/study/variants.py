"""The wrong ways, made on purpose: roles at random, and values scaled with what training must not see."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import scale
from flarecast.schema import ROLES
from flarecast.study.arms import Roles, Values
from flarecast.windows import step_rows


def dealt_out(split: xr.Dataset, roles: Roles, rng: np.random.Generator) -> xr.Dataset:
    """A split with as many windows in each role, dealt out in another way; unused windows stay so.

    `random` shuffles all roles over the windows, `inner_random` only train and validation.
    """
    if roles == "coherent":
        return split
    shuffled = split.copy(deep=True)
    role = shuffled["role"].values
    moved = role[0] != ROLES.index("unused")
    if roles == "inner_random":
        moved = np.isin(role[0], [ROLES.index("train"), ROLES.index("validation")])
    role[0, moved] = rng.permutation(role[0, moved])
    return shuffled


def rescaled(windows: xr.Dataset, role: NDArray[np.int8], values: Values, name: str) -> xr.Dataset:
    """Windows whose values are scaled beforehand, by all rows or by those of each role.

    A row of windows of several roles counts for all of them and is scaled as the first of train, validation,
    calibration, test that has it.

    Args:
        windows: A windows Dataset.
        role: Role of each window, shape (window,).
        values: Which rows the scaling is fitted on.
        name: Entry of `scale.SCALES`.
    """
    if values == "as_measured":
        return windows
    before = windows["values"].values
    after = np.full_like(before, np.nan)
    used = [ROLES.index(one) for one in ROLES if one != "unused"]
    groups = [used] if values == "scaled_on_all" else [[one] for one in used]
    for group in reversed(groups):
        rows = step_rows(windows, np.flatnonzero(np.isin(role, group)))
        rows = np.unique(rows[rows >= 0])
        if rows.size:
            after[rows] = scale.fit(before[rows], name).apply(before[rows])
    return windows.assign(values=(windows["values"].dims, after, windows["values"].attrs))

"""Borders between roles: a region keeps to one side, and nobody comes nearer than the embargo.

Two windows of one track, issued at t and at s > t, share no time of history or outcome if
s - span - memory >= t + lead + horizon; the embargo is therefore span + memory + lead + horizon, and every
time strategy keeps it between the issue times of any two roles. The training side of a border loses the
windows: test loses none, calibration loses those near test, validation those near test and calibration,
train those near any.
"""

import math

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.errors import FlarecastError
from flarecast.schema import ROLES
from flarecast.split.regions import is_disk, linked_regions
from flarecast.split.roles import TEST, TRAIN, UNUSED, RoleArray, Roles

HOUR = 3600


def embargo_hours(windows: xr.Dataset) -> float:
    """Embargo of a windows file [h]: window span + longest feature memory + lead + horizon."""
    span = windows.attrs["n_steps"] * windows.attrs["cadence_minutes"] / 60
    memory = windows["feature_memory_hours"].values.max(initial=0.0)
    return float(span + memory + windows.attrs["lead_hours"] + windows.attrs["horizon_hours"])


def chosen_embargo(windows: xr.Dataset, hours: float | None) -> float:
    """The embargo asked for [h], or that of the file where none is.

    Raises:
        FlarecastError: It is negative or no number, or there are no windows to split.
    """
    if windows.sizes["window"] == 0:
        raise FlarecastError("split: expected windows to split, got a file without any")
    if hours is None:
        return embargo_hours(windows)
    if isinstance(hours, bool) or not isinstance(hours, (int, float)) or not 0 <= hours < math.inf:
        raise FlarecastError(f"split.embargo_hours: expected hours from 0 up, got {hours!r}")
    return float(hours)


def settle(windows: xr.Dataset, planned: RoleArray, embargo: float, **details: str) -> Roles:
    """Turn roles planned by date into roles without leaks across their borders.

    First every region (under any of its numbers; the disk exempt) that straddles a border gets the role with
    more of its windows, of equals the later in `schema.ROLES`, and the rest become unused. Then the embargo.

    Args:
        windows: A windows Dataset.
        planned: Roles by date, shape (fold, window).
        embargo: Least time between the issue times of two roles [h].
        details: What the strategy chose, in words.

    Raises:
        FlarecastError: The embargo leaves a role no windows.
    """
    issue_time = windows["issue_time"].values
    region, disk = linked_regions(windows), is_disk(windows)
    role = planned.copy()
    straddling = [_unite(fold, region, disk) for fold in role]
    lost = [
        _embargo(fold, issue_time, embargo, f" of fold {number}" if len(role) > 1 else "")
        for number, fold in enumerate(role)
    ]
    return Roles(
        role=role,
        planned=planned,
        embargo_hours=embargo,
        n_outside=int((planned == UNUSED).sum()),
        n_straddling_regions=sum(regions for regions, _ in straddling),
        n_straddling_windows_unused=sum(unused for _, unused in straddling),
        n_embargoed=sum(lost),
        details=details,
    )


def _unite(role: RoleArray, region: NDArray[np.int64], disk: NDArray[np.bool_]) -> tuple[int, int]:
    """Give each region one role, in place; return straddling regions and windows left unused."""
    n_roles = len(ROLES)
    n_regions = int(region.max(initial=-1)) + 1
    count = np.bincount(region * n_roles + role, minlength=n_regions * n_roles).reshape(-1, n_roles)
    count[:, UNUSED] = 0
    count[region[disk]] = 0
    straddles = (count > 0).sum(axis=1) > 1
    winner = n_roles - 1 - count[:, ::-1].argmax(axis=1)
    loses = straddles[region] & (role != winner[region]) & (role != UNUSED)
    role[loses] = UNUSED
    return int(straddles.sum()), int(loses.sum())


def _embargo(role: RoleArray, issue_time: NDArray[np.int64], hours: float, where: str) -> int:
    """Make windows unused that come too near to a role that goes before theirs, in place; count them."""
    gap = math.ceil(round(hours * HOUR, 3))
    lost = 0
    for own in range(TEST - 1, TRAIN - 1, -1):
        mine = np.flatnonzero(role == own)
        others = np.sort(issue_time[role > own])
        near = _near(issue_time[mine], others, gap)
        if mine.size and near.all():
            raise FlarecastError(
                f"split: expected {ROLES[own]} windows{where} outside the embargo of {hours:,g} h, "
                f"got none of {mine.size:,}; shorten the windows or the memory of their features, or widen "
                "the spans"
            )
        role[mine[near]] = UNUSED
        lost += int(near.sum())
    return lost


def _near(times: NDArray[np.int64], others: NDArray[np.int64], gap: int) -> NDArray[np.bool_]:
    """Whether any of the sorted other times lies less than a gap away [s], shape of times."""
    if others.size == 0 or gap == 0:
        return np.zeros(times.shape, dtype=np.bool_)
    first = np.searchsorted(others, times - gap, side="right")
    near: NDArray[np.bool_] = (first < others.size) & (others[first.clip(max=others.size - 1)] < times + gap)
    return near

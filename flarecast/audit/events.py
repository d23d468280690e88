"""Checks that stop a run: a split of other windows, a role without an event to learn from."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr

from flarecast import goes
from flarecast.audit.findings import counted
from flarecast.errors import FlarecastError
from flarecast.schema import ROLES
from flarecast.split.roles import TRAIN, VALIDATION, RoleArray


def roles_of(windows: xr.Dataset, split: xr.Dataset) -> RoleArray:
    """Roles of a split, shape (fold, window).

    Raises:
        FlarecastError: The split has another number of windows, or no fold.
    """
    role = np.asarray(split["role"].values, dtype=np.int8)
    if not len(role) or role.shape[1] != windows.sizes["window"]:
        raise FlarecastError(
            f"split: expected roles for {counted(windows.sizes['window'], 'window')}, got "
            f"{counted(len(role), 'fold')} of {role.shape[1]:,}; split these windows again"
        )
    return role


def check_same_windows(split: xr.Dataset, windows_sha256: str) -> None:
    """Raise unless a split was made of the windows file with this hash.

    Raises:
        FlarecastError: It was made of another.
    """
    made_of = str(split.attrs["windows_sha256"])
    if made_of != windows_sha256:
        raise FlarecastError(
            f"split: expected one made of the windows file {windows_sha256[:12]}, got one made of "
            f"{made_of[:12] or 'none'}; split these windows again"
        )


def require_events(
    windows: xr.Dataset,
    split: xr.Dataset,
    events: Sequence[str],
    unassigned: Literal["ignore", "mask"] = "ignore",
) -> None:
    """Raise unless train and validation of every fold hold every trained event.

    The final fold of a split with out-of-fold forecasts has no validation role.

    Raises:
        FlarecastError: An event is missing in one of them; all such are named.
    """
    occurred = goes.occurred_table(windows, events, unassigned) == 1
    roles = roles_of(windows, split)
    without: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for fold, role in enumerate(roles):
        for number in (TRAIN, VALIDATION):
            mine = role == number
            final = fold == split.attrs.get("final_fold", 0)
            if number == VALIDATION and final and split.attrs.get("out_of_fold") and not mine.any():
                continue
            for column, event in enumerate(events):
                if not occurred[mine, column].any():
                    without.setdefault((event, ROLES[number]), []).append((fold, int(mine.sum())))
    problems = [
        f"expected at least one {event} event in {role}{_of_folds(found, len(roles))}, got none in "
        f"{counted(sum(n for _, n in found), 'window')}"
        for (event, role), found in without.items()
    ]
    if problems:
        inner = 'set calibrate.folds lower or calibrate.fit_on = "calibration", '
        ways = f"{inner if split.attrs.get('out_of_fold') else ''}train a smaller class, or change the split"
        raise FlarecastError(f"split: {'; '.join(problems)}; {ways} so that they have some")


def _of_folds(found: Sequence[tuple[int, int]], n_folds: int) -> str:
    """Which folds, the first of each pair, in words; nothing where there is but one."""
    numbers = ", ".join(str(fold) for fold, _ in found)
    return "" if n_folds == 1 else f" of fold{'s' if len(found) > 1 else ''} {numbers}"

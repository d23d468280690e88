"""Shares of windows or regions that each role gets."""

import math

import numpy as np
from numpy.typing import NDArray

from flarecast.errors import FlarecastError
from flarecast.schema import ROLES
from flarecast.split.roles import RoleArray


def checked(train: float, validation: float, calibration: float, test: float) -> NDArray[np.float64]:
    """The four fractions as an array, in the order of `schema.ROLES` without unused.

    Raises:
        FlarecastError: One is no fraction, or they do not add up to 1.
    """
    values = dict(zip(ROLES[1:], (train, validation, calibration, test), strict=True))
    got = ", ".join(f"{name} {value!r}" for name, value in values.items())
    numbers = all(isinstance(value, (int, float)) and type(value) is not bool for value in values.values())
    if not numbers or not all(0 <= value <= 1 for value in values.values()):
        raise FlarecastError(f"split: expected fractions from 0 to 1, got {got}")
    if not math.isclose(sum(values.values()), 1, abs_tol=1e-9):
        raise FlarecastError(f"split: expected fractions that add up to 1, got {got}")
    return np.array(list(values.values()), dtype=np.float64)


def deal(n: int, fraction: NDArray[np.float64], before: NDArray[np.int64] | None = None) -> RoleArray:
    """Give n things roles one by one, each to the role that is furthest behind its fraction.

    Of roles equally far behind the one that has fewest gets it, so that even a handful reaches every role.

    Args:
        n: How many things.
        fraction: Share of each role but unused, shape (role,).
        before: Things that each role has already from elsewhere, which break remaining ties; shape (role,).

    Returns:
        Roles (index into `schema.ROLES`), shape (n,).
    """
    elsewhere = np.zeros(fraction.size, dtype=np.int64) if before is None else before
    has = np.zeros(fraction.size, dtype=np.int64)
    roles = np.empty(n, dtype=np.int8)
    for nth in range(n):
        behind = np.where(fraction > 0, fraction * (nth + 1) - has, -np.inf).round(9)
        chosen = int(np.lexsort((elsewhere, has, -behind))[0])
        has[chosen] += 1
        roles[nth] = chosen + 1
    return roles

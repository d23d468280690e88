"""Shares of windows or regions that each role or fold gets."""

import math

import numpy as np
from numpy.typing import NDArray

from flarecast import goes
from flarecast.errors import FlarecastError
from flarecast.schema import ROLES
from flarecast.split.roles import RoleArray

MOST_FOLDS = 100


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


def check_folds(folds: int) -> None:
    """Raise unless this is a number of folds."""
    if isinstance(folds, bool) or not isinstance(folds, int) or not 2 <= folds <= MOST_FOLDS:
        raise FlarecastError(f"split.folds: expected from 2 to {MOST_FOLDS} folds, got {folds!r}")


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


def deal_regions(
    region: NDArray[np.int64],
    peak_flux: NDArray[np.float64],
    fraction: NDArray[np.float64],
    rng: np.random.Generator,
) -> RoleArray:
    """Deal out whole regions at random, each class of largest flare on its own.

    From the rarest class (X) to the commonest (none of C or more), so that each share gets its part of the
    regions that flare most.

    Args:
        region: Number of each window's region, shape (window,).
        peak_flux: Largest flare of each window [W m-2], shape (window,).
        fraction: Part of the regions that each share gets, shape (share,).
        rng: Decides which regions go where.

    Returns:
        Number of the share of each window from 1, shape (window,).
    """
    member = np.unique(region, return_inverse=True)[1]
    n_regions = int(member.max(initial=-1)) + 1
    largest = np.zeros(n_regions)
    np.fmax.at(largest, member, peak_flux)
    stratum = sum(goes.at_least(largest, goes.DECADES[letter]).astype(np.int64) for letter in "CMX")
    share = np.zeros(n_regions, dtype=np.int8)
    has = np.zeros(fraction.size, dtype=np.int64)
    for level in range(3, -1, -1):
        chosen = rng.permutation(np.flatnonzero(stratum == level))
        share[chosen] = deal(chosen.size, fraction, has)
        has += np.bincount(share[chosen], minlength=fraction.size + 1)[1:]
    return share[member]

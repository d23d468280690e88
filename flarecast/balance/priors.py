"""Shares of the exclusive classes, also where some windows leave several classes open."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flarecast.balance.train_windows import IntArray
from flarecast.errors import FlarecastError

_MAX_ROUNDS = 20_000
_SETTLED = 1e-15


def class_priors(low: IntArray, high: IntArray, weight: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    """Weighted shares of the exclusive classes.

    A window that allows several classes is shared out among them in proportion to the shares themselves,
    until these settle: the maximum-likelihood shares of interval-censored classes. It holds as long as
    being unknown does not depend on the class. Windows that allow every class say nothing and change
    nothing. Classes that only appear together share alike.

    Args:
        low: Lowest class that each window may have, shape (n,).
        high: Highest one, shape (n,).
        weight: Weight of each window, not negative, shape (n,).
        n_classes: Number of exclusive classes.

    Returns:
        Shares, sum 1, shape (n_classes,).

    Raises:
        FlarecastError: No window says anything about its class.
    Source: Turnbull (1976), J. R. Stat. Soc. B 38, 290; Dempster, Laird & Rubin (1977), ibid. 39, 1.
    """
    weight = np.asarray(weight, dtype=np.float64)
    codes, place = np.unique(low * n_classes + high, return_inverse=True)
    first, last = codes // n_classes, codes % n_classes
    total = np.bincount(place, weight, minlength=codes.size)
    informative = ((first > 0) | (last < n_classes - 1)) & (total > 0)
    if not informative.any():
        raise FlarecastError(
            f"class priors: expected windows with known outcomes, got {low.size} windows without; "
            "choose other train dates or a source that knows its outcomes"
        )
    classes = np.arange(n_classes)
    allowed = (classes >= first[informative, None]) & (classes <= last[informative, None])
    mass = total[informative] / total[informative].sum()
    shares = np.full(n_classes, 1 / n_classes)
    for _ in range(_MAX_ROUNDS):
        possible = shares * allowed
        updated = mass @ (possible / possible.sum(axis=1, keepdims=True))
        settled = np.abs(updated - shares).max() < _SETTLED
        shares = updated
        if settled:
            break
    normalised: NDArray[np.float64] = shares / shares.sum()
    return normalised

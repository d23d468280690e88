"""What a remedy gives, and the two sides that it balances."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flarecast.errors import FlarecastError

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Balanced:
    """Train windows as one epoch sees them.

    Attributes:
        index: Index into the train windows, ascending, repeats allowed, shape (n,).
        weight: Weight of each in the loss, positive, shape (n,).
    """

    index: IntArray
    weight: NDArray[np.float32]


def equal_weights(index: IntArray) -> Balanced:
    """A choice of windows that all count the same."""
    return Balanced(np.sort(index).astype(np.int64), np.ones(index.size, dtype=np.float32))


def two_sides(
    low: IntArray, high: IntArray, positive_class: int, ratio: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Windows known to hold an event and windows known to hold none; the rest may be either.

    Args:
        low: Lowest exclusive class that each window may have, shape (window,).
        high: Highest one, shape (window,).
        positive_class: Exclusive classes from this one on count as events.
        ratio: Negatives per positive that are wanted.

    Returns:
        Positive and negative windows, each of shape (window,).

    Raises:
        FlarecastError: A side is empty, or the ratio is no positive number.
    """
    if not (math.isfinite(ratio) and ratio > 0):
        raise FlarecastError(f"balance.options: ratio: expected a number above 0, got {ratio}")
    positive, negative = low >= positive_class, high < positive_class
    if not (positive.any() and negative.any()):
        raise FlarecastError(
            "balance: expected train windows with and without an event, "
            f"got {positive.sum()} with and {negative.sum()} without; "
            "choose another balance.event, another split, or balance.name none"
        )
    return positive, negative

"""From how many windows each sub-class has to how many it shall have: arithmetic alone."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flarecast.errors import FlarecastError

IntArray = NDArray[np.int64]
Rule = Literal["climatology_kept", "sub_classes_equal", "all_equal"]


def under_targets(counts: ArrayLike, positive: ArrayLike, rule: Rule, ratio: float = 1.0) -> IntArray:
    """Windows to keep of each sub-class when the many are made fewer.

    `climatology_kept`: all positives, and `ratio` negatives for each in the mix of the data;
    `sub_classes_equal`: the same number of negatives, as many of each negative sub-class; `all_equal`: of
    every sub-class as many as the smallest has. Remainders go to the largest fractions, so sums are exact.
    A target may exceed what there is; who draws has to look.

    Args:
        counts: Windows of each sub-class, shape (sub_class,).
        positive: Whether a sub-class holds the event, shape (sub_class,).
        rule: Which of the three.
        ratio: Negatives per positive; without meaning for `all_equal`.

    Returns:
        Shape (sub_class,).
    Source: after Ahmadzadeh et al. (2021), ApJS 254, 23.
    """
    counts, positive = _arrays(counts, positive, rule, ratio)
    if rule == "all_equal":
        return np.full_like(counts, counts.min())
    return _one_side(counts, ~positive, rule, ratio * float(counts[positive].sum()))


def over_targets(counts: ArrayLike, positive: ArrayLike, rule: Rule, ratio: float = 1.0) -> IntArray:
    """Windows to have of each sub-class when the few are repeated.

    As `under_targets`, the other way round: all negatives stay and positives are repeated until `ratio`
    negatives stand for each; `all_equal` repeats every sub-class up to the largest.

    Args:
        counts: Windows of each sub-class, shape (sub_class,).
        positive: Whether a sub-class holds the event, shape (sub_class,).
        rule: Which of the three.
        ratio: Negatives per positive; without meaning for `all_equal`.

    Returns:
        Shape (sub_class,).
    """
    counts, positive = _arrays(counts, positive, rule, ratio)
    if rule == "all_equal":
        return np.full_like(counts, counts.max())
    return _one_side(counts, positive, rule, float(counts[~positive].sum()) / ratio)


def shared_out(total: int, share: ArrayLike) -> IntArray:
    """Whole numbers that sum to a total and are nearest to shares of it, by largest remainder.

    Args:
        total: What the numbers sum to.
        share: Not negative, of any sum above 0, shape (n,).
    """
    share = np.asarray(share, dtype=np.float64)
    exact = total * share / share.sum()
    whole: IntArray = np.floor(exact + 1e-9).astype(np.int64)  # so that 1254 / 3 is 418, whatever floats say
    rest = total - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:rest]] += 1
    return whole


def _one_side(counts: IntArray, side: NDArray[np.bool_], rule: Rule, total: float) -> IntArray:
    """Counts with those of one side replaced, so that they sum to a total."""
    share = counts[side] if rule == "climatology_kept" else np.ones(np.count_nonzero(side))
    targets = counts.copy()
    targets[side] = shared_out(round(total), share)
    return targets


def _arrays(
    counts: ArrayLike, positive: ArrayLike, rule: Rule, ratio: float
) -> tuple[IntArray, NDArray[np.bool_]]:
    """The arguments as arrays, once they make sense."""
    numbers, sides = np.asarray(counts, dtype=np.int64), np.asarray(positive, dtype=np.bool_)
    if not (numbers[sides].sum() and numbers[~sides].sum()) or (numbers < 0).any():
        raise FlarecastError(
            f"balance: expected windows with and without an event, got {numbers.tolist()} of "
            f"sub-classes with {np.count_nonzero(sides)} positive; choose another balance.event"
        )
    if rule != "climatology_kept" and not numbers.all():
        raise FlarecastError(
            f"balance.options: rule: {rule} expected windows of every sub-class, got {numbers.tolist()}; "
            "use climatology_kept"
        )
    if not (np.isfinite(ratio) and ratio > 0):
        raise FlarecastError(f"balance.options: ratio: expected a number above 0, got {ratio}")
    if rule == "all_equal" and ratio != 1:
        raise FlarecastError(
            f"balance.options: ratio: expected none with rule all_equal, got {ratio}; use another rule"
        )
    return numbers, sides

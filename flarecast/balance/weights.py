"""Heavier positives."""

import numpy as np

from flarecast.balance.balanced import Balanced, IntArray, two_sides
from flarecast.balance.priors import class_priors


def class_weights(
    low: IntArray,
    high: IntArray,
    n_classes: int,
    positive_class: int,
    rng: np.random.Generator,  # noqa: ARG001 -- all remedies share one signature
    *,
    ratio: float = 1.0,
) -> Balanced:
    """Keep every window once and weigh the two sides, so that negatives weigh `ratio` times as much in sum.

    With n = n+ + n- windows of known side, w+ = n / ((1 + ratio) n+) and w- = n ratio / ((1 + ratio) n-);
    for ratio 1 these are n / (2 n+) and n / (2 n-). A window that may be either gets the mean of the two,
    weighted by the natural shares of the classes that it may have. So the trained prior of every class is
    its natural prior times its side's weight, exactly, whatever is unknown.

    Args:
        low: Lowest exclusive class that each train window may have, shape (window,).
        high: Highest one, shape (window,).
        n_classes: Number of exclusive classes.
        positive_class: Exclusive classes from this one on count as events.
        rng: Not used.
        ratio: Weight of the negatives over that of the positives, in sum.

    Raises:
        FlarecastError: There are no positives or no negatives.
    """
    positive, negative = two_sides(low, high, positive_class, ratio)
    n_positive, n_negative = int(positive.sum()), int(negative.sum())
    n_known = n_positive + n_negative
    heavy = n_known / ((1 + ratio) * n_positive)
    light = n_known * ratio / ((1 + ratio) * n_negative)

    natural = class_priors(low, high, np.ones(low.size), n_classes)
    classes = np.arange(n_classes)
    possible = natural * ((classes >= low[:, None]) & (classes <= high[:, None]))
    total = possible.sum(axis=1)
    # A range without any prior is one in which no window is known to lie: then the sides count alike.
    share = np.divide(
        possible[:, positive_class:].sum(axis=1), total, where=total > 0, out=np.full(low.size, 0.5)
    )
    share = np.where(positive, 1.0, np.where(negative, 0.0, share))
    weight = share * heavy + (1 - share) * light
    return Balanced(np.arange(low.size, dtype=np.int64), weight.astype(np.float32))

"""Heavier classes."""

import math

import numpy as np
from numpy.typing import NDArray

from flarecast.balance.balanced import Balanced, balanced, require_positive
from flarecast.balance.priors import class_priors
from flarecast.balance.train_windows import TrainWindows
from flarecast.errors import FlarecastError

FloatArray = NDArray[np.float64]


def class_weights(
    train: TrainWindows,
    rng: np.random.Generator,  # noqa: ARG001 -- all remedies share one signature
    *,
    ratio: float = 1.0,
    weights: tuple[float, ...] | None = None,
) -> Balanced:
    """Keep every window once and weigh the two sides, so that negatives weigh `ratio` times as much in sum.

    With n = n+ + n- windows of known side, w+ = n / ((1 + ratio) n+) and w- = n ratio / ((1 + ratio) n-);
    for ratio 1 these are n / (2 n+) and n / (2 n-).

    Args:
        train: The train windows.
        rng: Not used.
        ratio: Weight of the negatives over that of the positives, in sum.
        weights: Weight of a window of each exclusive class, lowest class first, in place of the two sides'.

    Raises:
        FlarecastError: There are no positives or no negatives, or weights that leave nothing.
    """
    require_positive("ratio", ratio)
    positive, negative = train.sides()
    if weights is not None:
        return _weighed(train, _given(train, weights))
    n_positive, n_negative = int(positive.sum()), int(negative.sum())
    n_known = n_positive + n_negative
    heavy = n_known / ((1 + ratio) * n_positive)
    light = n_known * ratio / ((1 + ratio) * n_negative)
    return _weighed(train, np.where(np.arange(train.n_classes) < train.positive_class, light, heavy))


def effective_number(
    train: TrainWindows,
    rng: np.random.Generator,  # noqa: ARG001 -- all remedies share one signature
    *,
    beta: float = 0.999,
) -> Balanced:
    """Keep every window once and weigh each exclusive class by its effective number of windows.

    Weight (1 - beta) / (1 - beta^n) for a class of n windows: 1 / n for beta near 1, equal for beta 0. In
    between, more than about 1 / (1 - beta) windows of a class count as that many, since near copies add
    little; where windows overlap n-fold a beta of 1 - n / (windows of the largest class) says so.

    Args:
        train: The train windows.
        rng: Not used.
        beta: From 0 up to, but not including, 1.

    Raises:
        FlarecastError: Beta out of range, or a class is absent.
    Source: Cui et al. (2019), CVPR, 9268, equation 2.
    """
    if not 0 <= beta < 1:
        raise FlarecastError(f"balance.options: beta: expected a number from 0 to below 1, got {beta}")
    train.require_all_classes("effective_number")
    number = class_priors(train.low, train.high, np.ones(len(train)), train.n_classes) * len(train)
    exponent = number * (math.log(beta) if beta else -math.inf)
    return _weighed(train, (1 - beta) / -np.expm1(exponent))


def _given(train: TrainWindows, weights: tuple[float, ...]) -> FloatArray:
    """Weights of the configuration, once they leave something."""
    there = class_priors(train.low, train.high, np.ones(len(train)), train.n_classes) > 0
    legal = len(weights) == train.n_classes and all(math.isfinite(one) and one >= 0 for one in weights)
    if not legal or np.sum(np.array(weights)[there]) <= 0:
        raise FlarecastError(
            f"balance.options: weights: expected {train.n_classes} numbers, of {', '.join(train.classes)}, "
            f"none below 0 and not all 0 where there are windows, got {list(weights)}; raise one"
        )
    return np.array(weights, dtype=np.float64)


def _weighed(train: TrainWindows, class_weight: FloatArray) -> Balanced:
    """Every window with the weight of its class; one of several with their mean by natural shares.

    So the trained prior of every class is its natural prior times its weight, exactly, whatever is unknown.
    """
    natural = class_priors(train.low, train.high, np.ones(len(train)), train.n_classes)
    classes = np.arange(train.n_classes)
    allowed = (classes >= train.low[:, None]) & (classes <= train.high[:, None])
    # A range without any prior is one in which no window is known to lie: then its classes count alike.
    share = np.where((allowed @ natural > 0)[:, None], natural * allowed, allowed)
    weight = (share @ class_weight) / share.sum(axis=1)
    return balanced(train, np.arange(len(train)), weight, analytic=True)

"""What a remedy gives."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flarecast.balance.priors import class_priors
from flarecast.balance.train_windows import IntArray, TrainWindows
from flarecast.errors import FlarecastError

FloatArray = NDArray[np.float64]

NOT_ANALYTIC: Literal["not analytic"] = "not analytic"
"""Stated by a remedy that changes what the windows of a class look like, so that no prior undoes it."""


@dataclass(frozen=True)
class Made:
    """Windows that nobody observed, made of train windows.

    Attributes:
        steps: Scaled steps, shape (n, n_steps, n_features).
        low: Lowest exclusive class that each may have, shape (n,).
        high: Highest one, shape (n,).
        parent: Train window whose history it shares, -1 for none, shape (n,).
    """

    steps: NDArray[np.float32]
    low: IntArray
    high: IntArray
    parent: IntArray

    def __len__(self) -> int:
        """Number of windows."""
        return self.low.size


@dataclass(frozen=True)
class Balanced:
    """Windows as an epoch of training sees them.

    Attributes:
        index: Index into the train windows, ascending, repeats allowed; from the number of train windows on
            it is a made window, shape (n,).
        weight: Weight of each in the loss, positive, shape (n,).
        prior: Shares of the exclusive classes that training sees, shape (class,), where windows of a class
            look as they did before; else `NOT_ANALYTIC`.
        shares: The same shares, stated or not, shape (class,).
        made: Made windows, if any.
        logit_offset: Added to the logits in the training loss, shape (class,), if any.
    """

    index: IntArray
    weight: NDArray[np.float32]
    prior: FloatArray | Literal["not analytic"]
    shares: FloatArray
    made: Made | None = None
    logit_offset: FloatArray | None = None


def balanced(
    train: TrainWindows,
    index: IntArray,
    weight: NDArray[np.floating] | None = None,
    *,
    analytic: bool,
    made: Made | None = None,
) -> Balanced:
    """Put chosen windows in order and state the prior that they give.

    Args:
        train: The train windows.
        index: Of the chosen ones, repeats allowed; those made excluded, shape (n,).
        weight: Of each of them, not negative; 1 if None. Windows of weight 0 are left out.
        analytic: Whether windows of an exclusive class are a fair draw of all of that class.
        made: Made windows, each seen once with weight 1.
    """
    weight = np.ones(index.size) if weight is None else weight
    order = np.argsort(index, kind="stable")
    order = order[weight[order] > 0]
    chosen, weights = index[order].astype(np.int64), weight[order].astype(np.float32)
    low, high = train.low, train.high
    if made is not None:
        chosen = np.concatenate([chosen, len(train) + np.arange(len(made))])
        weights = np.concatenate([weights, np.ones(len(made), dtype=np.float32)])
        low, high = np.concatenate([low, made.low]), np.concatenate([high, made.high])
    shares = class_priors(low[chosen], high[chosen], weights, train.n_classes)
    return Balanced(chosen, weights, shares if analytic else NOT_ANALYTIC, shares, made)


def require_positive(name: str, value: float) -> None:
    """Make sure that an option is a finite number above 0.

    Raises:
        FlarecastError: It is not.
    """
    if not (math.isfinite(value) and value > 0):
        raise FlarecastError(f"balance.options: {name}: expected a number above 0, got {value}")

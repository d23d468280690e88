"""Scores of several nested events at once: arithmetic on a confusion matrix and on summed squared errors.

K nested events make K + 1 classes: class 0 is none of them, class k the k-th but not the next. A class is
forecast where the probability of its event reaches the decision threshold and no stronger event's does.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flarecast.errors import FlarecastError
from flarecast.skill.sums import Blocks, BoolArray, FloatArray, IntArray, add, add_binned, ratio


@dataclass(frozen=True)
class ClassSums:
    """Sums behind the scores of classes.

    Attributes:
        confusion: Windows by class forecast and class observed, shape (..., class, class).
        squared_error: Sum over windows and events of (probability - occurred) squared, shape (...).
    """

    confusion: FloatArray
    squared_error: FloatArray

    @property
    def observed(self) -> FloatArray:
        """Windows by class observed, shape (..., class)."""
        return np.asarray(self.confusion.sum(axis=-2), dtype=np.float64)

    @property
    def forecast(self) -> FloatArray:
        """Windows by class forecast, shape (..., class)."""
        return np.asarray(self.confusion.sum(axis=-1), dtype=np.float64)

    @property
    def n(self) -> FloatArray:
        """Windows, shape (...)."""
        return np.asarray(self.observed.sum(axis=-1), dtype=np.float64)


def class_of(reached: BoolArray) -> IntArray:
    """Class of each window: the strongest event that it has, 0 for none; (window, event) -> (window,)."""
    rank = np.arange(1, reached.shape[1] + 1)
    return np.asarray((reached * rank).max(axis=1, initial=0), dtype=np.int64)


def sum_classes(
    probability: NDArray[np.float64],
    occurred: BoolArray,
    decision_threshold: NDArray[np.float64],
    blocks: Blocks | None = None,
) -> ClassSums:
    """Sum what the scores of classes need.

    Args:
        probability: Probability of each event, weakest first, in [0, 1], shape (window, event).
        occurred: Outcomes, shape (window, event).
        decision_threshold: Shape (event,) or (window, event).
        blocks: Sum inside each block.

    Returns:
        Sums with leading shape () or, with blocks, (block,).

    Raises:
        FlarecastError: The two are swapped, of different shapes, or a probability is outside [0, 1].
    """
    got = f"{probability.dtype} {probability.shape} and {occurred.dtype} {occurred.shape}"
    inside = probability.dtype.kind == "f" and ((probability >= 0) & (probability <= 1)).all()
    if not inside or occurred.dtype.kind != "b" or probability.shape != occurred.shape or occurred.ndim != 2:
        raise FlarecastError(
            "probability and occurred: expected floats in [0, 1] first and booleans second, both (window, "
            f"event), got {got}; leave out windows without a forecast"
        )
    size = probability.shape[1] + 1
    observed, forecast = class_of(occurred), class_of(probability >= decision_threshold)
    reached = observed[:, None] >= np.arange(1, size)
    cells = add_binned(forecast * size + observed, size * size, blocks)
    return ClassSums(
        confusion=cells.reshape(*cells.shape[:-1], size, size),
        squared_error=add(((probability - reached) ** 2).sum(axis=1), blocks),
    )


def rps(sums: ClassSums) -> FloatArray:
    """Ranked probability score: mean Brier score over the nested events.

    mean over windows and events of (p - o)^2. From 0 to 1, perfect 0. Strict about distance: a forecast of C
    where X happened costs more than one of M. The weakest event, which is the most frequent, decides it.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no windows.

    Source: Epstein (1969), J. Appl. Meteor. 8, 985; Murphy (1971), ibid. 10, 155 (here a mean over events).
    """
    return ratio(sums.squared_error, sums.n * (sums.confusion.shape[-1] - 1))


def rpss(sums: ClassSums) -> FloatArray:
    """Ranked probability skill score against the scored sample's own rates of the events.

    1 - RPS / mean over events of r (1 - r), rates recomputed in every resample. Up to 1; 0 is as good as
    those constants. As `bss`, it rewards knowing the phase of the solar cycle.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Score, shape (...); NaN where all windows were of one class.

    Source: Wilks (2011), Statistical Methods in the Atmospheric Sciences, section 8.4.9.
    """
    events = sums.observed[..., ::-1].cumsum(axis=-1)[..., -2::-1]
    n = sums.n[..., None]
    return 1 - ratio(sums.squared_error, (events * (1 - np.nan_to_num(ratio(events, n)))).sum(axis=-1))


def gmgs(sums: ClassSums) -> FloatArray:
    """Gandin-Murphy-Gerrity score: hits weighted by the rarity of their class, near misses cost less.

    sum of p_ij s_ij, p_ij the share of windows of forecast class i and observed class j, s_ij Gerrity's
    matrix of the observed rates (recomputed in every resample). Perfect 1; 0 for constant and random
    forecasts; for two classes it is `tss`. Rare classes decide it: a few windows may turn it.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Score, shape (...); NaN where a class did not occur.

    Source: Gandin & Murphy (1992), Mon. Wea. Rev. 120, 361; Gerrity (1992), ibid. 120, 2709.
    """
    share = ratio(sums.observed, sums.n[..., None])
    there: BoolArray = np.asarray((share > 0).all(axis=-1, keepdims=True))
    below = np.where(there, share, 1).cumsum(axis=-1)[..., :-1]
    odds = np.where(there, ratio(1 - below, below), 1.0)  # of the classes above each border
    size = share.shape[-1]
    zero = np.zeros((*share.shape[:-1], 1))
    left = np.concatenate([zero, (1 / np.where(odds > 0, odds, 1)).cumsum(axis=-1)], axis=-1)
    right = np.concatenate([odds[..., ::-1].cumsum(axis=-1)[..., ::-1], zero], axis=-1)
    i, j = np.minimum.outer(np.arange(size), np.arange(size)), np.maximum.outer(*2 * [np.arange(size)])
    reward = (left[..., i] - (j - i) + right[..., j]) / (size - 1)
    found = ratio((sums.confusion * reward).sum(axis=(-2, -1)), sums.n)
    return np.where(there[..., 0], found, np.nan)


def kappa_linear(sums: ClassSums) -> FloatArray:
    """Weighted kappa, linear: agreement beyond chance, a miss by two classes costing twice one by one.

    1 - sum of |i - j| p_ij / sum of |i - j| p_i p_j. From -1 to 1, perfect 1, 0 for constant and random
    forecasts. Chance keeps both margins, so over- and underforecasting is hardly punished; for two classes it
    is `hss`.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Score, shape (...); NaN where forecasts and observations were all of one class.

    Source: Cohen (1968), Psychol. Bull. 70, 213.
    """
    return _kappa(sums, 1)


def kappa_quadratic(sums: ClassSums) -> FloatArray:
    """Weighted kappa, quadratic: agreement beyond chance, a miss by two classes costing four by one.

    As `kappa_linear` with (i - j)^2. A miss by two classes decides it where there are any.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Score, shape (...); NaN where forecasts and observations were all of one class.

    Source: Fleiss & Cohen (1973), Educ. Psychol. Meas. 33, 613.
    """
    return _kappa(sums, 2)


def class_recall(sums: ClassSums) -> FloatArray:
    """Recall by class: share of the windows of a class that were forecast to be of it.

    From 0 to 1, perfect 1. Always forecasting the class reaches 1; a stronger class forecast is a miss.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Score, shape (..., class); NaN where the class did not occur.

    Source: Murphy & Winkler (1987), Mon. Wea. Rev. 115, 1330 (likelihood of the forecast given the class).
    """
    return ratio(np.diagonal(sums.confusion, axis1=-2, axis2=-1), sums.observed)


def class_precision(sums: ClassSums) -> FloatArray:
    """Precision by class: share of the windows forecast to be of a class that were of it.

    From 0 to 1, perfect 1. Says nothing of what was missed; a stronger class observed counts as a failure.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Score, shape (..., class); NaN where the class was not forecast.

    Source: Murphy & Winkler (1987), Mon. Wea. Rev. 115, 1330 (calibration of the class given the forecast).
    """
    return ratio(np.diagonal(sums.confusion, axis1=-2, axis2=-1), sums.forecast)


def _kappa(sums: ClassSums, power: int) -> FloatArray:
    rank = np.arange(sums.confusion.shape[-1])
    cost = np.abs(rank[:, None] - rank).astype(np.float64) ** power
    found = (sums.confusion * cost).sum(axis=(-2, -1))
    chance = (sums.forecast[..., :, None] * sums.observed[..., None, :] * cost).sum(axis=(-2, -1))
    return 1 - ratio(found * sums.n, chance)

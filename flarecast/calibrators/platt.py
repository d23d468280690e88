"""Platt scaling: a straight line through the logit."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast.calibrators.identity import FloatArray, check_min_events, too_few
from flarecast.calibrators.log_odds import log_odds
from flarecast.errors import FlarecastError

MIN_SLOPE = 1e-3
"""Smallest slope: forecasts that rank backwards are flattened to near a constant, never turned round."""


def fit(
    probability: FloatArray, occurred: NDArray[np.bool_], *, ridge: float = 1.0, min_events: int = 20
) -> dict[str, Any]:
    """Fit logit p' = slope x logit p + intercept by maximum likelihood, held towards the identity.

    Minimises the summed log loss plus ridge / 2 x ((slope - 1)^2 + intercept^2) under slope >= 0.001. The
    penalty makes the answer finite and unique for any data, separable or constant forecasts included. Ridge
    1 weighs as much as four outcomes forecast at 0.5, about one event, so it matters only where there are
    few.

    Args:
        probability: Forecasts of one event, shape (n,).
        occurred: Whether it came, shape (n,).
        ridge: Strength of the pull, above 0.
        min_events: With fewer events, or fewer non-events, the identity is kept.

    Returns:
        `slope`, `intercept` and `reason`, the text why nothing was fitted or None.

    Raises:
        FlarecastError: An option out of range.
    Source: Platt (1999), in Advances in Large Margin Classifiers, 61.
    """
    check_ridge(ridge)
    check_min_events(min_events)
    reason = too_few(occurred, min_events)
    if reason is not None:
        return {"slope": 1.0, "intercept": 0.0, "reason": reason}
    slope, intercept = _line(log_odds(probability), occurred, ridge)
    return {"slope": slope, "intercept": intercept, "reason": None}


def apply(probability: FloatArray, numbers: Mapping[str, Any]) -> FloatArray:
    """Probabilities along a fitted line; slope 1 and intercept 0 change nothing, not even 0 and 1."""
    from scipy.special import expit

    slope, intercept = float(numbers["slope"]), float(numbers["intercept"])
    if slope == 1.0 and intercept == 0.0:
        return probability.copy()
    mended: FloatArray = expit(slope * log_odds(probability) + intercept)
    return mended


def check_ridge(ridge: float) -> None:
    """Raise unless the strength of the pull towards the identity is a positive number."""
    if not (math.isfinite(ridge) and ridge > 0):
        raise FlarecastError(f"calibrate.options: ridge: expected a number above 0, got {ridge}")


def _line(logit: FloatArray, occurred: NDArray[np.bool_], ridge: float) -> tuple[float, float]:
    """Slope and intercept of the penalised fit.

    The loss is convex, so if the free optimum has too small a slope, the best allowed one lies on the border.
    """
    slope, intercept = _minimum(logit, np.zeros(logit.size), occurred, ridge)
    if slope >= MIN_SLOPE:
        return slope, intercept
    _, intercept = _minimum(np.zeros(logit.size), MIN_SLOPE * logit, occurred, ridge)
    return MIN_SLOPE, intercept


def _minimum(
    logit: FloatArray, offset: FloatArray, occurred: NDArray[np.bool_], ridge: float
) -> tuple[float, float]:
    """Free minimum of the penalised loss of offset + slope x logit + intercept, by Newton's method."""
    from scipy.optimize import minimize
    from scipy.special import expit

    sign = np.where(occurred, 1.0, -1.0)
    pull = ridge / logit.size
    identity = np.array([1.0, 0.0])

    # Sums over elements, not matrix products: these would depend on the number of threads in the last bits.
    def loss(line: FloatArray) -> tuple[float, FloatArray]:
        margin = sign * (line[0] * logit + line[1] + offset)
        error, away = -sign * expit(-margin), line - identity
        gradient = np.array([(error * logit).mean(), error.mean()]) + pull * away
        return float(np.logaddexp(0.0, -margin).mean() + pull / 2 * (away**2).sum()), gradient

    def curvature(line: FloatArray) -> FloatArray:
        rate = expit(line[0] * logit + line[1] + offset)
        information = rate * (1 - rate)
        cross = (information * logit).mean()
        diagonal = (information * logit**2).mean() + pull, information.mean() + pull
        return np.array([[diagonal[0], cross], [cross, diagonal[1]]])

    found = minimize(loss, identity, jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-10})
    return float(found.x[0]), float(found.x[1])

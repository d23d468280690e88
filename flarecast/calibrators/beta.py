"""Beta calibration: a curve through the logit that may bend differently near 0 and near 1."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast.calibrators.identity import FloatArray, check_min_events, too_few
from flarecast.calibrators.log_odds import inside
from flarecast.calibrators.platt import MIN_SLOPE, check_ridge

IDENTITY = (1.0, 1.0, 0.0)
"""Numbers that change nothing: both slopes and the intercept."""


def fit(
    probability: FloatArray, occurred: NDArray[np.bool_], *, ridge: float = 1.0, min_events: int = 20
) -> dict[str, Any]:
    """Fit logit p' = low x log p - high x log(1 - p) + intercept, held towards the identity.

    Minimises the summed log loss plus ridge / 2 x ((low - 1)^2 + (high - 1)^2 + intercept^2) with both slopes
    at least 0.001, so that the curve rises. With equal slopes it is Platt scaling; for rare events, whose
    probabilities are all small, the slope `high` is known only from the few large ones.

    Args:
        probability: Forecasts of one event, shape (n,).
        occurred: Whether it came, shape (n,).
        ridge: Strength of the pull, above 0.
        min_events: With fewer events, or fewer non-events, the identity is kept.

    Returns:
        `low`, `high`, `intercept` and `reason`, the text why nothing was fitted or None.

    Raises:
        FlarecastError: An option out of range.
    Source: Kull, Silva Filho & Flach (2017), AISTATS 20, PMLR 54, 623.
    """
    check_ridge(ridge)
    check_min_events(min_events)
    reason = too_few(occurred, min_events)
    found = IDENTITY if reason is not None else _curve(probability, occurred, ridge)
    return dict(zip(("low", "high", "intercept"), found, strict=True)) | {"reason": reason}


def apply(probability: FloatArray, numbers: Mapping[str, Any]) -> FloatArray:
    """Probabilities along a fitted curve; the identity changes nothing, not even 0 and 1."""
    from scipy.special import expit

    low, high, intercept = (float(numbers[name]) for name in ("low", "high", "intercept"))
    if (low, high, intercept) == IDENTITY:
        return probability.copy()
    kept = inside(probability)
    mended: FloatArray = expit(low * np.log(kept) - high * np.log1p(-kept) + intercept)
    return mended


def _curve(probability: FloatArray, occurred: NDArray[np.bool_], ridge: float) -> tuple[float, float, float]:
    """Both slopes and the intercept of the penalised fit, a convex problem in a box."""
    from scipy.optimize import minimize
    from scipy.special import expit

    kept = inside(probability)
    parts = (np.log(kept), -np.log1p(-kept), np.ones(kept.size))
    sign = np.where(occurred, 1.0, -1.0)
    pull, identity = ridge / kept.size, np.array(IDENTITY)

    def loss(curve: FloatArray) -> tuple[float, FloatArray]:
        margin = sign * sum(weight * part for weight, part in zip(curve, parts, strict=True))
        error, away = -sign * expit(-margin), curve - identity
        gradient = np.array([(error * part).mean() for part in parts]) + pull * away
        return float(np.logaddexp(0.0, -margin).mean() + pull / 2 * (away**2).sum()), gradient

    bounds = [(MIN_SLOPE, None), (MIN_SLOPE, None), (None, None)]
    settings = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 1000}
    found = minimize(loss, identity, jac=True, bounds=bounds, method="L-BFGS-B", options=settings)
    low, high, intercept = map(float, found.x)
    return low, high, intercept

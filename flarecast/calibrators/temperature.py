"""Temperature scaling: the logit divided by one number."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast.calibrators.identity import FloatArray, check_min_events, too_few
from flarecast.calibrators.log_odds import log_odds
from flarecast.calibrators.platt import MIN_SLOPE, check_ridge


def fit(
    probability: FloatArray, occurred: NDArray[np.bool_], *, ridge: float = 1.0, min_events: int = 20
) -> dict[str, Any]:
    """Fit logit p' = logit p / temperature by maximum likelihood, held towards 1.

    Minimises the summed log loss plus ridge / 2 x (1 / temperature - 1)^2 over 1 / temperature >= 0.001. It
    mends over- and underconfidence around 0.5 and cannot mend a bias of all forecasts: for rare events
    `platt` has the intercept that it lacks.

    Args:
        probability: Forecasts of one event, shape (n,).
        occurred: Whether it came, shape (n,).
        ridge: Strength of the pull, above 0.
        min_events: With fewer events, or fewer non-events, the identity is kept.

    Returns:
        `temperature` and `reason`, the text why nothing was fitted or None.

    Raises:
        FlarecastError: An option out of range.
    Source: Guo et al. (2017), ICML 34, PMLR 70, 1321.
    """
    check_ridge(ridge)
    check_min_events(min_events)
    reason = too_few(occurred, min_events)
    if reason is not None:
        return {"temperature": 1.0, "reason": reason}
    return {"temperature": 1 / _slope(log_odds(probability), occurred, ridge), "reason": None}


def apply(probability: FloatArray, numbers: Mapping[str, Any]) -> FloatArray:
    """Probabilities at a temperature; 1 changes nothing, not even 0 and 1."""
    from scipy.special import expit

    temperature = float(numbers["temperature"])
    if temperature == 1.0:
        return probability.copy()
    mended: FloatArray = expit(log_odds(probability) / temperature)
    return mended


def _slope(logit: FloatArray, occurred: NDArray[np.bool_], ridge: float) -> float:
    """1 / temperature of the penalised fit: where the derivative, which rises, passes 0."""
    from scipy.optimize import brentq
    from scipy.special import expit

    def derivative(slope: float) -> float:
        return float(((expit(slope * logit) - occurred) * logit).sum() + ridge * (slope - 1))

    if derivative(MIN_SLOPE) >= 0:
        return MIN_SLOPE
    highest = 2.0
    while derivative(highest) < 0:  # the ridge grows without bound, the rest does not
        highest *= 2
    return float(brentq(derivative, MIN_SLOPE, highest, xtol=1e-12, rtol=1e-12))

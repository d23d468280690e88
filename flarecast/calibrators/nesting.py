"""Keep nested events nested: by the running minimum, or by the chance of each event given the one below."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

NESTINGS: dict[str, bool] = {"minimum": False, "conditional": True}
"""Way: whether a curve is of the chance of an event given the one below, or of the event itself."""


def nest(probability: FloatArray) -> FloatArray:
    """Running minimum along the events, so that a stronger event is never likelier; NaN stays NaN.

    Args:
        probability: Shape (window, event), events ascending.

    Returns:
        Shape (window, event).
    """
    nested: FloatArray = np.fmin.accumulate(probability, axis=1)
    return np.where(np.isnan(probability), np.nan, nested)


def conditional_share(probability: FloatArray, event: int) -> FloatArray:
    """Probability of an event given the one below it, shape (window,); NaN where either is missing.

    Args:
        probability: Shape (window, event), events ascending.
        event: Column, not the first.
    """
    weaker, stronger = probability[:, event - 1], probability[:, event]
    share = np.divide(stronger, weaker, out=np.zeros_like(weaker), where=weaker > 0)
    return np.where(np.isnan(weaker) | np.isnan(stronger), np.nan, np.clip(share, 0, 1))

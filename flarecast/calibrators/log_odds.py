"""Log odds that stay finite."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SMALLEST = 1e-9
"""Probabilities are kept this far from 0 and 1, so that their logits are finite (+-20.7)."""


def inside(probability: FloatArray) -> FloatArray:
    """Probabilities kept off 0 and 1; NaN stays NaN."""
    clipped: FloatArray = np.clip(probability, SMALLEST, 1 - SMALLEST)
    return clipped


def log_odds(probability: FloatArray) -> FloatArray:
    """Log odds, finite; NaN stays NaN."""
    kept = inside(probability)
    odds: FloatArray = np.log(kept) - np.log1p(-kept)
    return odds


def mean_log_loss(probability: FloatArray, occurred: NDArray[np.bool_]) -> float:
    """Mean of -log of the probability given to what came, probabilities kept off 0 and 1."""
    kept = inside(probability)
    return float(-np.where(occurred, np.log(kept), np.log1p(-kept)).mean())

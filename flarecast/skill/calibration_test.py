"""Are forecasts calibrated? A test that knows that windows of one region are near copies."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flarecast.skill.probability import CLIP
from flarecast.skill.sums import BoolArray, FloatArray, add, blocks_of, check_pair


def calibration_p_value(probability: NDArray[np.float64], occurred: BoolArray, cluster: ArrayLike) -> float:
    """How often calibrated forecasts would look at least as wrong as these, from 0 to 1.

    A score test that logit P(o) = a + b logit(p) has a = 0 and b = 1: the sums of o - p, and of o - p times
    logit(p), measured by their scatter between clusters, by Hotelling's F. It sees a bias and a wrong
    steepness, no wiggles; forecasts of the base rate pass. Below 0.05 calibration is refused.

    Args:
        probability: Forecasts in [0, 1], shape (window,).
        occurred: Outcomes, shape (window,).
        cluster: What is independent of each other: regions or rotations, shape (window,).

    Returns:
        p value; NaN with fewer than four clusters, or where both sums scatter as one.

    Raises:
        FlarecastError: The two are swapped, of different shapes, or a probability is outside [0, 1].

    Source: Cox (1958), Biometrika 45, 562; scatter between clusters, Liang & Zeger (1986), Biometrika 73, 13.
    """
    from scipy.stats import f

    check_pair(probability, occurred)
    blocks = blocks_of(cluster)
    if blocks.n < 4:
        return float("nan")
    clipped = np.clip(probability, CLIP, 1 - CLIP)
    error, logit = occurred - probability, np.log(clipped) - np.log1p(-clipped)
    sums: FloatArray = np.stack([add(error, blocks), add(error * logit, blocks)], axis=1)
    scatter = np.cov(sums, rowvar=False) * blocks.n
    if np.linalg.matrix_rank(scatter, hermitian=True) < 2:
        return float("nan")
    total = sums.sum(axis=0)
    statistic = float(total @ np.linalg.solve(scatter, total))
    return float(f.sf(statistic * (blocks.n - 2) / (2 * (blocks.n - 1)), 2, blocks.n - 2))

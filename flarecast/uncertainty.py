"""How sure the members of an ensemble are: entropy in two parts, and a credible range.

Source: Depeweg et al. (2018), arXiv 1710.07283, section 2, for the two parts of the entropy.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

CREDIBLE = 0.9
"""Share of the members between the ends of the range."""


def mean_probability(member: NDArray[np.floating]) -> FloatArray:
    """Mean over the members, which nests as they do.

    Args:
        member: Probability of each event by each member, shape (window, event, realization).

    Returns:
        Shape (window, event).
    """
    return np.asarray(member.mean(axis=2, dtype=np.float64))


def entropy_parts(member: NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:
    """Entropy of the mean forecast of an event, split into an aleatoric and an epistemic part.

    The aleatoric part is the members' mean entropy: what each of them says cannot be known. The epistemic
    part is the rest, the mutual information of outcome and member: what more data could tell. Both are from
    0 to 1 bit, and so is their sum. Members that are alike know no doubt: 0 epistemic proves nothing.

    Args:
        member: Probability of each event by each member, shape (window, event, realization); NaN stays NaN.

    Returns:
        Aleatoric and epistemic part [bit], each of shape (window, event).
    """
    aleatoric = np.asarray(_entropy(member.astype(np.float64)).mean(axis=2))
    whole = _entropy(mean_probability(member))
    return aleatoric, np.maximum(whole - aleatoric, 0.0)  # below 0 by rounding alone: entropy is concave


def credible_range(member: NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:
    """Range that holds 90 % of the members, widened to their mean where that lies outside.

    Quantiles of few members are rough: of five, the ends are near the lowest and the highest.

    Args:
        member: Probability of each event by each member, shape (window, event, realization); NaN stays NaN.

    Returns:
        Lower and upper end, nested as the members are, each of shape (window, event).
    """
    mean = mean_probability(member)
    ends = np.quantile(member.astype(np.float64), [(1 - CREDIBLE) / 2, (1 + CREDIBLE) / 2], axis=2)
    return np.minimum(ends[0], mean), np.maximum(ends[1], mean)


def _entropy(probability: FloatArray) -> FloatArray:
    """Entropy of an event and its absence [bit]; 0 at 0 and 1."""
    from scipy.special import xlogy

    entropy: FloatArray = xlogy(probability, probability) + xlogy(1 - probability, 1 - probability)
    entropy /= -np.log(2)
    return entropy

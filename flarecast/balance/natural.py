"""No remedy."""

import numpy as np

from flarecast.balance.balanced import Balanced, IntArray, equal_weights


def none(
    low: IntArray,
    high: IntArray,  # noqa: ARG001 -- all remedies share one signature
    n_classes: int,  # noqa: ARG001
    positive_class: int,  # noqa: ARG001
    rng: np.random.Generator,  # noqa: ARG001
) -> Balanced:
    """Every train window once, with weight 1."""
    return equal_weights(np.arange(low.size))

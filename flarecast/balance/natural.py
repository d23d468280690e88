"""No remedy."""

import numpy as np

from flarecast.balance.balanced import Balanced, balanced
from flarecast.balance.train_windows import TrainWindows


def none(train: TrainWindows, rng: np.random.Generator) -> Balanced:  # noqa: ARG001 -- shared signature
    """Every train window once, with weight 1."""
    return balanced(train, np.arange(len(train)), analytic=True)

"""Logits moved by the prior while training."""

from dataclasses import replace

import numpy as np

from flarecast.balance.balanced import Balanced, balanced, require_positive
from flarecast.balance.train_windows import TrainWindows


def logit_adjustment(
    train: TrainWindows,
    rng: np.random.Generator,  # noqa: ARG001 -- all remedies share one signature
    *,
    strength: float = 1.0,
) -> Balanced:
    """Every train window once; the loss adds strength x log(natural prior) to the logits.

    What the network learns without the offset are then logits under the prior natural^(1 - strength): equal
    classes for strength 1. Keeps probabilities honest under that prior; it is stated, so `calibrate` gives
    back the natural one exactly. For models fitted by gradient.

    Args:
        train: The train windows.
        rng: Not used.
        strength: Above 0; 1 makes the classes equal.

    Raises:
        FlarecastError: A strength out of range, or a class is absent.
    Source: Menon et al. (2021), ICLR, equation 10.
    """
    require_positive("strength", strength)
    train.require_all_classes("logit_adjustment")
    plain = balanced(train, np.arange(len(train)), analytic=True)
    tilted = plain.shares ** (1 - strength)
    tilted = tilted / tilted.sum()
    return replace(plain, prior=tilted, shares=tilted, logit_offset=strength * np.log(plain.shares))

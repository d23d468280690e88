"""The shape of a model, and what several models share."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

LEAST_PRIOR = 1e-6
"""Prior given to a class that the training windows do not hold."""


@dataclass(frozen=True)
class Shape:
    """Sizes that a model is built for; `n_classes` is the number of nested events plus one."""

    n_features: int
    n_steps: int
    n_classes: int

    def n_inputs(self, mask: bool) -> int:
        """Numbers that a network sees at a step: the values, and with a mask as many 1 or 0 behind them."""
        return self.n_features * (2 if mask else 1)


def log_prior(prior: Tensor) -> Tensor:
    """Log of class priors, shape (class,), none below the least prior."""
    return prior.clamp_min(LEAST_PRIOR).log()


def absent_logit() -> float:
    """Logit of a class that was never seen, beside logits that average 0 over the others."""
    return math.log(LEAST_PRIOR)


def no_prior(n_classes: int) -> Tensor:
    """Logits before any fit: all classes alike, shape (class,), float64."""
    return torch.zeros(n_classes, dtype=torch.float64)

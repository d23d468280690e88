"""Training losses of models with nested events: entries of `LOSSES`, called like `cross_entropy`."""

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def negative_log_likelihood(logits: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Minus the log of the probability that a window's compatible classes have together.

    From 0 (certain and right) upwards. Where the class is known this is the usual cross entropy; where an
    outcome is unknown, the mass of all classes it leaves open counts, and nothing is made up.

    Args:
        logits: Of the K + 1 exclusive classes, shape (window, class).
        low: Lowest class that the outcome allows, shape (window,).
        high: Highest class that the outcome allows, shape (window,).

    Returns:
        Shape (window,) [nat].
    """
    log_probability = torch.log_softmax(logits, dim=1)
    classes = torch.arange(logits.shape[1], device=logits.device)
    open_to = (classes >= low[:, None]) & (classes <= high[:, None])
    return -torch.logsumexp(log_probability.masked_fill(~open_to, -torch.inf), dim=1)


def cross_entropy(logits: Tensor, low: Tensor, high: Tensor, weight: Tensor) -> Tensor:
    """Interval cross entropy: mean over windows of weight x `negative_log_likelihood`.

    Weights have mean 1 over the whole training sample, and the mean is over windows, not over weights:
    dividing by the weights of a batch would count a rare event less in the very batches that hold it.

    Args:
        logits: Of the K + 1 exclusive classes, shape (window, class).
        low: Lowest class that the outcome allows, shape (window,).
        high: Highest class that the outcome allows, shape (window,).
        weight: Of each window, shape (window,).

    Returns:
        Scalar [nat].
    """
    return (weight * negative_log_likelihood(logits, low, high)).mean()


def with_offset(loss: Loss, offset: Tensor) -> Loss:
    """A loss that adds an offset, shape (class,), to the logits first."""
    return lambda logits, low, high, weight: loss(logits + offset, low, high, weight)


LOSSES: dict[str, Loss] = {"cross_entropy": cross_entropy}
"""Name in `train.loss`: the function."""

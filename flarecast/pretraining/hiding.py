"""Parts of windows hidden from an encoder."""

import torch
from torch import Tensor


def draw_hidden(steps: Tensor, n_features: int, share: float) -> Tensor:
    """Which values are hidden: of a share of the features of each window one span of steps.

    A span has any length from one step to the whole window: hidden single steps of a slow series would be
    read off their neighbours.

    Args:
        steps: Inputs, shape (b, step, input).
        n_features: Number of features, the first of the inputs.
        share: Of the features that are hidden in part, from 0 to 1.

    Returns:
        Shape (b, step, feature), bool.
    """
    n, n_steps, _ = steps.shape
    chosen, length, place = torch.rand(3, n, 1, n_features, device=steps.device).unbind(0)
    size = 1 + (length * n_steps).floor().clamp_max(n_steps - 1)
    first = (place * (n_steps - size + 1)).floor()
    step = torch.arange(n_steps, device=steps.device)[None, :, None]
    return (chosen < share) & (step >= first) & (step < first + size)


def hide(steps: Tensor, hidden: Tensor, masked: bool) -> Tensor:
    """Inputs with some values at the training mean, 0, and where there is a mask not observed."""
    n_features = hidden.shape[2]
    shown = steps[:, :, :n_features].masked_fill(hidden, 0.0)
    if not masked:
        return shown
    return torch.cat([shown, steps[:, :, n_features:].masked_fill(hidden, 0.0)], dim=2)

"""Contrastive: two disturbed views of a window are to be alike, and unlike those of other regions.

Windows of one region are near copies, so they count neither as alike nor as unlike.
"""

from collections.abc import Callable
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from flarecast.pretraining import Sizes
from flarecast.pretraining.hiding import draw_hidden, hide


class ContrastiveTask(nn.Module):
    """A projection of the hidden state, in which views are compared by their cosine."""

    def __init__(self, sizes: Sizes, numbers: tuple[float, float, float], size: int) -> None:
        super().__init__()
        self.sizes = sizes
        self.share, self.noise, self.temperature = numbers
        self.project = nn.Sequential(
            nn.Linear(sizes.n_hidden, sizes.n_hidden), nn.ReLU(), nn.Linear(sizes.n_hidden, size)
        )

    def forward(self, encode: Callable[[Tensor], Tensor], steps: Tensor, group: Tensor) -> Tensor:
        """Mean negative log probability of the other view among it and the views of other regions."""
        one, two = (nn.functional.normalize(self.project(encode(self._view(steps))), dim=1) for _ in range(2))
        alike = one @ two.T / self.temperature
        itself = torch.eye(len(steps), dtype=torch.bool, device=steps.device)
        same_region = (group[:, None] == group[None, :]) & ~itself
        alike = alike.masked_fill(same_region, -torch.inf)
        number = torch.arange(len(steps), device=steps.device)
        cross_entropy = nn.functional.cross_entropy
        return (cross_entropy(alike, number) + cross_entropy(alike.T, number)) / 2

    def _view(self, steps: Tensor) -> Tensor:
        """Windows with noise on the values and spans hidden."""
        n_features = self.sizes.n_features
        noise = torch.zeros_like(steps)
        noise[:, :, :n_features] = self.noise * torch.randn_like(steps[:, :, :n_features])
        return hide(steps + noise, draw_hidden(steps, n_features, self.share), self.sizes.masked)


def build(
    sizes: Sizes,
    *,
    share: Annotated[float, Field(ge=0, le=1)] = 0.3,
    noise: Annotated[float, Field(ge=0)] = 0.1,
    temperature: Annotated[float, Field(gt=0)] = 0.2,
    size: Annotated[int, Field(ge=2)] = 32,
) -> nn.Module:
    """Build the task.

    Args:
        sizes: Of encoder and windows.
        share: Of the features of which a span of steps is hidden in a view.
        noise: Standard deviation of the noise on a view's scaled values.
        temperature: The lower, the more the nearest of the other regions count.
        size: Of the projection.

    Source: Chen et al. (2020), arXiv 2002.05709.
    """
    return ContrastiveTask(sizes, (share, noise, temperature), size)

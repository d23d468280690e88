"""Masked autoencoder: guess the hidden spans of a window from what its encoder makes of the rest."""

from collections.abc import Callable
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from flarecast.pretraining import Sizes
from flarecast.pretraining.hiding import draw_hidden, hide


class MaskedTask(nn.Module):
    """A decoder of the whole window from the hidden state; scored where values were observed and hidden."""

    def __init__(self, sizes: Sizes, share: float) -> None:
        super().__init__()
        self.sizes = sizes
        self.share = share
        wide = 2 * sizes.n_hidden
        self.decode = nn.Sequential(
            nn.Linear(sizes.n_hidden, wide), nn.GELU(), nn.Linear(wide, sizes.n_steps * sizes.n_features)
        )

    def forward(self, encode: Callable[[Tensor], Tensor], steps: Tensor, group: Tensor) -> Tensor:  # noqa: ARG002
        """Mean Huber loss of what was hidden [standard deviations of training]."""
        n_features, masked = self.sizes.n_features, self.sizes.masked
        hidden = draw_hidden(steps, n_features, self.share)
        guess = self.decode(encode(hide(steps, hidden, masked))).view(len(steps), -1, n_features)
        counted = hidden & (steps[:, :, n_features:] > 0) if masked else hidden
        wrong = nn.functional.smooth_l1_loss(guess, steps[:, :, :n_features], reduction="none")
        return (wrong * counted).sum() / counted.sum().clamp_min(1)


def build(sizes: Sizes, *, share: Annotated[float, Field(gt=0, le=1)] = 0.5) -> nn.Module:
    """Build the task.

    Args:
        sizes: Of encoder and windows.
        share: Of the features of which a span of steps is hidden.

    Source: He et al. (2022), arXiv 2111.06377; on time series Zerveas et al. (2021), arXiv 2010.02803.
    """
    return MaskedTask(sizes, share)

"""Residual one-dimensional convolutional network over the steps of a window."""

from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from flarecast.models.cnn import Block, Positive
from flarecast.models.drop_branch import DropBranch
from flarecast.models.head import HEADS, HeadName
from flarecast.models.shape import Shape


class ResidualBlock(nn.Module):
    """Two causal convolutions beside a shortcut: (b, channel, step) -> (b, channel, step)."""

    def __init__(self, n_in: int, n_out: int, kernel: int, drop: DropBranch) -> None:
        super().__init__()
        self.first = Block(n_in, n_out, kernel)
        self.second = nn.Sequential(
            nn.ConstantPad1d((kernel - 1, 0), 0.0),
            nn.Conv1d(n_out, n_out, kernel, bias=False),
            nn.BatchNorm1d(n_out),
        )
        self.shortcut = shortcut(n_in, n_out)
        self.drop = drop

    def forward(self, signal: Tensor) -> Tensor:
        """Signal after the block."""
        return torch.relu(self.shortcut(signal) + self.drop(self.second(self.first(signal))))


def shortcut(n_in: int, n_out: int) -> nn.Module:
    """What a residual branch is added to: the signal itself, mixed into other channels where they differ."""
    if n_in == n_out:
        return nn.Identity()
    return nn.Sequential(nn.Conv1d(n_in, n_out, 1, bias=False), nn.BatchNorm1d(n_out))


class ResNet(nn.Module):
    """Residual blocks; a head on the mean over all steps and the last step."""

    def __init__(
        self, shape: Shape, sizes: tuple[int, ...], kernel: int, drops: tuple[float, float], head: HeadName
    ) -> None:
        super().__init__()
        dropout, depth = drops
        self.blocks = nn.Sequential(
            *(
                ResidualBlock(n_in, n_out, kernel, DropBranch(depth, nth, len(sizes) - 1))
                for nth, (n_in, n_out) in enumerate(pairwise(sizes), start=1)
            )
        )
        self.dropout = nn.Dropout(dropout)
        self.head = HEADS[head](2 * sizes[-1], shape)

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:  # noqa: ARG002  (same for all models)
        """Logits, shape (b, class)."""
        signal = self.blocks(steps.transpose(1, 2))
        return self.head(self.dropout(torch.cat([signal.mean(dim=2), signal[:, :, -1]], dim=1)))


def build(  # noqa: PLR0913  (a model takes its options as arguments)
    shape: Shape,
    *,
    channels: Annotated[tuple[Positive, ...], Field(min_length=1)] = (64, 64, 64),
    kernel: Positive = 5,
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1,
    stochastic_depth: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    head: HeadName = "classes",
    mask: bool = True,
) -> nn.Module:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        channels: Channels of each residual block of two convolutions.
        kernel: Steps that a convolution sees, the last being its own.
        dropout: Share of pooled values dropped before the head.
        stochastic_depth: Share of windows for which the last block's branch is left out in training.
        head: Entry of `HEADS`.
        mask: Whether a 1 or 0 beside every value says if it was observed.

    Source: He et al. (2016), arXiv 1512.03385; on time series Wang, Yan & Oates (2017), arXiv 1611.06455.
    """
    sizes = (shape.n_inputs(mask), *channels)
    return ResNet(shape, sizes, kernel, (dropout, stochastic_depth), head)

"""One-dimensional convolutional network over the steps of a window."""

from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from flarecast.models.head import HEADS, HeadName
from flarecast.models.shape import Shape

Positive = Annotated[int, Field(ge=1)]


class Block(nn.Module):
    """Causal convolution, batch norm, rectifier: (b, channel, step) -> (b, channel, step)."""

    def __init__(self, n_in: int, n_out: int, kernel: int) -> None:
        super().__init__()
        self.pad = nn.ConstantPad1d((kernel - 1, 0), 0.0)
        self.convolution = nn.Conv1d(n_in, n_out, kernel, bias=False)
        self.norm = nn.BatchNorm1d(n_out)

    def forward(self, signal: Tensor) -> Tensor:
        """Signal after the block."""
        return torch.relu(self.norm(self.convolution(self.pad(signal))))


class CNN(nn.Module):
    """Blocks of convolutions; a head on the mean over all steps and the last step."""

    def __init__(
        self, shape: Shape, sizes: tuple[int, ...], kernel: int, dropout: float, head: HeadName
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(Block(n_in, n_out, kernel) for n_in, n_out in pairwise(sizes)))
        self.dropout = nn.Dropout(dropout)
        self.head = HEADS[head](2 * sizes[-1], shape)

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:  # noqa: ARG002  (same for all models)
        """Logits, shape (b, class)."""
        signal = self.blocks(steps.transpose(1, 2))
        return self.head(self.dropout(torch.cat([signal.mean(dim=2), signal[:, :, -1]], dim=1)))


def build(
    shape: Shape,
    *,
    channels: Annotated[tuple[Positive, ...], Field(min_length=1)] = (32, 64, 64),
    kernel: Positive = 5,
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1,
    head: HeadName = "classes",
    mask: bool = False,
) -> nn.Module:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        channels: Channels of each block.
        kernel: Steps that a convolution sees, the last being its own.
        dropout: Share of pooled values dropped before the head.
        head: Entry of `HEADS`.
        mask: Whether a 1 or 0 beside every value says if it was observed.
    """
    return CNN(shape, (shape.n_inputs(mask), *channels), kernel, dropout, head)

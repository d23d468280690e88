"""InceptionTime: convolutions of several lengths side by side, with shortcuts over every three."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from flarecast.models.cnn import Positive
from flarecast.models.drop_branch import DropBranch
from flarecast.models.head import HEADS, HeadName
from flarecast.models.resnet import shortcut
from flarecast.models.shape import Shape

MODULES_PER_SHORTCUT = 3


class Inception(nn.Module):
    """Convolutions of several lengths and a running maximum: (b, channel, step) -> (b, channel, step).

    All but the maximum see a bottleneck of as many channels as each gives; the result has `filters` channels
    for each kernel and as many for the maximum.
    """

    def __init__(self, n_in: int, filters: int, kernels: tuple[int, ...]) -> None:
        super().__init__()
        self.bottleneck = nn.Conv1d(n_in, filters, 1, bias=False)
        self.convolutions = nn.ModuleList(
            nn.Sequential(
                nn.ConstantPad1d(((kernel - 1) // 2, kernel // 2), 0.0),
                nn.Conv1d(filters, filters, kernel, bias=False),
            )
            for kernel in kernels
        )
        self.of_maximum = nn.Conv1d(n_in, filters, 1, bias=False)
        self.norm = nn.BatchNorm1d(filters * (len(kernels) + 1))

    def forward(self, signal: Tensor) -> Tensor:
        """Signal after the module."""
        narrow = self.bottleneck(signal)
        parts = [convolution(narrow) for convolution in self.convolutions]
        # Largest of three steps, by shifts: pooling has no deterministic gradient on CUDA.
        padded = nn.functional.pad(signal, (1, 1), value=-torch.inf)
        largest = torch.maximum(torch.maximum(padded[:, :, :-2], signal), padded[:, :, 2:])
        return torch.relu(self.norm(torch.cat([*parts, self.of_maximum(largest)], dim=1)))


class InceptionBlock(nn.Module):
    """Some inception modules beside a shortcut: (b, channel, step) -> (b, channel, step)."""

    def __init__(self, n_in: int, filters: int, kernels: tuple[int, ...], depth: int, drop: DropBranch):
        super().__init__()
        n_out = filters * (len(kernels) + 1)
        sizes = [n_in] + [n_out] * (depth - 1)
        self.modules_in_turn = nn.Sequential(*(Inception(size, filters, kernels) for size in sizes))
        self.shortcut = shortcut(n_in, n_out)
        self.drop = drop

    def forward(self, signal: Tensor) -> Tensor:
        """Signal after the block."""
        return torch.relu(self.shortcut(signal) + self.drop(self.modules_in_turn(signal)))


class InceptionTime(nn.Module):
    """Blocks of inception modules; a head on the mean over all steps and the last step."""

    def __init__(self, shape: Shape, blocks: list[InceptionBlock], size: int, dropout: float, head: HeadName):
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.head = HEADS[head](2 * size, shape)

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:  # noqa: ARG002  (same for all models)
        """Logits, shape (b, class)."""
        signal = self.blocks(steps.transpose(1, 2))
        return self.head(self.dropout(torch.cat([signal.mean(dim=2), signal[:, :, -1]], dim=1)))


def build(  # noqa: PLR0913  (a model takes its options as arguments)
    shape: Shape,
    *,
    filters: Positive = 32,
    kernels: Annotated[tuple[Positive, ...], Field(min_length=1)] = (39, 19, 9),
    depth: Positive = 6,
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1,
    stochastic_depth: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    head: HeadName = "classes",
    mask: bool = True,
) -> nn.Module:
    """Build the model: one network of the five that the paper averages.

    Args:
        shape: Sizes of input and output.
        filters: Channels of each convolution, and of the bottleneck before them.
        kernels: Steps that the convolutions of a module see, to both sides.
        depth: Modules; every three have a shortcut.
        dropout: Share of pooled values dropped before the head.
        stochastic_depth: Share of windows for which the last block's branch is left out in training.
        head: Entry of `HEADS`.
        mask: Whether a 1 or 0 beside every value says if it was observed.

    Source: Ismail Fawaz et al. (2020), Data Min. Knowl. Disc. 34, 1936.
    """
    size = filters * (len(kernels) + 1)
    depths = [min(MODULES_PER_SHORTCUT, depth - done) for done in range(0, depth, MODULES_PER_SHORTCUT)]
    blocks = []
    for nth, of_block in enumerate(depths, start=1):
        n_in = shape.n_inputs(mask) if nth == 1 else size
        drop = DropBranch(stochastic_depth, nth, len(depths))
        blocks.append(InceptionBlock(n_in, filters, kernels, of_block, drop))
    return InceptionTime(shape, blocks, size, dropout, head)

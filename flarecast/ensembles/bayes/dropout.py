"""Thinned networks: what dropout leaves out at random while training, left out for good.

One draw for all windows and batches: in the view of Gal & Ghahramani a mask is a draw of the weights, so the
thinned network is one function, and what it says of a window depends on no other.

Source: Gal & Ghahramani (2016), arXiv 1506.02142; for recurrent layers (2016), arXiv 1512.05287.
"""

import copy

import torch
from torch import Tensor, nn

from flarecast.models.drop_branch import DropBranch


class FixedMask(nn.Module):
    """Values times a mask that is drawn once, at the first batch: the same for all windows."""

    seed: Tensor

    def __init__(self, share: float, seed: int) -> None:
        super().__init__()
        self.share = share
        self.register_buffer("seed", torch.tensor(seed))  # what tells two members apart
        self.mask: Tensor | None = None

    def forward(self, values: Tensor) -> Tensor:
        """Values of shape (b, ...), those that are left scaled so that their mean stays."""
        if self.mask is None or self.mask.shape != values.shape[1:]:
            self.mask = draw_mask(values.shape[1:], self.share, int(self.seed)).to(values)
        return values * self.mask


class FixedBranch(nn.Module):
    """A residual branch that is left out, or there, for all windows."""

    factor: Tensor

    def __init__(self, share: float, seed: int) -> None:
        super().__init__()
        self.register_buffer("factor", draw_mask(torch.Size([1]), share, seed))

    def forward(self, branch: Tensor) -> Tensor:
        """The branch, shape (b, ...), scaled so that its mean over members stays, or 0."""
        return branch * self.factor


def draw_mask(shape: torch.Size, share: float, seed: int) -> Tensor:
    """0 with a probability of `share`, else 1 / (1 - share), on the CPU whatever the device of the values."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator) >= share).float() / (1 - share)


def has_dropout(module: nn.Module) -> bool:
    """Whether anything in a network is left out at random in training."""
    return any(_share(part) > 0 for part in module.modules())


def thinned(module: nn.Module, seed: int) -> nn.Module:
    """A copy of a network with masks in place of dropout, between recurrent layers, too.

    Args:
        module: A trained network; it stays as it is.
        seed: Of the masks; each place where something is left out draws from (seed, place).
    """
    copied = copy.deepcopy(module).eval()
    parts = [(name, part) for name, part in copied.named_modules() if _share(part) > 0]
    for nth, (name, part) in enumerate(parts):
        own = seed + nth
        if isinstance(part, nn.RNNBase):
            _thin_recurrent(part, own)
            continue
        fixed = FixedBranch if isinstance(part, DropBranch) else FixedMask
        copied.set_submodule(name, fixed(_share(part), own))
    return copied


def _share(part: nn.Module) -> float:
    """What share a part leaves out in training, 0 where none."""
    if isinstance(part, nn.Dropout):
        return float(part.p)
    if isinstance(part, nn.RNNBase):
        return float(part.dropout) if part.num_layers > 1 else 0.0
    return float(part.share) if isinstance(part, DropBranch) else 0.0


@torch.no_grad()
def _thin_recurrent(part: nn.RNNBase, seed: int) -> None:
    """Mask what goes from one recurrent layer to the next, the same at each step, in the weights it meets."""
    for layer in range(1, part.num_layers):
        weight = getattr(part, f"weight_ih_l{layer}")
        mask = draw_mask(torch.Size([weight.shape[1]]), float(part.dropout), seed + 7919 * layer)
        weight.mul_(mask.to(weight))

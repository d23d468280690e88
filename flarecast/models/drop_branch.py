"""Stochastic depth: residual branches left out at random while training."""

import torch
from torch import Tensor, nn


class DropBranch(nn.Module):
    """Leaves a residual branch out for some windows of a batch; the others' is scaled to the same mean.

    Deeper branches are left out more often: of n branches the i-th, from 1, at share x i / n.

    Source: Huang et al. (2016), arXiv 1603.09382, with the linear rule of its section 3.
    """

    def __init__(self, share: float, nth: int, n_branches: int) -> None:
        super().__init__()
        self.share = share * nth / n_branches

    def forward(self, branch: Tensor) -> Tensor:
        """The branch, shape (b, ...), or 0 for some of b; always the branch itself outside of training."""
        if not self.training or self.share == 0:
            return branch
        kept = torch.rand(len(branch), *[1] * (branch.ndim - 1), device=branch.device) >= self.share
        return branch * kept / (1 - self.share)

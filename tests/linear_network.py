"""A network of one layer, and a batch for it, for tests."""

import torch
from torch import nn

from flarecast.batches import Batch


class Linear(nn.Module):
    """A head on the last step, that remembers what it was shown."""

    def __init__(self, n_inputs=4):
        super().__init__()
        self.head = nn.Linear(n_inputs, 2)

    def forward(self, steps, last_class):
        self.shown = steps
        return self.head(steps[:, -1])


def batch(n=16, n_inputs=4):
    generator = torch.Generator().manual_seed(0)
    steps = torch.randn(n, 3, n_inputs, generator=generator)
    classes = (steps[:, -1, 0] > 0).long()
    return Batch(steps, torch.full((n,), -1), classes, classes, torch.ones(n))

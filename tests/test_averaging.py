import copy

import pytest
import torch
from torch import nn

from flarecast.averaging import AVERAGINGS, refresh_batch_norm


class Normed(nn.Module):
    """Batch norm on the last step, then a weight."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(2)
        self.head = nn.Linear(2, 1)

    def forward(self, steps, last_class):
        return self.head(self.norm(steps[:, -1]))


def inputs(n, size, seed=0):
    steps = 3 + 2 * torch.randn(n, 4, 2, generator=torch.Generator().manual_seed(seed))
    return steps, [(part, torch.zeros(len(part))) for part in steps.split(size)]


def test_swa_is_the_mean_of_the_weights_given_to_it():
    module = Normed()
    averaged = AVERAGINGS["swa"](module)
    seen = []
    for _ in range(3):
        with torch.no_grad():
            module.head.weight.normal_()
        averaged.update_parameters(module)
        seen.append(module.head.weight.detach().clone())
    torch.testing.assert_close(averaged.module.head.weight.detach(), torch.stack(seen).mean(dim=0))
    assert AVERAGINGS["none"](module) is None


def test_refreshed_batch_norm_holds_the_statistics_of_the_windows_it_was_shown():
    module = Normed().eval()
    steps, batches = inputs(512, 64)
    refresh_batch_norm(module, batches)
    torch.testing.assert_close(module.norm.running_mean, steps[:, -1].mean(dim=0))
    within = torch.stack([part[:, -1].var(dim=0) for part, _ in batches]).mean(dim=0)
    torch.testing.assert_close(module.norm.running_var, within)
    assert module.norm.momentum == 0.1
    assert not module.training


def test_an_average_of_weights_needs_the_refresh():
    """Statistics left from other weights scale what the averaged weights give by the wrong factor."""
    module = Deep()
    _, batches = inputs(512, 16)
    averaged = AVERAGINGS["swa"](module)
    for sign in (1.0, 3.0):
        with torch.no_grad():
            module.first.weight.fill_(sign)
        for steps, last_class in batches:
            module(steps, last_class)
        averaged.update_parameters(module)
    stale = copy.deepcopy(averaged).eval()
    refresh_batch_norm(averaged, batches)
    averaged.eval()
    steps = torch.cat([steps for steps, _ in batches])
    normed = [m.module.norm(m.module.first(steps[:, -1])) for m in (averaged, stale)]
    assert normed[0].std().item() == pytest.approx(1, abs=0.05)
    assert abs(normed[1].std().item() - 1) > 0.2


class Deep(Normed):
    """A weight before the batch norm, too."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 2, bias=False)

    def forward(self, steps, last_class):
        return self.head(self.norm(self.first(steps[:, -1])))


def test_without_batch_norm_no_window_is_drawn():
    drawn = []

    def batches():
        drawn.append(True)
        yield torch.zeros(1, 2), torch.zeros(1)

    refresh_batch_norm(nn.Linear(2, 2), batches())
    assert not drawn

"""Averages of weights as arithmetic, apart from any training."""

import copy
import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn

from flarecast.averaging import AVERAGINGS, refresh_batch_norm
from flarecast.averaging.gaussian import draw, fill, flat, load_moments, save_moments
from flarecast.averaging.pace import Pace
from flarecast.errors import FlarecastError


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


def average(name, n, **options):
    """An average of the first n of a series of random weights, and these, shape (n, weight)."""
    generator = torch.Generator().manual_seed(3)
    module = Normed()
    averaged = AVERAGINGS[name](**options).start(module)
    seen = torch.randn(100, len(flat(module)), generator=generator)[:n]
    for weights in seen:
        fill(module, weights)
        averaged.update_parameters(module)
    return averaged, seen


@pytest.mark.parametrize("name", ["swa", "swag"])
def test_the_average_of_two_known_weights_is_their_mean(name):
    averaged, seen = average(name, 2)
    torch.testing.assert_close(flat(averaged.module), (seen[0] + seen[1]) / 2)
    averaged, seen = average(name, 7)
    torch.testing.assert_close(flat(averaged.module), seen.mean(dim=0))
    assert int(averaged.n_averaged) == 7


def test_without_averaging_there_is_none():
    assert AVERAGINGS["none"]() is None


def test_a_moving_average_forgets_by_its_decay():
    averaged, seen = average("ema", 4, decay=0.8, warm_up=False)
    expected = seen[0]
    for weights in seen[1:]:
        expected = 0.8 * expected + 0.2 * weights
    torch.testing.assert_close(flat(averaged.module), expected)


def test_a_moving_average_that_warms_up_forgets_the_first_weights_sooner():
    averaged, seen = average("ema", 40, decay=0.6)
    expected = seen[0]
    for n, weights in enumerate(seen[1:], start=1):
        decay = min(0.6, (1 + n) / (10 + n))  # below 0.6 up to n = 12
        expected = decay * expected + (1 - decay) * weights
    torch.testing.assert_close(flat(averaged.module), expected)


def times(pace, epochs, steps):
    """Epochs done at each collection."""
    found = []
    for epoch in range(epochs):
        for nth in range(steps):
            if pace.is_due(epoch + nth / steps, epoch + (nth + 1) / steps):
                found.append(epoch + (nth + 1) / steps)
    return found


def test_weights_are_collected_at_the_end_of_each_epoch_or_cycle_or_more_often():
    assert times(Pace(), 3, 7) == [1, 2, 3]
    assert times(Pace(anneal=2), 4, 7) == [3, 4]
    assert times(Pace(cycle=2), 5, 7) == [2, 4]
    assert times(Pace(cycle=2, anneal=1), 5, 7) == [3, 5]
    assert times(Pace(per_epoch=4), 2, 8) == [0.25 * k for k in range(1, 9)]
    assert len(times(Pace(per_epoch=3), 5, 7)) == Pace(per_epoch=3).collected(5) == 15
    assert times(Pace(anneal=2), 2, 7) == []
    for often in range(1, 8):  # whatever the shares are rounded to
        assert len(times(Pace(per_epoch=often, anneal=3), 9, often)) == 6 * often


def test_cycles_collect_at_their_ends_only():
    with pytest.raises(
        FlarecastError, match=r"per_epoch 1 with cycles.*got per_epoch 2 and cycle 3; leave one"
    ):
        AVERAGINGS["swa"](cycle=3, per_epoch=2)


@pytest.mark.parametrize(("n", "rank"), [(2, 5), (5, 5), (9, 4)])
def test_the_moments_are_those_of_the_collected_weights(n, rank):
    averaged, seen = average("swag", n, rank=rank)
    moments, weights = averaged.moments(), seen.double()
    torch.testing.assert_close(moments.mean, weights.mean(dim=0))
    torch.testing.assert_close(moments.variance, weights.var(dim=0, correction=0))
    running = [weights[i] - weights[: i + 1].mean(dim=0) for i in range(n)][-rank:]
    order = sorted(range(len(running)), key=lambda i: (n - len(running) + i) % rank)
    expected = torch.stack([running[i] for i in order]).float()
    torch.testing.assert_close(moments.deviations, expected)


def test_the_variance_of_weights_far_from_0_that_hardly_move_is_not_lost():
    module = Normed()
    averaged = AVERAGINGS["swag"]().start(module)
    for shift in (-1e-4, 1e-4):
        fill(module, torch.full_like(flat(module), 100.0) + shift)
        averaged.update_parameters(module)
    moved = flat(module).double()[0] - 100
    assert averaged.moments().variance.sqrt().numpy() == pytest.approx(float(moved.abs()), rel=0.02)


def test_weights_are_drawn_with_half_the_diagonal_and_half_the_low_rank_covariance():
    averaged, _ = average("swag", 6, rank=4)
    moments = averaged.moments()
    drawn = torch.stack(list(draw(moments, 40_000, 1.0, torch.Generator().manual_seed(0))))
    d = moments.deviations.double()
    expected = (torch.diag(moments.variance) + d.T @ d / (len(d) - 1)) / 2
    error = np.abs(np.cov(drawn.T.numpy()) - expected.numpy())
    assert error.max() < 0.04 * expected.diagonal().max()
    assert expected.abs().max() > 0.3
    torch.testing.assert_close(drawn.mean(dim=0), moments.mean, atol=0.02, rtol=0)
    wide = torch.stack(list(draw(moments, 40_000, 4.0, torch.Generator().manual_seed(0))))
    torch.testing.assert_close(wide - moments.mean, 2 * (drawn - moments.mean))


def test_drawn_weights_are_those_of_the_generator():
    moments = average("swag", 3)[0].moments()
    one, same, other = (
        list(draw(moments, 2, 1.0, torch.Generator().manual_seed(seed)))[1] for seed in (5, 5, 6)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_moments_come_back_from_their_file_which_names_the_weights(tmp_path):
    averaged, _ = average("swag", 3)
    moments, path = averaged.moments(), tmp_path / "swag.safetensors"
    save_moments(moments, averaged.module, path)
    read = load_moments(path)
    for name in ("mean", "variance", "deviations"):
        assert torch.equal(getattr(read, name), getattr(moments, name))
    with safe_open(path, "pt") as file:
        order = json.loads(file.metadata()["weights"])
    assert order == [["norm.weight", [2]], ["norm.bias", [2]], ["head.weight", [1, 2]], ["head.bias", [1]]]


@pytest.mark.parametrize("name", ["swa", "ema", "swag"])
def test_an_average_goes_on_from_its_state(name):
    whole, seen = average(name, 5)
    part, _ = average(name, 3)
    module = Normed()
    resumed = AVERAGINGS[name]().start(module)
    resumed.load_state_dict(part.state_dict())
    for weights in seen[3:]:
        fill(module, weights)
        resumed.update_parameters(module)
    assert all(torch.equal(a, b) for a, b in zip(resumed.buffers(), whole.buffers(), strict=True))
    assert torch.equal(flat(resumed.module), flat(whole.module))


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
    averaged = AVERAGINGS["swa"]().start(module)
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

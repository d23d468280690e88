"""Doubt of whole networks on toys: what dropout, several trainings and SWAG do, and what dropout cannot."""

import copy
from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from flarecast.averaging.gaussian import GaussianAverage, draw, fill
from flarecast.batches import cpu_threads
from flarecast.ensembles.bayes.dropout import thinned
from flarecast.uncertainty import credible_range, entropy_parts

WEIGHT = np.array([1.0, -0.5])
ALONG = np.array([[0.5, 1.0]]) / np.hypot(0.5, 1.0)
"""Direction along which the outcome stays open."""


@pytest.fixture(autouse=True)
def _one_thread():
    with cpu_threads(1):
        yield


def sigmoid(logit):
    return 1 / (1 + np.exp(-logit))


def toy(n, seed=0):
    """Inputs and outcomes of a logistic regression."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n, 2))
    return inputs, rng.random(n) < sigmoid(inputs @ WEIGHT)


def trained(inputs, occurred, share, seed, steps=250):
    """A network of two layers with dropout, fitted to all windows."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = nn.Sequential(
            nn.Linear(2, 24), nn.ReLU(), nn.Dropout(share), nn.Linear(24, 24), nn.ReLU(), nn.Dropout(share),
            nn.Linear(24, 2),
        )  # fmt: skip
        descend(module, inputs, occurred, torch.optim.AdamW(module.parameters(), lr=0.01), steps)
    return module.eval()


def descend(module, inputs, occurred, optimizer, steps, each=lambda step: None):
    seen, classes = torch.from_numpy(inputs).float(), torch.from_numpy(occurred.astype(np.int64))
    for step in range(1, steps + 1):
        place = torch.randint(len(seen), (min(200, len(seen)),))
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(seen[place]), classes[place]).backward()
        optimizer.step()
        each(step)


@torch.no_grad()
def said(modules, where):
    inputs = torch.from_numpy(where).float()
    return np.stack([torch.softmax(one(inputs).double(), 1)[:, 1:].numpy() for one in modules], axis=2)


def mc_dropout(inputs, occurred, where):
    module = trained(inputs, occurred, 0.3, 0)
    return said([thinned(module, 1000 * nth) for nth in range(100)], where)


def deep(inputs, occurred, where):
    return said([trained(inputs, occurred, 0.0, seed) for seed in range(5)], where)


def swag(inputs, occurred, where):
    module = trained(inputs, occurred, 0.0, 0)
    average = GaussianAverage(module, 20)
    collect = lambda step: average.update_parameters(module) if step % 10 == 0 else None  # noqa: E731
    with torch.random.fork_rng():
        torch.manual_seed(1)
        optimizer = torch.optim.SGD(module.parameters(), lr=0.02, momentum=0.9)
        descend(module, inputs, occurred, optimizer, 300, collect)
    drawn = []
    for weights in draw(average.moments(), 30, 1.0, torch.Generator().manual_seed(0)):
        drawn.append(copy.deepcopy(module))
        fill(drawn[-1], weights)
    return said(drawn, where)


KINDS = {"mc_dropout": mc_dropout, "deep": deep, "swag": swag}


@pytest.fixture(scope="module")
def parts():
    """Aleatoric and epistemic parts of a kind from few or many windows, by place."""
    rng = np.random.default_rng(9)
    seen, line = rng.normal(size=(200, 2)), rng.normal(size=(200, 1)) * ALONG
    far = 6.0 * np.sign(rng.normal(size=(200, 1))) * ALONG
    done = {}

    def measure(kind, n):
        if (kind, n) not in done:
            found = entropy_parts(KINDS[kind](*toy(n), np.concatenate([seen, line, far])))
            places = {"seen": slice(200), "line": slice(200, 400), "far": slice(400, None)}
            done[kind, n] = {
                name: (found[0][place].mean(), found[1][place].mean()) for name, place in places.items()
            }
        return done[kind, n]

    return measure


@pytest.mark.parametrize("kind", KINDS)
def test_epistemic_doubt_of_networks_falls_with_more_data_and_aleatoric_doubt_does_not(kind, parts):
    few, many = parts(kind, 40), parts(kind, 4000)
    assert many["seen"][1] < 0.4 * few["seen"][1]
    assert many["seen"][0] >= few["seen"][0]


@pytest.mark.parametrize("kind", KINDS)
def test_epistemic_doubt_of_networks_rises_out_of_distribution_and_aleatoric_doubt_does_not(kind, parts):
    many = parts(kind, 4000)
    assert many["far"][1] > 3 * many["line"][1]
    assert many["far"][0] <= many["line"][0]


def of_masks(weight, bias, inputs, share):
    """Probability by every mask of a linear layer, shape (input, mask), and how likely each mask is."""
    kept = np.array(list(product([0, 1], repeat=weight.size)))
    likely = np.prod(np.where(kept, 1 - share, share), axis=1)
    return sigmoid(inputs @ (weight * kept / (1 - share)).T + bias), likely


class Layer(nn.Module):
    """Dropout and a logistic regression on its inputs, of known weights."""

    def __init__(self, weight, bias, share):
        super().__init__()
        self.dropout, self.head = nn.Dropout(share), nn.Linear(weight.size, 2)
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(np.stack([0 * weight, weight])))
            self.head.bias.copy_(torch.tensor([0.0, bias]))

    def forward(self, inputs):
        return self.head(self.dropout(inputs))


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_thinned_networks_are_draws_from_the_distribution_that_dropout_stands_for(share):
    """Of a linear layer of 6 weights all 64 masks can be told, so range and entropies are known."""
    rng = np.random.default_rng(0)
    weight, inputs = rng.normal(size=6), rng.normal(size=(20, 6))
    module = Layer(weight, -0.5, share)
    got = said([thinned(module, 77 * nth) for nth in range(3000)], inputs)
    known, likely = of_masks(weight, -0.5, inputs, share)
    aleatoric, epistemic = (part[:, 0] for part in entropy_parts(got))
    whole = entropy_parts((known @ likely)[:, None, None])[0][:, 0]
    expected = np.stack([entropy_parts(known[:, nth, None, None])[0][:, 0] for nth in range(64)], axis=1)
    np.testing.assert_allclose(aleatoric, expected @ likely, atol=0.02)
    np.testing.assert_allclose(epistemic, whole - expected @ likely, atol=0.02)
    low, high = (end[:, 0] for end in credible_range(got))
    inside = ((low[:, None] - 1e-6 <= known) & (known <= high[:, None] + 1e-6)) @ likely
    assert (inside > 0.88).all()


def test_the_doubt_of_a_linear_layer_with_dropout_never_falls():
    """Its spread is of the share and the weights: more data leave it, while the posterior's goes as 1 / n."""
    found = {}
    for n in (200, 20_000):
        inputs, occurred = toy(n)
        module = Layer(np.zeros(2), 0.0, 0.2)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            descend(module, inputs, occurred, torch.optim.Adam(module.parameters(), lr=0.02), 400)
        got = said([thinned(module.eval(), 31 * nth) for nth in range(300)], inputs[:200])
        found[n] = entropy_parts(got)[1].mean()
    assert 0.6 < found[20_000] / found[200] < 1.6
    assert found[20_000] > 0.01


def collected(n, rate, batch, dimensions=40):
    """Moments that SWAG collects where the mean of n numbers of unit spread is learnt at a constant rate.

    Each number of a weight is a dimension of its own; weights are collected once an epoch.
    """
    generator = torch.Generator().manual_seed(0)
    seen = torch.randn(n, dimensions, generator=generator)
    seen = (seen - seen.mean(dim=0)) / seen.std(dim=0, correction=0)
    module = nn.Linear(dimensions, 1, bias=False)
    nn.init.zeros_(module.weight)
    average = GaussianAverage(module, 20)
    for step in range(1, 150 * (n // batch) + 1):
        place = torch.randint(n, (batch,), generator=generator)
        with torch.no_grad():
            module.weight += rate * (seen[place].mean(dim=0) - module.weight)
        if step % (n // batch) == 0:
            average.update_parameters(module)
    return average.moments()


def test_swag_draws_from_the_posterior_where_the_rate_is_that_of_the_data():
    """Of a mean under a flat prior, N(mean, 1 / n): SGD at 2 batch / (n + batch) moves about just as much."""
    for n in (50, 200):
        drawn = torch.stack(
            list(draw(collected(n, 20 / (n + 10), 10), 4000, 1.0, torch.Generator().manual_seed(1)))
        )
        spread = drawn.std(dim=0).mean().item()
        assert spread == pytest.approx(n**-0.5, rel=0.1)
        truth = n**-0.5 * np.random.default_rng(2).normal(size=(400, 40))
        low, high = np.quantile(drawn.numpy(), [0.05, 0.95], axis=0)
        assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.9, abs=0.04)


def test_the_spread_of_swag_is_that_of_its_rate_and_not_of_the_data():
    spread = [collected(n, 0.1, 10).variance.sqrt().mean().item() for n in (100, 400)]
    assert spread[1] == pytest.approx(spread[0], rel=0.2)
    assert spread[1] > 1.2 * 400**-0.5

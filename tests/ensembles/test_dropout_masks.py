"""Masks of dropout that thin a network into members."""

import pytest
import torch
from torch import nn

from flarecast.batches import cpu_threads
from flarecast.ensembles.bayes.dropout import draw_mask, has_dropout, thinned
from flarecast.models import load_builder
from flarecast.models.shape import Shape


@pytest.fixture(autouse=True)
def _one_thread():
    """Products as small as these are slower with more."""
    with cpu_threads(1):
        yield


def test_a_mask_leaves_out_its_share_and_keeps_the_mean():
    mask = draw_mask(torch.Size([20_000]), 0.3, 1)
    assert (mask == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert mask.mean().item() == pytest.approx(1.0, abs=0.03)
    assert torch.equal(mask, draw_mask(torch.Size([20_000]), 0.3, 1))
    assert not torch.equal(mask, draw_mask(torch.Size([20_000]), 0.3, 2))


def test_two_places_of_dropout_have_masks_of_their_own():
    module = nn.Sequential(nn.Dropout(0.5), nn.Identity(), nn.Dropout(0.5))
    said = thinned(module, 3)(torch.ones(2, 400))
    assert torch.equal(said[0], said[1])
    assert (said[0] == 0).float().mean().item() == pytest.approx(0.75, abs=0.08)
    assert set(said[0].tolist()) == {0.0, 4.0}


THINNED = {
    "lstm": {"hidden": 8, "layers": 2},
    "gru": {"hidden": 8, "layers": 2},
    "cnn": {"channels": (8, 8)},
    "resnet": {"channels": (8, 8), "stochastic_depth": 0.4},
    "inception_time": {"filters": 4, "depth": 3, "stochastic_depth": 0.4},
    "cnn_lstm": {"channels": (8,), "hidden": 8},
    "transformer": {"size": 16, "heads": 2, "layers": 2, "stochastic_depth": 0.4},
}


@pytest.mark.parametrize("name", THINNED)
def test_thinned_networks_differ_by_seed_alone_and_not_by_batch(name):
    torch.manual_seed(0)
    module = load_builder(name)(Shape(3, 6, 4), dropout=0.4, **THINNED[name]).eval()
    plain = load_builder(name)(
        Shape(3, 6, 4), dropout=0.0, **{k: v for k, v in THINNED[name].items() if k != "stochastic_depth"}
    )
    assert has_dropout(module)
    assert not has_dropout(plain)
    masked = next(iter(module.parameters())).new_ones(32, 6, 6 if name not in ("lstm", "cnn") else 3)
    steps, last = torch.rand_like(masked), torch.full((32,), -1)
    with torch.no_grad():
        whole = module(steps, last)
        first, again, other = (thinned(module, seed) for seed in (5, 5, 6))
        said = first(steps, last)
        torch.testing.assert_close(first(steps[:7], last[:7]), said[:7])
        torch.testing.assert_close(again(steps, last), said)
        assert not torch.allclose(other(steps, last), said)
        assert not torch.allclose(said, whole)
        torch.testing.assert_close(module(steps, last), whole)

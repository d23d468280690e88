"""What pretraining hides and what it compares: spans, views of a window, windows of one region."""

import numpy as np
import torch
from torch import nn

from flarecast.pretraining import Sizes, load_task
from flarecast.pretraining.hiding import draw_hidden, hide

STEPS, FEATURES = 10, 4


def inputs(n, masked=False):
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(n, STEPS, FEATURES, generator=generator)
    seen = (torch.rand(n, STEPS, FEATURES, generator=generator) < 0.8).float()
    return torch.cat([values * seen, seen], dim=2) if masked else values


def task(name, masked=False, **options):
    return load_task(name)(Sizes(6, STEPS, FEATURES, masked=masked), **options)


def test_of_a_share_of_the_features_one_span_is_hidden_of_any_length():
    torch.manual_seed(0)
    hidden = draw_hidden(inputs(4000), FEATURES, 0.3)
    edges = torch.diff(hidden.int(), dim=1, prepend=torch.zeros(4000, 1, FEATURES, dtype=torch.int))
    assert ((edges == 1).sum(dim=1) <= 1).all()  # it begins once
    some = hidden.any(dim=1)
    assert abs(float(some.float().mean()) - 0.3) < 0.02
    length = hidden.sum(dim=1)[some]
    assert set(length.tolist()) == set(range(1, STEPS + 1))
    assert hidden.any(dim=(0, 2)).all()


def test_what_is_hidden_is_at_the_mean_and_not_observed_and_the_rest_is_as_it_was():
    steps = inputs(50, masked=True)
    torch.manual_seed(0)
    hidden = draw_hidden(steps, FEATURES, 0.5)
    shown = hide(steps, hidden, masked=True)
    both = torch.cat([hidden, hidden], dim=2)
    assert (shown[both] == 0).all()
    torch.testing.assert_close(shown[~both], steps[~both], rtol=0, atol=0)


def test_a_view_has_noise_on_the_values_and_spans_hidden():
    steps = inputs(500, masked=True)
    plain = task("contrastive", masked=True, share=0.0, noise=0.0)._view(steps)
    torch.testing.assert_close(plain, steps, rtol=0, atol=0)
    noisy = task("contrastive", masked=True, share=0.0, noise=0.1)._view(steps) - steps
    assert abs(float(noisy[:, :, :FEATURES].std()) - 0.1) < 0.01
    assert (noisy[:, :, FEATURES:] == 0).all()
    hiding = task("contrastive", masked=True, share=1.0, noise=0.0)._view(steps)
    assert (hiding[:, :, FEATURES:] < steps[:, :, FEATURES:]).any(dim=(1, 2)).all()


def test_windows_of_one_region_count_neither_as_alike_nor_as_unlike():
    steps = inputs(8)
    fitted = task("contrastive", temperature=1.0)
    encode = nn.Sequential(nn.Flatten(), nn.Linear(STEPS * FEATURES, 6))
    region = (torch.zeros(8, dtype=torch.int64), torch.arange(8), torch.arange(8) // 2)
    with torch.no_grad():
        alone, apart, pairs = (fitted(encode, steps, one) for one in region)
    assert float(alone) == 0.0  # nothing to tell a window from
    assert float(apart) > float(pairs) > 0
    assert float(apart) < np.log(8) + 1


def test_the_masked_task_is_scored_where_values_were_hidden_and_observed():
    steps = inputs(40, masked=True)
    fitted = task("masked", masked=True, share=1.0)

    def guess(offset):
        """What the decoder says: the truth, and something else where `offset` says so."""
        fitted.decode = nn.Identity()
        return lambda _: (steps[:, :, :FEATURES] + offset).flatten(1)

    seen = steps[:, :, FEATURES:]
    assert float(fitted(guess(0.0), steps, torch.arange(40))) == 0.0
    assert float(fitted(guess(5.0 * (1 - seen)), steps, torch.arange(40))) == 0.0
    torch.manual_seed(1)
    hidden = draw_hidden(steps, FEATURES, 1.0)
    torch.manual_seed(1)
    assert float(fitted(guess(5.0 * ~hidden), steps, torch.arange(40))) == 0.0
    assert float(fitted(guess(2.0), steps, torch.arange(40))) == 1.5  # Huber's loss

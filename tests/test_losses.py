import numpy as np
import pytest
import torch

from flarecast.losses import LOSSES, cross_entropy, negative_log_likelihood

LOGITS = torch.log(torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], dtype=torch.float64))


def test_where_the_class_is_known_it_is_torchs_cross_entropy():
    torch_rng = torch.Generator().manual_seed(0)
    logits = torch.randn(50, 4, generator=torch_rng)
    classes = torch.randint(4, (50,), generator=torch_rng)
    weight = torch.rand(50, generator=torch_rng) + 0.5
    expected = torch.nn.functional.cross_entropy(logits, classes, reduction="none")
    torch.testing.assert_close(cross_entropy(logits, classes, classes, weight), (weight * expected).mean())


def test_where_classes_stay_open_their_mass_counts():
    low, high = torch.tensor([1, 0]), torch.tensor([2, 1])
    got = negative_log_likelihood(LOGITS, low, high)
    np.testing.assert_allclose(got, -np.log([0.2 + 0.1, 0.1 + 0.3]), rtol=1e-12)
    weighted = cross_entropy(LOGITS, low, high, torch.tensor([1.0, 3.0], dtype=torch.float64))
    np.testing.assert_allclose(weighted, -(np.log(0.3) + 3 * np.log(0.4)) / 2, rtol=1e-12)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
def test_a_window_that_may_be_anything_costs_nothing_and_teaches_nothing(loss):
    logits = LOGITS.clone().requires_grad_()
    value = loss(logits, torch.tensor([0, 0]), torch.tensor([2, 2]), torch.ones(2))
    value.backward()
    assert abs(value.item()) < 1e-12
    assert logits.grad.abs().max() < 1e-12


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
def test_gradients_stay_finite_for_extreme_logits(loss):
    logits = torch.tensor([[300.0, 0.0, -300.0], [-300.0, 0.0, 300.0]], requires_grad=True)
    value = loss(logits, torch.tensor([2, 0]), torch.tensor([2, 1]), torch.ones(2))
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()


def test_the_gradient_is_that_of_finite_differences():
    weight = torch.tensor([1.0, 2.0], dtype=torch.float64)
    low, high = torch.tensor([1, 0]), torch.tensor([2, 1])
    logits = LOGITS.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda logits: cross_entropy(logits, low, high, weight), logits)

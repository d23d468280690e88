from functools import partial

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


HONEST = {
    "cross_entropy": True,
    "binary_cross_entropy": True,
    "focal": False,
    "label_smoothing": False,
    "hinge": False,
    "brier": True,
    "ordinal": False,
    "score_oriented": False,
}
TRUTH = torch.tensor([[0.6, 0.25, 0.1, 0.05], [0.1, 0.2, 0.3, 0.4]], dtype=torch.float64)
"""Probabilities of the classes for windows of two kinds."""


def expected_loss(loss, logits):
    """Loss over infinitely many windows of both kinds: every class once, with its probability as weight."""
    classes = torch.arange(4).repeat(2)
    return loss(logits.repeat_interleave(4, dim=0), classes, classes, 8 * TRUTH.ravel() / 2)


def one_event(n=200):
    """Log odds, outcomes and weights of one event."""
    generator = torch.Generator().manual_seed(3)
    log_odds = 2 * torch.randn(n, generator=generator, dtype=torch.float64)
    occurred = torch.rand(n, generator=generator, dtype=torch.float64) < torch.sigmoid(log_odds)
    weight = torch.rand(n, generator=generator, dtype=torch.float64) + 0.5
    logits = torch.stack([torch.zeros_like(log_odds), log_odds], dim=1)
    return logits, occurred, weight, (logits, occurred.long(), occurred.long(), weight)


def test_every_loss_says_in_its_docstring_whether_it_keeps_probabilities_honest():
    assert set(HONEST) == set(LOSSES)
    for name, honest in HONEST.items():
        text = " ".join(LOSSES[name].__doc__.split())
        assert ("Keeps probabilities honest" in text) == honest
        assert ("Does not keep probabilities honest" in text) != honest


@pytest.mark.parametrize("name", LOSSES)
def test_an_honest_loss_is_least_at_the_truth_and_another_is_not(name):
    logits = TRUTH.log().requires_grad_()
    at_truth = expected_loss(LOSSES[name], logits)
    at_truth.backward()
    if not HONEST[name]:
        assert logits.grad.abs().max() > 1e-3
        return
    assert logits.grad.abs().max() < 1e-12
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        aside = TRUTH.log() + torch.randn(TRUTH.shape, generator=generator, dtype=torch.float64)
        assert expected_loss(LOSSES[name], aside) > at_truth


@pytest.mark.parametrize("name", ["binary_cross_entropy", "brier"])
def test_weights_of_events_leave_an_honest_loss_honest(name):
    logits = TRUTH.log().requires_grad_()
    expected_loss(partial(LOSSES[name], event_weight=(0.5, 3.0, 20.0)), logits).backward()
    assert logits.grad.abs().max() < 1e-12


@pytest.mark.parametrize(
    ("name", "options"),
    [("focal", {"gamma": 0.0}), ("label_smoothing", {"smoothing": 0.0}), ("ordinal", {"strength": 0.0})],
)
def test_without_its_twist_a_loss_is_binary_cross_entropy(name, options):
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    arguments = logits, torch.tensor([0, 1, 3, 0, 1, 2]), torch.tensor([0, 1, 3, 2, 3, 2]), torch.ones(6)
    got = LOSSES[name](*arguments, **options)
    torch.testing.assert_close(got, LOSSES["binary_cross_entropy"](*arguments))


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "cross_entropy"])
def test_an_event_of_unknown_outcome_is_left_out(name):
    """Class 1 or 2: event 1 occurred, event 3 did not, nobody knows of event 2."""
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    low, high = torch.full((5,), 1), torch.full((5,), 2)
    unknown = LOSSES[name](logits, low, high, torch.ones(5), event_weight=(0.0, 1.0, 0.0))
    (gradient,) = torch.autograd.grad(unknown, logits)
    assert unknown.item() == 0
    assert gradient.abs().max() == 0
    known = LOSSES[name](logits, low, high, torch.ones(5), event_weight=(1.0, 0.0, 1.0))
    assert known.item() > 0


def test_binary_cross_entropy_is_torchs_and_that_of_the_classes():
    logits, occurred, weight, arguments = one_event()
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        logits[:, 1], occurred.double(), weight=weight
    )
    torch.testing.assert_close(LOSSES["binary_cross_entropy"](*arguments), expected)
    torch.testing.assert_close(cross_entropy(*arguments), expected)


def test_label_smoothing_is_torchs():
    logits, occurred, _, (_, low, high, _) = one_event()
    expected = torch.nn.functional.cross_entropy(logits, occurred.long(), label_smoothing=0.1)
    got = LOSSES["label_smoothing"](logits, low, high, torch.ones(200), smoothing=0.1)
    torch.testing.assert_close(got, expected)


def test_hinge_and_brier_are_scikit_learns():
    from sklearn.metrics import brier_score_loss, hinge_loss

    logits, occurred, _, (_, low, high, _) = one_event()
    log_odds, ones = logits[:, 1].numpy(), torch.ones(200)
    got = LOSSES["hinge"](logits, low, high, ones)
    np.testing.assert_allclose(got, hinge_loss(occurred.numpy(), log_odds), rtol=1e-12)
    got = LOSSES["brier"](logits, low, high, ones)
    np.testing.assert_allclose(got, brier_score_loss(occurred, 1 / (1 + np.exp(-log_odds))), rtol=1e-12)


def test_focal_counts_a_window_by_what_its_forecast_lacked():
    logits, occurred, weight, arguments = one_event()
    right = torch.sigmoid(torch.where(occurred, 1, -1) * logits[:, 1])
    expected = (weight * (1 - right) ** 3 * -right.log()).mean()
    torch.testing.assert_close(LOSSES["focal"](*arguments, gamma=3.0), expected)


@pytest.mark.parametrize("threshold", ["uniform", "cosine"])
def test_the_score_oriented_loss_is_the_score_averaged_over_random_thresholds_of_the_counts(threshold):
    logits, occurred, weight, arguments = one_event()
    probability = torch.sigmoid(logits[:, 1])
    place = np.linspace(-1, 1, 20_001)
    density = np.ones_like(place) if threshold == "uniform" else 1 + np.cos(np.pi * place)
    density /= density.sum()
    above = torch.from_numpy(0.4 + 0.3 * place)[:, None] <= probability
    share = (torch.from_numpy(density)[:, None] * above).sum(dim=0)
    hits, false_alarms = (weight * share * occurred).sum(), (weight * share * ~occurred).sum()
    n_yes, n_no = (weight * occurred).sum(), (weight * ~occurred).sum()
    scores = {"tss": hits / n_yes - false_alarms / n_no, "csi": hits / (n_yes + false_alarms)}
    for score, expected in scores.items():
        got = LOSSES["score_oriented"](*arguments, score=score, threshold=threshold, centre=0.4, width=0.3)
        np.testing.assert_allclose(1 - got, expected, atol=2e-4)


def test_the_score_oriented_loss_rewards_forecasts_surer_than_the_truth():
    for score in ("tss", "csi"):
        loss = partial(LOSSES["score_oriented"], score=score)
        sure = torch.tensor([[9.0, 0, 0, 0], [0, 0, 0, 9.0]], dtype=torch.float64)
        assert expected_loss(loss, sure) < expected_loss(loss, TRUTH.log()) - 0.2


def test_the_ordinal_loss_counts_classes_far_from_the_border_less():
    logits = torch.zeros(1, 4, dtype=torch.float64)
    one = torch.ones(1, dtype=torch.float64)
    costs = -torch.tensor([0.75, 0.5, 0.25], dtype=torch.float64).log()
    for k, expected in ((0, None), (3, costs / torch.tensor([3.0, 2.0, 1.0]))):
        classes = torch.tensor([k])
        for j in range(3):
            weights = tuple(float(i == j) for i in range(3))
            got = LOSSES["ordinal"](logits, classes, classes, one, event_weight=weights)
            wanted = expected[j] if expected is not None else -np.log((j + 1) / 4) / (j + 1)
            np.testing.assert_allclose(got, wanted, rtol=1e-12)

"""What holds for every network, with either head."""

import inspect

import numpy as np
import pytest
import torch

from flarecast.batches import cpu_threads, gather_inputs, gather_steps, to_device
from flarecast.config import check_options
from flarecast.errors import FlarecastError
from flarecast.losses import cross_entropy
from flarecast.model_file import load
from flarecast.models import MODELS, load_builder, takes_mask
from flarecast.models.drop_branch import DropBranch
from flarecast.models.head import HEADS, TRAINED_HEADS
from flarecast.models.shape import Shape
from flarecast.train import train

SMALL = {
    "lstm": {"hidden": 16, "layers": 1},
    "gru": {"hidden": 16, "layers": 1},
    "cnn": {"channels": (16, 16), "kernel": 3},
    "resnet": {"channels": (16, 16), "kernel": 3},
    "inception_time": {"filters": 6, "kernels": (5, 3), "depth": 4},
    "cnn_lstm": {"channels": (16,), "kernel": 3, "hidden": 16},
    "transformer": {"size": 24, "heads": 2, "layers": 2},
}
N, N_STEPS, N_FEATURES, N_CLASSES = 64, 8, 3, 4


def build(name, **options):
    torch.manual_seed(0)
    return load_builder(name)(Shape(N_FEATURES, N_STEPS, N_CLASSES), **{**SMALL[name], **options})


def noise_windows():
    """Windows of noise with a mask, and classes that nothing but memory can tell."""
    generator = torch.Generator().manual_seed(1)
    values = torch.randn(N, N_STEPS, N_FEATURES, generator=generator)
    mask = (torch.rand(N, N_STEPS, N_FEATURES, generator=generator) > 0.2).float()
    return torch.cat([values * mask, mask], dim=2), torch.randint(N_CLASSES, (N,), generator=generator)


def fitted(module, steps, classes, n=150):
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(n):
        optimizer.zero_grad()
        value = cross_entropy(module(steps, torch.zeros(N)), classes, classes, torch.ones(N))
        value.backward()
        optimizer.step()
    return value.item()


def test_every_network_has_its_small_options_here():
    networks = {name for name in MODELS if "head" in inspect.signature(load_builder(name)).parameters}
    assert networks == set(SMALL)


@pytest.mark.parametrize("head", TRAINED_HEADS)
@pytest.mark.parametrize("name", SMALL)
def test_every_network_learns_64_windows_by_heart_and_the_same_ones_twice(name, head):
    steps, classes = noise_windows()
    losses = []
    for _ in range(2):
        with cpu_threads(1):
            losses.append(fitted(build(name, head=head, dropout=0.0, mask=True), steps, classes))
    assert losses[0] == losses[1] < 0.1


@pytest.mark.parametrize("name", SMALL)
def test_every_network_honours_the_mask(name):
    module = build(name, mask=True).eval()
    steps, _ = noise_windows()
    steps[:, 3, N_FEATURES:] = 1.0
    silent = steps.clone()
    silent[:, 3, N_FEATURES:] = 0.0
    last = torch.zeros(N)
    with torch.no_grad():
        difference = (module(steps, last) - module(silent, last)).abs()
    assert difference.max(dim=1).values.min() > 0


@pytest.mark.parametrize("head", TRAINED_HEADS)
@pytest.mark.parametrize("name", SMALL)
def test_windows_without_a_single_value_get_a_finite_forecast_and_finite_gradients(name, head):
    module = build(name, mask=True, head=head)
    nothing = torch.zeros(4, N_STEPS, 2 * N_FEATURES)
    logits = module(nothing, torch.full((4,), -1))
    assert logits.shape == (4, N_CLASSES)
    logits.square().sum().backward()
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    assert all(torch.isfinite(g).all() for g in gradients)
    assert torch.isfinite(module.eval()(nothing, torch.full((4,), -1))).all()


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("n_steps", [1, 2])
def test_every_network_works_on_windows_of_one_or_two_steps(name, n_steps):
    module = load_builder(name)(Shape(2, n_steps, 3), mask=True).eval()
    logits = module(torch.randn(4, n_steps, 4), torch.full((4,), -1))
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", SMALL)
def test_every_network_starts_at_the_priors_with_either_head(name):
    prior = torch.tensor([0.8, 0.15, 0.05, 0.0], dtype=torch.float64)
    for head in TRAINED_HEADS:
        module = build(name, head=head, mask=True).eval()
        module.head.start_at(prior)
        with torch.no_grad():
            module.head.weight.zero_()
        probability = torch.softmax(module(noise_windows()[0], torch.zeros(N)), dim=1)[0]
        torch.testing.assert_close(probability.detach(), prior.float(), atol=1e-5, rtol=1e-5)


def test_the_nested_head_multiplies_what_each_event_has_given_the_one_below():
    head = HEADS["nested"](5, Shape(1, 1, 4))
    hidden = torch.randn(10, 5)
    given = torch.sigmoid(torch.nn.functional.linear(hidden, head.weight, head.bias))
    classes = torch.exp(head(hidden))
    torch.testing.assert_close(classes.sum(dim=1), torch.ones(10))
    torch.testing.assert_close(classes[:, 1:].sum(dim=1), given[:, 0])
    torch.testing.assert_close(classes[:, 2:].sum(dim=1), given[:, :2].prod(dim=1))
    torch.testing.assert_close(classes[:, 3], given.prod(dim=1))


def test_windows_below_an_event_teach_the_nested_head_nothing_about_the_next():
    head = HEADS["nested"](5, Shape(1, 1, 4))
    quiet = torch.zeros(10, dtype=torch.int64)
    cross_entropy(head(torch.randn(10, 5)), quiet, quiet, torch.ones(10)).backward()
    assert head.weight.grad[0].abs().min() > 0
    assert head.weight.grad[1:].abs().max() < 1e-7


def test_with_one_event_the_nested_head_is_one_log_odds():
    head = HEADS["nested"](5, Shape(1, 1, 2))
    assert head.weight.shape == (1, 5)
    hidden = torch.randn(10, 5)
    expected = torch.sigmoid(torch.nn.functional.linear(hidden, head.weight, head.bias))
    torch.testing.assert_close(torch.softmax(head(hidden), dim=1)[:, 1:], expected)


@pytest.mark.parametrize("scale", [1e3, -1e3])
def test_the_nested_head_stays_finite_for_extreme_hidden_states(scale):
    head = HEADS["nested"](1, Shape(1, 1, 4))
    hidden = torch.full((2, 1), scale, requires_grad=True)
    classes = torch.tensor([0, 3])
    cross_entropy(head(hidden), classes, classes, torch.ones(2)).backward()
    assert torch.isfinite(hidden.grad).all()


def test_the_mask_says_which_values_were_observed_at_their_own_step():
    nan = np.nan
    values = np.array([[1.0, nan], [nan, 2.0], [3.0, 4.0]], dtype=np.float32)
    rows = np.array([[-1, 0, -1, 1], [1, -1, 2, -1], [-1, -1, -1, -1]])
    tensors = to_device(values, rows, np.full(3, -1), torch.device("cpu"), True)
    index = torch.arange(3)
    inputs = gather_inputs(tensors, index)
    torch.testing.assert_close(inputs[:, :, :2], gather_steps(tensors, index))
    mask = inputs[:, :, 2:].tolist()
    assert mask[0] == [[0, 0], [1, 0], [0, 0], [0, 1]]
    assert mask[1] == [[0, 1], [0, 0], [1, 1], [0, 0]]
    assert mask[2] == [[0, 0]] * 4


@pytest.mark.parametrize("missing", [False, True])
def test_without_a_mask_inputs_are_the_values(missing):
    values = np.array([[1.0], [np.nan if missing else 2.0]], dtype=np.float32)
    tensors = to_device(values, np.array([[0, 1]]), np.array([-1]), torch.device("cpu"))
    index = torch.tensor([0])
    torch.testing.assert_close(gather_inputs(tensors, index), gather_steps(tensors, index))


def test_a_model_is_asked_whether_it_takes_a_mask():
    assert [takes_mask(name, {}) for name in ("logistic", "lstm", "gru")] == [False, False, True]
    assert takes_mask("lstm", {"mask": True})
    assert not takes_mask("transformer", {"mask": False})


@pytest.mark.parametrize("head", TRAINED_HEADS)
def test_a_network_trains_with_mask_and_either_head_and_comes_back(head, windows, split, configure, tmp_path):
    options = {"hidden": 8, "layers": 1, "mask": True, "head": head}
    config = configure("lstm", model={"options": options}, train={"epochs": 3})
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    again = load(tmp_path, "cpu")
    steps = torch.randn(5, 6, 6)
    with torch.no_grad():
        torch.testing.assert_close(
            again.module(steps, torch.zeros(5)), model.module(steps, torch.zeros(5)), atol=0, rtol=0
        )


def test_the_transformer_does_not_look_at_steps_without_any_value():
    module = build("transformer", mask=True).eval()
    steps, _ = noise_windows()
    steps[:, 3, N_FEATURES:] = 0.0
    other = steps.clone()
    other[:, 3, :N_FEATURES] = 100.0
    with torch.no_grad():
        torch.testing.assert_close(module(steps, torch.zeros(N)), module(other, torch.zeros(N)))


def test_the_transformer_knows_when_a_step_was():
    module = build("transformer", mask=True).eval()
    steps, _ = noise_windows()
    with torch.no_grad():
        difference = module(steps, torch.zeros(N)) - module(steps.flip(1), torch.zeros(N))
    assert difference.abs().max() > 1e-4


def test_the_transformer_wants_a_size_that_its_heads_can_share():
    with pytest.raises(FlarecastError, match="size a multiple of heads, got size 10 and heads 4"):
        build("transformer", size=10, heads=4)


def test_a_head_that_is_none_is_refused():
    with pytest.raises(FlarecastError, match=r"model\.options: head"):
        check_options(load_builder("gru"), {"head": "flat"}, "model.options")


def test_branches_are_left_out_in_training_alone_and_keep_their_mean():
    drop = DropBranch(0.5, 2, 4)
    assert drop.share == 0.25
    torch.manual_seed(0)
    branch = torch.ones(4000, 2, 3)
    dropped = drop(branch)
    assert dropped.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (dropped == dropped[:, :1, :1]).all()
    assert dropped.mean().item() == pytest.approx(1, abs=0.03)
    assert drop.eval()(branch) is branch

"""Optimisers, schedules, and what is done to a batch."""

from dataclasses import replace

import pytest
import torch
from linear_network import Linear, batch
from torch import nn, optim

from flarecast.config.sections import Train
from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.losses import LOSSES, WHOLE_BATCH, cross_entropy
from flarecast.optimizers import OPTIMIZERS
from flarecast.train import check_parts, train
from flarecast.train.gradient import Descent, build_optimizer, parts_of, training_step, with_noise


def module_and_optimizer(**settings):
    torch.manual_seed(0)
    module = Linear()
    return module, build_optimizer(module.parameters(), Train(**settings))


@pytest.mark.parametrize(
    ("name", "rate"),
    [("sgd", 0.1), ("adagrad", 0.1), ("adadelta", 1.0), ("rmsprop", 0.01), ("adam", 0.01), ("adamw", 0.01)],
)
def test_every_optimiser_is_torchs_of_that_name_and_descends(name, rate):
    module, optimizer = module_and_optimizer(optimizer=name, learning_rate=rate, weight_decay=0.01)
    assert type(optimizer).__name__.lower() == name
    assert {group["lr"] for group in optimizer.param_groups} == {rate}
    assert {group["weight_decay"] for group in optimizer.param_groups} == {0.01}
    losses = [
        training_step(Descent(module, optimizer, cross_entropy, Train()), batch()).item() for _ in range(30)
    ]
    assert losses[-1] < 0.9 * losses[0]


def test_every_optimiser_is_tested_here():
    assert set(OPTIMIZERS) == {"sgd", "adagrad", "adadelta", "rmsprop", "adam", "adamw"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, lambda weights: optim.AdamW(weights, lr=1e-3, weight_decay=1e-4)),
        (
            {"optimizer": "sgd", "optimizer_options": {"momentum": 0.8, "nesterov": True}},
            lambda weights: optim.SGD(weights, lr=1e-3, weight_decay=1e-4, momentum=0.8, nesterov=True),
        ),
        (
            {"optimizer": "rmsprop", "optimizer_options": {"centered": True}},
            lambda weights: optim.RMSprop(weights, lr=1e-3, weight_decay=1e-4, centered=True),
        ),
    ],
)
def test_steps_are_those_of_torch_with_clipped_gradients(settings, expected):
    module, optimizer = module_and_optimizer(**settings)
    other = Linear()
    other.load_state_dict(module.state_dict())
    bare = expected(other.parameters())
    one = batch()
    for _ in range(5):
        training_step(Descent(module, optimizer, cross_entropy, Train(clip=0.1)), one)
        bare.zero_grad()
        nn.functional.cross_entropy(other(one.steps, None), one.low).backward()
        nn.utils.clip_grad_norm_(other.parameters(), 0.1)
        bare.step()
    for weights, wanted in zip(module.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(weights, wanted)


@pytest.mark.parametrize("clip", [0.0, 0.5])
def test_gradients_are_clipped_to_a_norm_and_left_alone_at_0(clip):
    module, optimizer = module_and_optimizer(learning_rate=1e-9)

    def steep(*arguments):
        return 1e4 * cross_entropy(*arguments)

    training_step(Descent(module, optimizer, steep, Train(clip=clip)), batch())
    gradient = torch.cat([weights.grad.ravel() for weights in module.parameters()]).norm().item()
    assert gradient > 100 if clip == 0 else gradient == pytest.approx(clip, rel=1e-4)


def test_noise_is_on_values_and_not_on_the_mask():
    torch.manual_seed(0)
    steps = torch.ones(500, 3, 4)
    noisy = with_noise(steps, 0.5, True)
    assert (noisy[:, :, 2:] == 1).all()
    assert (noisy[:, :, :2] - 1).std().item() == pytest.approx(0.5, abs=0.03)
    assert with_noise(steps, 0.5, False)[:, :, 2:].std() > 0.4


def test_mixup_shows_mixed_windows_and_counts_both_outcomes():
    module, optimizer = module_and_optimizer(learning_rate=1e-9)
    one = batch()
    torch.manual_seed(1)
    told = training_step(Descent(module, optimizer, cross_entropy, Train(mixup=0.4)), one).item()
    torch.manual_seed(1)
    share = float(torch.distributions.Beta(0.4, 0.4).sample())
    other = torch.randperm(16)
    assert 0.01 < share < 0.99
    torch.testing.assert_close(module.shown, share * one.steps + (1 - share) * one.steps[other])
    logits = module(module.shown, None)
    swapped = replace(one, low=one.low[other], high=one.high[other])
    parts = [cross_entropy(logits, b.low, b.high, b.weight).item() for b in (one, swapped)]
    assert told == pytest.approx(share * parts[0] + (1 - share) * parts[1], rel=1e-5)


def test_without_noise_and_mixup_no_random_number_is_drawn():
    module, optimizer = module_and_optimizer()
    before = torch.get_rng_state()
    training_step(Descent(module, optimizer, cross_entropy, Train()), batch())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_training_that_is_stopped_goes_on_to_the_same_bits_with_every_optimiser(
    name, windows, split, configure, tmp_path
):
    def stop(done, *_):
        if done == 2:
            raise KeyboardInterrupt

    settings = {"epochs": 4, "optimizer": name, "schedule": "cosine", "learning_rate": 0.01}
    config = configure("gru", train=settings)
    with pytest.raises(KeyboardInterrupt):
        train(windows, split, config, folder=tmp_path / "stopped", device="cpu", progress=stop)
    for folder in ("stopped", "whole"):
        train(windows, split, config, folder=tmp_path / folder, device="cpu")
    stopped, whole = (sha256(tmp_path / folder / "model.safetensors") for folder in ("stopped", "whole"))
    assert stopped == whole


def test_noise_and_mixup_change_what_is_learned_and_can_be_repeated(windows, split, configure, tmp_path):
    hashes = []
    for number, extra in enumerate([{}, {"input_noise": 0.1}, {"mixup": 0.4}, {"mixup": 0.4}]):
        config = configure("gru", train={"epochs": 2, **extra})
        train(windows, split, config, folder=tmp_path / str(number), device="cpu")
        hashes.append(sha256(tmp_path / str(number) / "model.safetensors"))
    assert len(set(hashes[:3])) == 3
    assert hashes[2] == hashes[3]


def gradients(module):
    return torch.cat([weights.grad.ravel() for weights in module.parameters()])


@pytest.mark.parametrize("loss", sorted(set(LOSSES) - WHOLE_BATCH))
def test_the_parts_of_a_batch_add_up_to_the_step_of_the_whole_whatever_the_loss(loss):
    one = replace(batch(17), weight=torch.linspace(0.2, 2, 17))
    for settings in (Train(), Train(mixup=0.4, input_noise=0.1)):
        found = []
        for parts in (1, 2, 5):
            module, optimizer = module_and_optimizer()
            torch.manual_seed(1)
            told = training_step(Descent(module, optimizer, LOSSES[loss], settings, parts=parts), one)
            found.append((told, gradients(module), module.head.weight.detach()))
        for several in found[1:]:
            for got, wanted in zip(several, found[0], strict=True):
                torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-6)


def test_a_loss_of_the_whole_batch_does_not_add_up_and_is_refused_in_parts(configure):
    found = []
    for parts in (1, 4):
        module, optimizer = module_and_optimizer()
        training_step(Descent(module, optimizer, LOSSES["score_oriented"], Train(), parts=parts), batch(64))
        found.append(gradients(module))
    assert (found[0] - found[1]).abs().max() > 1e-4
    with pytest.raises(FlarecastError, match=r"train\.accumulate: expected 1 with the loss score_oriented"):
        check_parts(configure(train={"loss": "score_oriented", "accumulate": 4}))


@pytest.mark.parametrize(("n", "parts"), [(1, 3), (3, 2), (4, 2), (5, 9), (100, 7)])
def test_parts_hold_every_window_once_and_never_one_alone(n, parts):
    slices = list(parts_of(n, parts))
    assert [place for one in slices for place in range(one.start, one.stop)] == list(range(n))
    assert len(slices) <= parts
    assert n == 1 or min(one.stop - one.start for one in slices) >= 2


@pytest.mark.parametrize(
    ("name", "options"),
    [("lstm", {"hidden": 8, "dropout": 0.0}), ("transformer", {"size": 16, "heads": 2, "dropout": 0.0})],
)
def test_a_training_in_parts_learns_what_one_in_whole_batches_does(
    name, options, windows, split, configure, tmp_path
):
    weights = []
    for accumulate in (1, 4):
        settings = {"epochs": 2, "accumulate": accumulate, "optimizer": "sgd"}
        config = configure(name, model={"options": options}, train=settings)
        model = train(windows, split, config, folder=tmp_path / str(accumulate), device="cpu")
        assert model.training["parts"] == accumulate
        weights.append(torch.cat([value.ravel() for value in model.module.parameters()]))
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-5, atol=1e-6)

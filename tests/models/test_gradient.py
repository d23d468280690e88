"""Optimisers, schedules, and what is done to a batch."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn, optim
from torch.optim import lr_scheduler

from flarecast.batches import Batch
from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.gradient import build_optimizer, build_schedule, training_step, with_noise
from flarecast.losses import cross_entropy
from flarecast.optimizers import OPTIMIZERS
from flarecast.schedules import SCHEDULES
from flarecast.sections import Train
from flarecast.task import Plan
from flarecast.train import check_parts, train

EPOCHS = 20


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


def module_and_optimizer(**settings):
    torch.manual_seed(0)
    module = Linear()
    return module, build_optimizer(module, Train(**settings))


def history(folder):
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


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
        training_step(module, optimizer, cross_entropy, batch(), Train(), False).item() for _ in range(30)
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
        training_step(module, optimizer, cross_entropy, one, Train(clip=0.1), False)
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

    training_step(module, optimizer, steep, batch(), Train(clip=clip), False)
    gradient = torch.cat([weights.grad.ravel() for weights in module.parameters()]).norm().item()
    assert gradient > 100 if clip == 0 else gradient == pytest.approx(clip, rel=1e-4)


def one_cycle(optimizer):
    """Torch counts steps to the last, not to the end: one more, and the peak where ours has it."""
    return lr_scheduler.OneCycleLR(
        optimizer, 2.0, total_steps=EPOCHS + 1, pct_start=7 / (EPOCHS + 1), cycle_momentum=False
    )


@pytest.mark.parametrize(
    ("name", "options", "theirs"),
    [
        ("constant", {}, lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
        ("step", {"every": 3, "factor": 0.5}, lambda o: lr_scheduler.StepLR(o, 3, 0.5)),
        ("exponential", {"factor": 0.9}, lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
        ("cosine", {"final": 0.25}, lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS, 0.5)),
        ("one_cycle", {"warm_up": 6 / EPOCHS}, one_cycle),
    ],
)
def test_every_schedule_has_the_rates_of_torchs(name, options, theirs):
    optimizer = optim.SGD([nn.Parameter(torch.zeros(1))], lr=2.0)
    scheduler = theirs(optimizer)
    rate = build_schedule(Train(learning_rate=2.0, schedule=name, schedule_options=options), EPOCHS)
    for done in range(EPOCHS):
        assert rate(float(done)) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_never_ask_for_more_than_the_rate_however_long_they_are_asked(name):
    rate = build_schedule(Train(learning_rate=1.0, schedule=name), EPOCHS)
    rates = [rate(done) for done in np.linspace(0, 2 * EPOCHS, 401)]
    assert max(rates) <= 1
    assert min(rates) >= 0


def test_the_cyclical_schedule_is_that_of_the_swa_paper_a_step_before():
    """Izmailov et al. (2018): a(i) = (1 - t) a1 + t a2, t = (mod(i - 1, c) + 1) / c, i and c in steps."""
    steps, high, low = 7, 0.05, 0.01
    settings = Train(
        learning_rate=high, schedule="cyclical", schedule_options={"cycle": 3, "final": low / high}
    )
    rate = build_schedule(settings, EPOCHS)
    c = 3 * steps
    for i in range(1, EPOCHS * steps):
        t = ((i - 1) % c + 1) / c
        if t < 1:
            assert rate(i / steps) == pytest.approx((1 - t) * high + t * low, rel=1e-9)
    assert rate(3.0) == rate(0.0) == high
    assert rate(3 - 1e-9) == pytest.approx(low)


@pytest.mark.parametrize("cycles", [1, 3, 5, 20])
def test_the_cyclic_cosine_is_that_of_snapshot_ensembles(cycles):
    """Huang et al. (2017), eq. 2: a(t) = a0 / 2 (cos(pi mod(t - 1, ceil(T / M)) / ceil(T / M)) + 1)."""
    options = {"cycles": cycles}
    settings = Train(learning_rate=0.2, schedule="cyclic_cosine", schedule_options=options)
    rate = build_schedule(settings, EPOCHS)
    length = -(-EPOCHS // cycles)
    for t in range(1, EPOCHS + 1):
        expected = 0.2 / 2 * (np.cos(np.pi * ((t - 1) % length) / length) + 1)
        assert rate(t - 1) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("cyclical", {"cycle": 7}, "cycle: expected at most as many epochs as are run, 6, got 7; shorten it"),
        ("cyclic_cosine", {"cycles": 7}, "cycles: expected at most one for each of 6 epochs, got 7; ask for"),
    ],
)
def test_cycles_that_do_not_fit_into_the_descent_are_refused_before_data_are_read(
    name, options, words, configure
):
    settings = {"epochs": 8, "schedule": name, "schedule_options": options}  # 6 epochs, then 2 of averaging
    with pytest.raises(FlarecastError, match=f"^train.schedule_options: {words}"):
        check_parts(configure(train=settings))
    check_parts(configure(train=settings | {"averaging": "none"}))


def test_one_cycle_warms_up_inside_the_first_epoch_too():
    rate = build_schedule(Train(schedule="one_cycle"), 2)
    assert rate(0.0) == pytest.approx(0.04 * 1e-3)
    assert rate(0.0) < rate(0.3) < rate(0.6) == pytest.approx(1e-3)
    assert rate(1.5) < 1e-3


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
    told = training_step(module, optimizer, cross_entropy, one, Train(mixup=0.4), False).item()
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
    training_step(module, optimizer, cross_entropy, batch(), Train(), False)
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


def test_the_history_tells_the_rates_of_the_schedule_and_averaging_has_its_own(
    windows, split, configure, tmp_path
):
    settings = {
        "epochs": 8,
        "batch_size": 10_000,
        "schedule": "step",
        "schedule_options": {"every": 2, "factor": 0.5},
        "averaging_learning_rate": 0.003,
        "learning_rate": 0.02,
    }
    train(windows, split, configure(train=settings), folder=tmp_path, device="cpu")
    rates = [line["learning_rate"] for line in history(tmp_path)[:-1]]
    assert rates == pytest.approx([0.02, 0.02, 0.01, 0.01, 0.005, 0.005, 0.003, 0.003])


def test_noise_and_mixup_change_what_is_learned_and_can_be_repeated(windows, split, configure, tmp_path):
    hashes = []
    for number, extra in enumerate([{}, {"input_noise": 0.1}, {"mixup": 0.4}, {"mixup": 0.4}]):
        config = configure("gru", train={"epochs": 2, **extra})
        train(windows, split, config, folder=tmp_path / str(number), device="cpu")
        hashes.append(sha256(tmp_path / str(number) / "model.safetensors"))
    assert len(set(hashes[:3])) == 3
    assert hashes[2] == hashes[3]


def test_a_plan_ends_on_the_schedule_that_the_folds_followed(windows, split, configure, tmp_path):
    settings = {"epochs": 8, "batch_size": 10_000, "schedule": "cosine", "averaging": "none"}
    config = configure("gru", train=settings)
    for folder, plan in (("fold", None), ("final", Plan(3, 0))):
        train(windows, split, config, folder=tmp_path / folder, device="cpu", plan=plan)
    fold, final = (
        [line["learning_rate"] for line in history(tmp_path / folder)[:-1]] for folder in ("fold", "final")
    )
    assert final == fold[:3]

"""Optimisers, schedules, and what is done to a batch."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn, optim
from torch.optim import lr_scheduler

from flarecast.batches import Batch
from flarecast.chain.environment import environment
from flarecast.config.sections import Train
from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.losses import LOSSES, WHOLE_BATCH, cross_entropy
from flarecast.models import load_builder
from flarecast.models.shape import Shape
from flarecast.optimizers import OPTIMIZERS
from flarecast.schedules import SCHEDULES
from flarecast.train import check_parts, gradient, train
from flarecast.train.gradient import (
    Descent,
    build_optimizer,
    build_schedule,
    parts_of,
    training_step,
    with_noise,
)
from flarecast.train.precision import casting, deterministic_algorithms, matrix_products, precision_on
from flarecast.train.task import Plan

EPOCHS = 20
SMALL = {
    "lstm": {"hidden": 8},
    "gru": {"hidden": 8},
    "cnn": {"channels": (8,), "kernel": 3},
    "resnet": {"channels": (8,), "kernel": 3},
    "inception_time": {"filters": 4, "kernels": (3,), "depth": 3},
    "cnn_lstm": {"channels": (8,), "kernel": 3, "hidden": 8},
    "transformer": {"size": 16, "heads": 2},
}


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
    return module, build_optimizer(module.parameters(), Train(**settings))


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


def test_bf16_is_for_matrix_products_and_the_loss_stays_in_single_precision():
    module = Linear()
    with casting(torch.device("cpu"), "bf16"):
        assert module(torch.ones(2, 1, 4), None).dtype == torch.bfloat16
    with casting(torch.device("cpu"), "tf32"):
        assert module(torch.ones(2, 1, 4), None).dtype == torch.float32
    assert [precision_on(torch.device(name), "bf16") for name in ("cuda", "cpu")] == ["bf16", "float32"]


@pytest.mark.parametrize("name", SMALL)
def test_every_network_learns_in_bf16_under_a_loss_in_single_precision(name, monkeypatch):
    monkeypatch.setattr(gradient, "precision_on", lambda device, asked: asked)
    module = load_builder(name)(Shape(2, 6, 4), **{**SMALL[name], "mask": True})
    optimizer = build_optimizer(module.parameters(), Train(learning_rate=0.01))
    dtypes = set()

    def watched(logits, *others):
        dtypes.add(logits.dtype)
        return cross_entropy(logits, *others)

    one = replace(batch(), steps=torch.cat([batch(n_inputs=2).steps, torch.ones(16, 3, 2)], dim=2))
    descent = Descent(module, optimizer, watched, Train(precision="bf16"))
    losses = [training_step(descent, one).item() for _ in range(40)]
    assert losses[-1] < 0.8 * losses[0]
    assert dtypes == {torch.float32}
    assert {weights.dtype for weights in module.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("precision", "expected"), [("float32", ("highest", False)), ("tf32", ("high", True))]
)
def test_products_are_as_exact_as_asked_for_and_torch_is_left_as_it_was(precision, expected):
    def now():
        return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32

    before = now()
    with matrix_products(precision):
        assert now() == expected
    assert now() == before


@pytest.mark.parametrize("asked", [True, False])
def test_determinism_can_be_switched_and_is_left_as_it_was(asked):
    def now():
        return torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark

    before = now()
    with deterministic_algorithms(asked, torch.device("cpu")):
        assert now() == (asked, not asked)
    assert now() == before


def test_precision_and_determinism_are_recorded(windows, split, configure, tmp_path):
    config = configure(
        "lstm", train={"epochs": 1, "averaging": "none", "precision": "bf16", "deterministic": False}
    )
    said = train(windows, split, config, folder=tmp_path, device="cpu").training
    assert (said["precision"], said["deterministic"], said["threads"]) == ("float32", True, 1)
    assert environment(config, {}, "cpu")["precision"] == "float32"
    assert environment(config, {}, "cpu")["deterministic"] is False


def test_a_network_that_cannot_be_compiled_is_computed_as_it_is_and_that_is_told_once(
    windows, split, configure, tmp_path, monkeypatch
):
    def broken(module):
        def forward(steps, last_class):
            raise RuntimeError("no C++ compiler found\n\nSet TORCHDYNAMO_VERBOSE=1")

        return forward

    plain = train(windows, split, configure("cnn", train={"epochs": 2}), folder=tmp_path / "a", device="cpu")
    monkeypatch.setattr(torch, "compile", broken)
    said, config = [], configure("cnn", train={"epochs": 2, "compile": True})
    model = train(windows, split, config, folder=tmp_path / "b", device="cpu", say=said.append)
    assert said == [
        "train.compile: the network could not be compiled (no C++ compiler found); it is computed as it is"
    ]
    for got, wanted in zip(model.module.parameters(), plain.module.parameters(), strict=True):
        assert torch.equal(got, wanted)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's compiler uses what torch deprecates
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch compiles for the CPU with a C++ compiler")
def test_a_compiled_network_learns_the_same(windows, split, configure, tmp_path):
    options, said, weights = {"channels": (8,), "kernel": 3, "dropout": 0.0}, [], []
    for chosen in (False, True):
        settings = {"epochs": 2, "averaging": "none", "compile": chosen, "optimizer": "sgd"}
        config = configure("cnn", model={"options": options}, train=settings)
        folder = tmp_path / str(chosen)
        model = train(windows, split, config, folder=folder, device="cpu", say=said.append)
        weights.append(torch.cat([value.ravel() for value in model.module.parameters()]))
    assert not said
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-4, atol=1e-5)

"""Learning rates over a descent: those of torch and of the papers."""

import numpy as np
import pytest
import torch
from torch import nn, optim
from torch.optim import lr_scheduler
from trained import history

from flarecast.config.sections import Train
from flarecast.errors import FlarecastError
from flarecast.schedules import SCHEDULES
from flarecast.train import check_parts, train
from flarecast.train.gradient import build_schedule
from flarecast.train.task import Plan

EPOCHS = 20


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


def test_a_plan_ends_on_the_schedule_that_the_folds_followed(windows, split, configure, tmp_path):
    settings = {"epochs": 8, "batch_size": 10_000, "schedule": "cosine", "averaging": "none"}
    config = configure("gru", train=settings)
    for folder, plan in (("fold", None), ("final", Plan(3, 0))):
        train(windows, split, config, folder=tmp_path / folder, device="cpu", plan=plan)
    fold, final = (
        [line["learning_rate"] for line in history(tmp_path / folder)[:-1]] for folder in ("fold", "final")
    )
    assert final == fold[:3]

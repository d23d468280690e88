"""Balancing inside a training: what it moves, what it leaves, and which prior is told."""

import numpy as np
import pytest
import torch
from trained import history

from flarecast.balance import BALANCERS, NEVER_ANALYTIC, class_priors
from flarecast.batches import choose_device, gather_steps
from flarecast.errors import FlarecastError
from flarecast.model_file import load
from flarecast.train import train
from flarecast.train.prepare import prepare


def test_scaling_is_fitted_before_balancing_on_each_row_once(windows, split, configure, tmp_path):
    natural = train(windows, split, configure("climatology"), folder=tmp_path / "a", device="cpu")
    undersampled = configure("climatology", balance={"name": "undersample", "event": "X1.0"})
    balanced = train(windows, split, undersampled, folder=tmp_path / "b", device="cpu")
    np.testing.assert_array_equal(natural.scaler.centre, balanced.scaler.centre)
    np.testing.assert_array_equal(natural.prior_natural, balanced.prior_natural)


@pytest.mark.parametrize(
    ("name", "same_side"), [("undersample", 0.02), ("oversample", 0.02), ("class_weights", 0.02)]
)
def test_balancing_moves_the_trained_prior_to_as_many_events_as_not(
    name, same_side, windows, split, configure, tmp_path
):
    config = configure("climatology", balance={"name": name, "event": "M1.0"})
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    assert model.prior_natural[2:].sum() < 0.4
    assert model.prior_trained[2:].sum() == pytest.approx(0.5, abs=same_side)
    assert model.prior_natural.sum() == pytest.approx(1)
    odds = model.prior_trained[2] / model.prior_trained[3], model.prior_natural[2] / model.prior_natural[3]
    assert odds[0] == pytest.approx(odds[1], rel=0.35 if name != "class_weights" else 1e-5)


@pytest.mark.parametrize("name", sorted(BALANCERS))
def test_every_remedy_trains_and_says_what_it_moved(name, windows, split, configure, tmp_path):
    options = {"ratio": 0.5} if name == "under_over" else {}
    remedy = {"name": name, "draw": "each_epoch", "options": options}
    config = configure("cnn", train={"epochs": 2}, balance=remedy)
    model = load(train(windows, split, config, folder=tmp_path, device="cpu") and tmp_path, "cpu")
    assert model.prior_analytic == (name not in NEVER_ANALYTIC)
    assert model.prior_trained.sum() == pytest.approx(1)
    assert (model.training["windows_train_made"] > 0) == (name in ("oversample_noisy", "smote", "under_over"))
    if name == "logit_adjustment":
        np.testing.assert_allclose(model.prior_trained, 0.25)
    seen = model.training["windows_train_balanced"]
    if name.startswith("undersample"):
        assert seen < model.training["windows_train"]


def test_windows_drawn_at_each_epoch_differ_and_their_prior_is_that_of_all(windows, split, configure):
    config = configure(balance={"name": "undersample", "event": "M1.0", "draw": "each_epoch"})
    made = prepare(windows, split["role"].values[0], config, choose_device("cpu"))
    draws = [made.task.redraw(epoch) for epoch in range(8)]
    assert torch.equal(draws[0].index, made.task.train.index)
    assert len({tuple(draw.index.tolist()) for draw in draws}) == 8
    assert torch.equal(draws[3].index, made.task.redraw(3).index)
    shares = [class_priors(draw.low.numpy(), draw.high.numpy(), draw.weight.numpy(), 4) for draw in draws]
    np.testing.assert_allclose(made.prior_trained, np.mean(shares, axis=0), rtol=1e-6)
    fixed = prepare(
        windows,
        split["role"].values[0],
        configure(balance={"name": "undersample", "event": "M1.0"}),
        choose_device("cpu"),
    )
    assert fixed.task.redraw is None
    assert torch.equal(fixed.task.train.index, draws[0].index)


def test_made_windows_stand_behind_those_observed_and_are_mixtures_of_train_windows(
    windows, split, configure
):
    config = configure(balance={"name": "smote", "event": "M1.0", "options": {"neighbours": 3}})
    made = prepare(windows, split["role"].values[0], config, choose_device("cpu"))
    task = made.task
    n_before = len(task.natural.tensors.step_rows)
    new = task.train.index >= n_before
    assert int(new.sum()) == made.n_made > 50
    assert (task.train.tensors.last_class[task.train.index[new]] == -1).all()
    assert (task.train.low[new] == task.train.high[new]).all()
    assert (task.train.low[new] >= 2).all()
    assert task.validation.tensors is task.natural.tensors
    np.testing.assert_array_equal(
        gather_steps(task.train.tensors, task.train.index[~new]),
        gather_steps(task.natural.tensors, task.train.index[~new]),
    )
    steps = gather_steps(task.train.tensors, task.train.index[new])
    events = gather_steps(task.natural.tensors, task.natural.index[task.natural.low >= 2])
    assert torch.isfinite(steps).all()
    assert (steps <= events.amax(dim=0) + 1e-5).all()
    assert (steps >= events.amin(dim=0) - 1e-5).all()


def test_logit_adjustment_learns_under_equal_classes_and_is_judged_under_the_natural_ones(
    windows, split, configure, tmp_path
):
    models = {}
    for name in ("none", "logit_adjustment"):
        config = configure("cnn", train={"epochs": 12}, balance={"name": name})
        models[name] = train(windows, split, config, folder=tmp_path / name, device="cpu")
    losses = {name: history(tmp_path / name)[-1]["validation_loss_best"] for name in models}
    assert losses["logit_adjustment"] == pytest.approx(losses["none"], rel=0.15)
    bias = {name: model.module.head.bias.detach().softmax(0).numpy() for name, model in models.items()}
    assert bias["logit_adjustment"][3] > 2 * bias["none"][3]


def test_logit_adjustment_of_a_model_fitted_directly_says_what_to_use(windows, split, configure, tmp_path):
    config = configure("logistic", balance={"name": "logit_adjustment"})
    with pytest.raises(FlarecastError, match=r"fitted by gradient, got logistic; use class_weights"):
        train(windows, split, config, folder=tmp_path, device="cpu")


def test_without_balancing_the_two_priors_are_the_same_to_the_bit(windows, split, configure, tmp_path):
    model = train(windows, split, configure("climatology"), folder=tmp_path, device="cpu")
    np.testing.assert_array_equal(model.prior_natural, model.prior_trained)
    occurred = np.stack(
        [
            np.where(windows["peak_flux"] >= t, 1, np.where(windows["peak_flux_upper"] < t, 0, -1))
            for t in (9.95e-7, 9.95e-6, 9.95e-5)
        ],
        axis=1,
    )
    taken = (split["role"].values[0] == 1) & (windows["region"].values != "SIM 0")
    rates = [(column[taken] == 1).sum() / (column[taken] >= 0).sum() for column in occurred.T]
    np.testing.assert_allclose(model.training_base_rate, rates, rtol=1e-12)


def test_early_stopping_does_not_see_the_prior_that_balancing_gave(windows, split, configure, tmp_path):
    config = configure("climatology", balance={"name": "class_weights", "event": "X1.0"})
    made = prepare(windows, split["role"].values[0], config, choose_device("cpu"))
    corrected = made.prior_trained * np.exp(made.task.log_correction.numpy())
    np.testing.assert_allclose(corrected, made.prior_natural, rtol=1e-5)
    # Climatology knows nothing but its prior: balanced or not, it is judged alike.
    losses = []
    for name in ("none", "class_weights"):
        config = configure("climatology", balance={"name": name, "event": "X1.0"})
        train(windows, split, config, folder=tmp_path / name, device="cpu")
        losses.append(history(tmp_path / name)[-1]["validation_loss_best"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)

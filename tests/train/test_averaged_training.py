"""Averages inside a training: when they start, what history tells and what is kept, members drawn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from trained import history

from flarecast.averaging.gaussian import flat, load_moments
from flarecast.batches import Sample, choose_device, gather_steps
from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.model_file import load
from flarecast.train import check_parts, passes, train
from flarecast.train.passes import refresh, validation_loss
from flarecast.train.prepare import prepare
from flarecast.train.task import Plan

SWAG = {"averaging": "swag", "averaging_options": {"members": 3, "per_epoch": 2, "rank": 3}}
ONE_STEP = {"batch_size": 10_000}
"""An epoch is one step, so that the history tells every rate."""
OUTCOMES = ("index", "low", "high", "weight")


def task_of(windows, split, config):
    return prepare(windows, split["role"].values[0], config, choose_device("cpu")).task


@pytest.mark.parametrize("averaging", ["swa", "swag"])
def test_the_history_shows_last_and_averaged_weights_side_by_side(
    averaging, windows, split, configure, tmp_path
):
    config = configure("gru", train={"averaging": averaging})
    train(windows, split, config, folder=tmp_path, device="cpu")
    *lines, last = history(tmp_path)
    assert ["validation_loss_averaged" in line for line in lines] == 6 * [False] + 2 * [True]
    first, second = lines[-2:]
    assert first["validation_loss_averaged"] == pytest.approx(first["validation_loss"], rel=1e-6)
    assert second["validation_loss_averaged"] != pytest.approx(second["validation_loss"], rel=1e-6)
    assert last["validation_loss_averaged"] == second["validation_loss_averaged"]
    assert last["validation_loss_last"] == second["validation_loss"]


def test_watching_a_moving_average_changes_nothing_in_the_descent(windows, split, configure, tmp_path):
    """Not even with batch norm and dropout, whose refresh shuffles windows and draws numbers of its own."""
    for averaging in ("none", "ema"):
        config = configure("cnn", train={"averaging": averaging}, model={"options": {"dropout": 0.3}})
        train(windows, split, config, folder=tmp_path / averaging, device="cpu")
    (*none, _), (*ema, last) = (history(tmp_path / averaging) for averaging in ("none", "ema"))
    averaged = [line.pop("validation_loss_averaged") for line in ema]
    assert ema == none
    assert last["validation_loss_averaged"] == min(averaged)
    assert last["validation_loss_best"] == min(line["validation_loss"] for line in ema)


def test_a_moving_average_is_kept_at_its_own_best_epoch_and_patience_waits_for_it(
    windows, split, configure, tmp_path
):
    settings = {
        "averaging": "ema",
        "averaging_options": {"decay": 0.9},
        "batch_size": 8,
        "learning_rate": 0.3,
        "epochs": 14,
        "patience": 2,
    }
    config = configure("gru", train=settings, run={"seed": 2})
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    *lines, last = history(tmp_path)
    own, averaged = (
        [line[name] for line in lines] for name in ("validation_loss", "validation_loss_averaged")
    )
    assert last["kept"] == "averaged"
    assert 1 + int(np.argmin(own)) < last["best_epoch"] == 1 + int(np.argmin(averaged)) == len(lines) - 2
    loss = validation_loss(model.module, task_of(windows, split, config))
    assert loss == pytest.approx(min(averaged), rel=1e-6)


def test_nothing_is_collected_before_the_rate_has_settled(windows, split, configure, tmp_path):
    settings = ONE_STEP | {
        "averaging_start": 0.5,
        "averaging_options": {"anneal": 2},
        "averaging_learning_rate": 0.004,
    }
    train(windows, split, configure("gru", train=settings), folder=tmp_path, device="cpu")
    *lines, _ = history(tmp_path)
    rates = [line["learning_rate"] for line in lines]
    assert rates == pytest.approx([0.02] * 5 + [0.012, 0.004, 0.004])
    assert ["validation_loss_averaged" in line for line in lines] == 6 * [False] + 2 * [True]


def test_a_cyclical_rate_falls_in_each_cycle_and_weights_are_collected_at_its_end(
    windows, split, configure, tmp_path
):
    settings = ONE_STEP | {
        "averaging_start": 0.25,
        "averaging_options": {"cycle": 2, "final": 0.2},
        "averaging_learning_rate": 0.01,
    }
    train(windows, split, configure("gru", train=settings), folder=tmp_path, device="cpu")
    *lines, _ = history(tmp_path)
    assert [line["learning_rate"] for line in lines[2:]] == pytest.approx([0.01, 0.006] * 3)
    averaged = [line.get("validation_loss_averaged") for line in lines[2:]]
    assert averaged[0] is None
    assert averaged[1] == averaged[2] == pytest.approx(lines[3]["validation_loss"], rel=1e-6)
    assert averaged[3] == averaged[4] != averaged[2]


def test_the_rate_anneals_from_the_last_one_of_the_descent_and_cycles_begin_where_it_has_settled(
    windows, split, configure, tmp_path
):
    settings = ONE_STEP | {
        "schedule": "step",
        "schedule_options": {"every": 1, "factor": 0.5},
        "averaging_start": 0.375,
        "averaging_options": {"anneal": 1, "cycle": 2, "final": 0.2},
        "averaging_learning_rate": 0.01,
    }
    train(windows, split, configure("gru", train=settings), folder=tmp_path, device="cpu")
    *lines, _ = history(tmp_path)
    rates = [line["learning_rate"] for line in lines]
    assert rates == pytest.approx([0.02, 0.01, 0.005, 0.005, 0.01, 0.006, 0.01, 0.006])
    averaged = [line.get("validation_loss_averaged") for line in lines]
    assert averaged[:5] == [None] * 5
    assert averaged[5] == averaged[6] != averaged[7]


@pytest.mark.parametrize(
    ("epoch", "settings"),
    [
        (7, {}),
        (7, {"averaging_start": 0.5, "averaging_options": {"anneal": 1, "per_epoch": 3}}),
        (5, {"averaging_start": 0.25, "averaging_options": {"cycle": 3}}),
        (3, {"averaging": "ema"}),
        (2, SWAG),
        (7, SWAG),
        (8, SWAG),
    ],
    ids=["swa", "anneal", "cycles", "ema", "swag descends", "swag averages", "swag is done"],
)
def test_a_stopped_training_goes_on_to_the_same_bits_with_every_averaging(
    epoch, settings, windows, split, configure, tmp_path
):
    def stop(done, *_):
        if done == epoch:
            raise KeyboardInterrupt

    config = configure("cnn", model={"options": {"channels": [8, 8], "dropout": 0.3}}, train=settings)
    with pytest.raises(KeyboardInterrupt):
        train(windows, split, config, folder=tmp_path / "stopped", device="cpu", progress=stop)
    for folder in ("stopped", "whole"):
        train(windows, split, config, folder=tmp_path / folder, device="cpu")
    files = {path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*.*")}
    assert len(files) == (3 if settings is not SWAG else 3 + 1 + 3 * 2)
    for file in files:
        assert sha256(tmp_path / "stopped" / file) == sha256(tmp_path / "whole" / file), file


def test_members_are_drawn_around_the_mean_and_are_models_like_any_other(windows, split, configure, tmp_path):
    settings = SWAG | {"averaging_options": {"members": 20, "per_epoch": 3}}
    model = train(windows, split, configure("gru", train=settings), folder=tmp_path, device="cpu")
    assert sorted(int(path.name) for path in (tmp_path / "members").iterdir()) == list(range(1, 21))
    members = [load(tmp_path / "members" / str(k), "cpu") for k in range(1, 21)]
    assert [member.training["member"] for member in members] == list(range(1, 21))
    assert {member.training["windows_train"] for member in members} == {model.training["windows_train"]}
    weights = torch.stack([flat(member.module).double() for member in members])
    moments = load_moments(tmp_path / "swag.safetensors")
    assert flat(model.module).numpy() == pytest.approx(moments.mean.numpy(), abs=1e-6)
    assert len(moments.deviations) == 6
    deviations = moments.deviations.double()
    total = (moments.variance + deviations.square().sum(dim=0) / 5) / 2
    spread = weights - moments.mean
    assert float(spread.square().mean(dim=0).sum() / total.sum()) == pytest.approx(1, abs=0.5)
    task = task_of(windows, split, configure("gru", train=settings))
    alone = np.mean([validation_loss(member.module, task) for member in members])
    assert model.training["members"] == 20
    assert model.training["validation_loss_members"] < alone


def test_members_have_the_batch_norm_statistics_of_natural_windows(windows, split, configure, tmp_path):
    """With all windows in one batch the statistics are exactly those of the train windows as they are."""
    balance = {"name": "undersample", "event": "X1.0"}
    config = configure("cnn", train=SWAG | ONE_STEP | {"averaging_options": {"members": 3}}, balance=balance)
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    task = task_of(windows, split, config)
    assert len(task.train) < len(task.natural)
    means = []
    for place in (tmp_path, *(tmp_path / "members" / str(k) for k in (1, 2, 3))):
        first = load(place, "cpu").module.blocks[0]
        for sample, same in ((task.natural, True), (task.train, False)):
            steps = gather_steps(sample.tensors, sample.index).transpose(1, 2)
            mean = first.convolution(first.pad(steps)).detach().mean(dim=(0, 2))
            assert torch.allclose(first.norm.running_mean, mean, atol=1e-5) == same
        means.append(first.norm.running_mean)
    assert len({tuple(mean.tolist()) for mean in means}) == 4
    assert model.training["kept"] == "averaged"


def test_averaged_weights_with_the_wrong_statistics_forecast_worse(windows, split, configure, tmp_path):
    """Of a resampled mix of windows, or of none."""
    settings = {"epochs": 12, "averaging_start": 0.1, "averaging_learning_rate": 0.005}
    config = configure("cnn", train=settings)
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    assert model.training["kept"] == "averaged"
    task = task_of(windows, split, config)
    losses = {"kept": validation_loss(model.module, task)}
    order = torch.Generator().manual_seed(1)
    mixed = task_of(windows, split, configure("cnn", balance={"name": "undersample", "event": "X1.0"})).train
    for name, shown in (("natural", task), ("resampled", replace(task, natural=mixed))):
        refresh(model.module, shown, order)
        losses[name] = validation_loss(model.module, task)
    for norm in (module for module in model.module.modules() if hasattr(module, "running_mean")):
        norm.reset_running_stats()
    losses["never"] = validation_loss(model.module, task)
    assert losses["natural"] == pytest.approx(losses["kept"], rel=0.02)
    assert losses["resampled"] > 1.05 * losses["natural"]
    assert losses["never"] > 1.05 * losses["natural"]


def test_the_mean_of_swag_is_kept_even_where_it_validates_worse_and_the_history_says_so(
    windows, split, configure, tmp_path
):
    config = configure("gru", train=SWAG | {"averaging_learning_rate": 1.0})
    train(windows, split, config, folder=tmp_path, device="cpu")
    last = history(tmp_path)[-1]
    assert last["kept"] == "averaged"
    assert last["validation_loss_averaged"] > 1.1 * last["validation_loss_best"]


def test_members_of_a_training_before_are_removed_with_their_moments(windows, split, configure, tmp_path):
    train(windows, split, configure("gru", train=SWAG), folder=tmp_path, device="cpu")
    train(windows, split, configure("gru"), folder=tmp_path, device="cpu")
    assert {path.name for path in tmp_path.iterdir()} == {"model.safetensors", "model.json", "history.jsonl"}


def test_members_whose_weights_are_not_finite_are_refused(windows, split, configure, tmp_path):
    config = configure(
        "gru", train=SWAG | {"averaging_options": {"members": 2, "per_epoch": 2, "scale": 1e300}}
    )
    with pytest.raises(
        FlarecastError, match=r"expected a scale that leaves weights finite, got 1e\+300; lower"
    ):
        train(windows, split, config, folder=tmp_path, device="cpu")
    assert not (tmp_path / "model.json").exists()


def test_epochs_of_fewer_steps_than_weights_to_collect_are_refused(
    windows, split, configure, tmp_path, monkeypatch
):
    swag = {"averaging": "swag", "averaging_options": {"members": 2, "per_epoch": 3}, "epochs": 4}

    def few(_, task):  # drawn anew, an epoch may have fewer windows than the first
        return Sample(task.train.tensors, *(getattr(task.train, name)[:9] for name in OUTCOMES))

    words = "at least 2 collected weights, got 1, for an epoch has few steps; lower train.batch_size or"
    with pytest.raises(FlarecastError, match=words):
        train(
            windows, split, configure("gru", train=swag | {"batch_size": 9999}), folder=tmp_path, device="cpu"
        )
    monkeypatch.setattr(passes, "sample_of", few)
    with pytest.raises(FlarecastError, match=words):
        train(windows, split, configure("gru", train=swag), folder=tmp_path, device="cpu")
    monkeypatch.undo()
    config = configure("gru", train=swag | {"batch_size": 128})
    assert train(windows, split, config, folder=tmp_path, device="cpu").training["members"] == 2


def test_a_rate_of_averaging_that_is_too_high_is_named_as_such(windows, split, configure, tmp_path):
    config = configure("gru", train={"averaging_learning_rate": 1e30})
    with pytest.raises(
        FlarecastError, match=r"epoch 7, .* at learning rate 1e\+30; lower train.averaging_learning"
    ):
        train(windows, split, config, folder=tmp_path, device="cpu")


@pytest.mark.parametrize(("average", "kept"), [(True, "averaged"), (False, "best")])
def test_a_plan_says_whether_a_moving_average_is_kept(average, kept, windows, split, configure, tmp_path):
    config = configure("gru", train={"averaging": "ema"})
    plan = Plan(3, 0, average)
    model = train(windows, split, config, folder=tmp_path, device="cpu", plan=plan)
    assert model.training["kept"] == kept
    assert model.training["epochs"] == 3
    assert history(tmp_path)[-1]["validation_loss_best"] is None


def test_a_plan_without_averaging_keeps_the_descent(windows, split, configure, tmp_path):
    config = configure("gru", train={"averaging": "swa"})
    model = train(windows, split, config, folder=tmp_path, device="cpu", plan=Plan(3, 0, average=False))
    assert (model.training["kept"], model.training["epochs"]) == ("best", 3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"averaging": "polyak"}, "train.averaging: expected one of ema, none, swa, swag, got 'polyak'"),
        (
            {"averaging_options": {"decay": 0.9}},
            "train.averaging_options: unknown key decay; known here: anneal",
        ),
        ({"averaging": "none", "averaging_options": {"cycle": 2}}, "unknown key cycle; known here: none"),
        (
            {"averaging": "ema", "averaging_options": {"decay": 1.0}},
            "decay: input should be less than 1, got 1",
        ),
        (
            {"averaging_options": {"cycle": 2, "per_epoch": 2}},
            "train.averaging_options: expected per_epoch 1 with cycles",
        ),
        (
            {"epochs": 1},
            "swa: expected an epoch of averaging after the descent, got train.epochs 1 in all; train longer",
        ),
        (
            {"averaging_options": {"anneal": 2}},
            "swa: expected at least 1 collected weights, got 0 in 2 epochs of averaging, 2 of them to anneal",
        ),
        (
            {"averaging_options": {"cycle": 3}},
            "expected a cycle of at most 2, the epochs of averaging once the rate has settled, got cycle 3",
        ),
        (
            {"averaging": "swag", "epochs": 4},
            "swag: expected at least 2 collected weights, got 1 in 1 epochs of averaging",
        ),
        ({"averaging_start": 1.0}, "train.averaging_start: input should be less than 1, got 1.0"),
    ],
)
def test_an_averaging_that_cannot_be_is_refused_in_one_sentence_before_data_are_read(
    settings, words, configure
):
    with pytest.raises(FlarecastError, match=words) as refused:
        check_parts(configure(train=settings))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("averaging", ["none", "swa", "ema"])
def test_a_model_fitted_directly_has_nothing_to_average(averaging, windows, split, configure, tmp_path):
    config = configure("logistic", train={"averaging": averaging, "epochs": 1})
    check_parts(config)
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    assert model.training["kept"] == "fitted directly"


def test_members_of_a_model_fitted_directly_are_refused(windows, split, configure, tmp_path):
    config = configure("logistic", train={"averaging": "swag"})
    with pytest.raises(
        FlarecastError, match=r"swag: expected a model that is fitted by gradient, got logistic"
    ):
        train(windows, split, config, folder=tmp_path, device="cpu")

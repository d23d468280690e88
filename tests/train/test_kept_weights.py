"""Descent, averaging and patience: which weights are kept, and what the history says of them."""

from dataclasses import replace

import pytest
import torch
from trained import history

from flarecast.averaging import AVERAGINGS
from flarecast.batches import choose_device, gather_steps
from flarecast.models import load_builder
from flarecast.models.shape import Shape
from flarecast.train import train
from flarecast.train.epochs import fit_by_gradient, phases, run_alone
from flarecast.train.passes import validation_loss
from flarecast.train.prepare import prepare
from flarecast.train.training_state import Store


@pytest.mark.parametrize("averaging", ["none", "swa"])
def test_the_history_tells_each_epoch_and_what_was_kept(averaging, windows, split, configure, tmp_path):
    config = configure(train={"averaging": averaging, "averaging_learning_rate": 0.004})
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    *lines, last = history(tmp_path)
    assert [line["epoch"] for line in lines] == list(range(1, 9))
    expected = ["descent"] * 8 if averaging == "none" else ["descent"] * 6 + ["averaging"] * 2
    assert [line["phase"] for line in lines] == expected
    rates = {"descent": 0.02, "averaging": 0.004}
    assert [line["learning_rate"] for line in lines] == [rates[phase] for phase in expected]
    descent = [line["validation_loss"] for line in lines if line["phase"] == "descent"]
    assert last["validation_loss_best"] == min(descent)
    assert descent[last["best_epoch"] - 1] == min(descent)
    if averaging == "swa":
        better = last["validation_loss_averaged"] <= last["validation_loss_best"]
        assert last["kept"] == ("averaged" if better else "best")
    assert model.training["kept"] == last["kept"]


def test_what_is_kept_has_the_validation_loss_that_the_history_says(windows, split, configure, tmp_path):
    for name, averaging in (
        ("lstm", "swa"),
        ("cnn", "swa"),
        ("cnn", "none"),
        ("cnn", "ema"),
        ("cnn", "swag"),
    ):
        config = configure(name, train={"averaging": averaging})
        folder = tmp_path / f"{name}-{averaging}"
        model = train(windows, split, config, folder=folder, device="cpu")
        task = prepare(windows, split["role"].values[0], config, choose_device("cpu")).task
        last = history(folder)[-1]
        loss = validation_loss(model.module, task)
        assert loss == pytest.approx(last[f"validation_loss_{last['kept']}"], rel=1e-6)


def test_an_average_that_validates_worse_is_not_kept(windows, split, configure, tmp_path):
    config = configure(train={"averaging_learning_rate": 2.0})
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    last = history(tmp_path)[-1]
    assert last["validation_loss_averaged"] > 1.1 * last["validation_loss_best"]
    assert model.training["kept"] == last["kept"] == "best"


def test_averaging_starts_from_the_best_weights_of_the_descent(windows, split, configure, tmp_path):
    config = configure("cnn", train={"epochs": 12, "learning_rate": 0.1})
    made = prepare(windows, split["role"].values[0], config, choose_device("cpu"))
    started, swa = [], AVERAGINGS["swa"]()

    def watched(module):
        started.append(validation_loss(module, made.task))
        return swa.start(module)

    shape = Shape(len(made.features), int(windows.attrs["n_steps"]), 4)
    torch.manual_seed(0)
    module, order = load_builder("cnn")(shape, channels=(8,)), torch.Generator().manual_seed(0)
    store = Store(tmp_path, "test")
    task = replace(made.task, averaging=replace(swa, start=watched))
    run_alone(fit_by_gradient(module, task, order, store, None))
    descent = [line["validation_loss"] for line in history(tmp_path) if line.get("phase") == "descent"]
    assert min(descent) < 0.99 * descent[-1]
    assert started == [pytest.approx(min(descent), rel=1e-6)]


def test_patience_ends_the_descent_and_averaging_still_has_its_share(windows, split, configure, tmp_path):
    settings = {"epochs": 20, "patience": 2, "learning_rate": 0.5, "averaging_learning_rate": 0.001}
    train(windows, split, configure(train=settings), folder=tmp_path, device="cpu")
    *lines, last = history(tmp_path)
    descent = sum(line["phase"] == "descent" for line in lines)
    assert descent == last["best_epoch"] + 2 < 15
    assert len(lines) - descent == 5


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"epochs": 30}, (22, 8)),
        ({"epochs": 2}, (1, 1)),
        ({"epochs": 1}, (1, 0)),
        ({"epochs": 30, "averaging": "none"}, (30, 0)),
        ({"epochs": 30, "averaging": "ema"}, (30, 0)),
        ({"epochs": 30, "averaging": "swag"}, (22, 8)),
        ({"epochs": 4, "averaging_start": 0.01}, (1, 3)),
    ],
)
def test_epochs_are_shared_out_between_descent_and_averaging(settings, expected, configure):
    assert phases(configure(train=settings).train) == expected


def test_a_single_epoch_keeps_its_weights(windows, split, configure, tmp_path):
    model = train(
        windows, split, configure(train={"epochs": 1, "averaging": "none"}), folder=tmp_path, device="cpu"
    )
    assert model.training["kept"] == "best"


def test_averaged_weights_keep_batch_norm_statistics_of_natural_windows(windows, split, configure, tmp_path):
    """With all windows in one batch the statistics are exactly those of the train windows as they are."""
    settings = {
        "batch_size": 10_000,
        "epochs": 12,
        "averaging_start": 0.1,
        "averaging_learning_rate": 0.005,
    }
    balance = {"name": "undersample", "event": "X1.0"}
    config = configure("cnn", train=settings, balance=balance)
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    assert model.training["kept"] == "averaged"
    task = prepare(windows, split["role"].values[0], config, choose_device("cpu")).task
    assert len(task.train) < len(task.natural)
    first = model.module.blocks[0]
    for sample, same in ((task.natural, True), (task.train, False)):
        steps = gather_steps(sample.tensors, sample.index).transpose(1, 2)
        signal = first.convolution(first.pad(steps)).detach()
        mean = signal.mean(dim=(0, 2))
        assert torch.allclose(first.norm.running_mean, mean, atol=1e-5) == same

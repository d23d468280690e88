"""What a training gives: decided by its seed and its train windows alone, or one sentence."""

import numpy as np
import pytest
import torch
from trained import history

from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.losses import LOSSES
from flarecast.train import check_parts, train
from flarecast.windows import step_rows


def test_the_seed_decides_and_nothing_around_it(windows, split, configure, tmp_path):
    hashes = []
    for number, seed in enumerate([0, 0, 1]):
        torch.manual_seed(number)
        train(windows, split, configure(run={"seed": seed}), folder=tmp_path / str(number), device="cpu")
        hashes.append(sha256(tmp_path / str(number) / "model.safetensors"))
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize(
    ("model", "balance"),
    [("lstm", "none"), ("logistic", "none"), ("persistence", "none")]
    + [("logistic", name) for name in ("smote", "edited_neighbours", "undersample_coherent", "under_over")],
)
@pytest.mark.parametrize("role", [3, 4], ids=["calibration", "test"])
def test_values_of_other_roles_change_no_parameter(model, balance, role, windows, split, configure, tmp_path):
    remedy = {"name": balance, "options": {"ratio": 1.0} if balance == "under_over" else {}}
    other = windows.copy(deep=True)
    rows = step_rows(windows, np.flatnonzero(split["role"].values[0] == role))
    other["values"].values[np.unique(rows[rows >= 0])] = 1e30
    for name, data in (("a", windows), ("b", other)):
        train(data, split, configure(model, balance=remedy), folder=tmp_path / name, device="cpu")
    for file in ("model.safetensors", "model.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_validation_rows_change_no_scaling_and_no_weights_of_an_epoch(windows, split, configure, tmp_path):
    other = windows.copy(deep=True)
    validation = np.flatnonzero(split["role"].values[0] == 2)
    rows = step_rows(windows, validation)
    other["values"].values[np.unique(rows[rows >= 0])] *= 2
    other["peak_flux"].values[validation] = other["peak_flux_upper"].values[validation] = 2e-6
    config = configure("lstm", train={"epochs": 1, "averaging": "none"})
    first, second = (
        train(data, split, config, folder=tmp_path / name, device="cpu")
        for name, data in (("a", windows), ("b", other))
    )
    np.testing.assert_array_equal(first.scaler.centre, second.scaler.centre)
    np.testing.assert_array_equal(first.scaler.spread, second.scaler.spread)
    np.testing.assert_array_equal(first.prior_natural, second.prior_natural)
    assert sha256(tmp_path / "a" / "model.safetensors") == sha256(tmp_path / "b" / "model.safetensors")


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains(loss, windows, split, configure, tmp_path):
    train(windows, split, configure(train={"loss": loss, "epochs": 2}), folder=tmp_path, device="cpu")
    first, second, _ = history(tmp_path)
    assert second["train_loss"] < first["train_loss"]


def test_options_of_a_loss_change_what_is_learned(windows, split, configure, tmp_path):
    losses = []
    for gamma in (0.0, 5.0):
        settings = {"epochs": 1, "averaging": "none", "loss": "focal", "loss_options": {"gamma": gamma}}
        train(windows, split, configure(train=settings), folder=tmp_path / str(gamma), device="cpu")
        losses.append(history(tmp_path / str(gamma))[0]["train_loss"])
    assert losses[1] < losses[0]


def test_a_subset_of_features_trains_on_these_alone(windows, split, configure, tmp_path):
    config = configure("logistic", model={"features": ["R_VALUE"]})
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    assert model.features == ("R_VALUE",)
    assert model.scaler.centre.shape == (1,)


def test_a_loss_that_is_not_finite_is_an_error(windows, split, configure, tmp_path):
    config = configure(scale={"name": "none"}, model={"features": ["TOTFX"]}, train={"learning_rate": 1e30})
    with pytest.raises(FlarecastError, match=r"expected a finite number, got .*; lower train\.learning_rate"):
        train(windows, split, config, folder=tmp_path, device="cpu")
    assert not (tmp_path / "model.json").exists()


@pytest.mark.parametrize(("role", "name"), [(1, "train"), (2, "validation")])
def test_a_role_without_usable_windows_is_an_error(role, name, windows, split, configure, tmp_path):
    empty = split.copy(deep=True)
    empty["role"].values[empty["role"].values == role] = 0
    with pytest.raises(FlarecastError, match=f"{name} role: expected windows"):
        train(windows, empty, configure(), folder=tmp_path / "model", device="cpu")
    assert not (tmp_path / "model").exists()


def test_a_split_of_other_windows_is_an_error(windows, split, configure, tmp_path):
    with pytest.raises(FlarecastError, match="split these windows anew"):
        train(windows, split.isel(window=slice(5)), configure(), folder=tmp_path, device="cpu")
    with pytest.raises(FlarecastError, match="expected fold 1"):
        train(windows, split, configure(), folder=tmp_path, device="cpu", fold=1)


def test_an_absent_feature_is_an_error(windows, split, configure, tmp_path):
    with pytest.raises(FlarecastError, match="without USFLUX"):
        train(windows, split, configure(model={"features": ["USFLUX"]}), folder=tmp_path, device="cpu")


def test_a_folder_that_cannot_be_written_is_known_before_the_first_epoch(windows, split, configure, tmp_path):
    (tmp_path / "file").write_text("")
    seen = []
    with pytest.raises(FlarecastError, match="cannot be written"):
        train(
            windows,
            split,
            configure(),
            folder=tmp_path / "file" / "model",
            device="cpu",
            progress=lambda *_: seen.append(1),
        )
    assert not seen


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"scale": {"name": "minmax"}}, "scale.name: expected one of"),
        ({"train": {"loss": "mse"}}, "train.loss: expected one of binary_cross_entropy, brier"),
        ({"train": {"optimizer": "lion"}}, "train.optimizer: expected one of adadelta, adagrad, adam, adamw"),
        ({"train": {"optimizer_options": {"rho": 0.9}}}, "train.optimizer_options: unknown key rho"),
        (
            {"train": {"optimizer": "sgd", "optimizer_options": {"momentum": 0.0, "nesterov": True}}},
            "expected momentum above 0 with nesterov",
        ),
        (
            {"train": {"schedule": "linear"}},
            "train.schedule: expected one of constant, cosine, cyclic_cosine, cyclical",
        ),
        ({"train": {"schedule": "step", "schedule_options": {"every": 0}}}, "train.schedule_options: every"),
        ({"train": {"loss": "focal", "loss_options": {"beta": 1}}}, "train.loss_options: unknown key beta"),
        (
            {"train": {"loss": "brier", "loss_options": {"event_weight": [1.0, 2.0]}}},
            "event_weight with a number for each of 3 events, got 2",
        ),
        ({"train": {"averaging": "last"}}, "train.averaging: expected one of"),
        ({"model": {"name": "oracle"}}, "model.name: expected one of"),
        (
            {"model": {"options": {"depth": 2}}},
            "model.options: unknown key depth; known here: dropout, head, hidden",
        ),
        ({"balance": {"name": "rose"}}, "balance.name: expected one of"),
        ({"balance": {"name": "undersample", "options": {"k": 1}}}, "balance.options: unknown key k"),
    ],
)
def test_parts_are_checked_before_data_are_read(sections, words, configure):
    with pytest.raises(FlarecastError, match=words):
        check_parts(configure(**sections))


@pytest.mark.parametrize(
    ("sections", "what"),
    [
        ({"train": {"init_from": "encoders"}}, "train.init_from"),
        ({"train": {"frozen": ["encoder"]}}, "train.frozen"),
        ({"train": {"averaging": "swag"}}, "train.averaging swag"),
        ({"balance": {"name": "logit_adjustment"}}, "balance.name logit_adjustment"),
    ],
)
def test_what_descent_alone_can_give_is_not_asked_of_other_models(sections, what, configure):
    with pytest.raises(FlarecastError, match=f"{what}: expected a model that is fitted by gradient, got svm"):
        check_parts(configure("svm", **sections))


def test_layers_to_freeze_are_looked_for_before_data_are_read(configure):
    for frozen, words in ((["rnn9"], "got rnn9"), (["encoder", "head"], "a layer that is left to train")):
        with pytest.raises(FlarecastError, match=words):
            check_parts(configure("lstm", train={"frozen": frozen}))


def test_rows_too_large_for_a_network_are_not_blamed_on_the_learning_rate(
    windows, split, configure, tmp_path
):
    large = windows.assign(values=windows["values"] * np.float32(1e36))
    config = configure("transformer", scale={"name": "none"})
    with pytest.raises(FlarecastError, match=r"batch 1 of \d+, before any step; scale the rows"):
        train(large, split, config, folder=tmp_path, device="cpu")

import json
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from flarecast import schema
from flarecast.averaging import AVERAGINGS
from flarecast.balance import BALANCERS, NEVER_ANALYTIC, class_priors
from flarecast.batches import choose_device, gather_steps
from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.losses import LOSSES
from flarecast.model_file import load
from flarecast.models import load_builder
from flarecast.models.shape import Shape
from flarecast.train import check_parts, train
from flarecast.train.epochs import fit_by_gradient, phases, run_alone
from flarecast.train.passes import validation_loss
from flarecast.train.prepare import prepare
from flarecast.train.training_state import Store
from flarecast.windows import step_rows

KILLED = """
import os, signal, sys
from pathlib import Path
from flarecast.config import load_config
from flarecast.schema import SPLIT, WINDOWS, open_file
from flarecast.train import train

def stop(epoch, epochs, entry):
    if epoch == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

here = Path(sys.argv[1])
train(open_file(here / "windows.nc", WINDOWS), open_file(here / "split.nc", SPLIT),
      load_config(here / "config.toml"), folder=here / "killed", device="cpu", progress=stop)
"""


def history(folder):
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


ONE_CYCLE = {
    "optimizer": "sgd",
    "optimizer_options": {"nesterov": True},
    "schedule": "one_cycle",
    "input_noise": 0.1,
    "mixup": 0.4,
}
STEPS = {"optimizer": "adagrad", "schedule": "step", "schedule_options": {"every": 2}, "averaging": "none"}


@pytest.mark.parametrize(
    ("epoch", "sections"),
    [
        (2, {}),
        (7, {}),
        (2, {"balance": {"name": "undersample", "event": "M1.0", "draw": "each_epoch"}}),
        (7, {"balance": {"name": "oversample_noisy", "event": "M1.0", "draw": "each_epoch"}}),
        (3, {"train": ONE_CYCLE}),
        (5, {"train": STEPS}),
    ],
    ids=["descent", "averaging", "windows drawn anew", "windows made anew", "one cycle", "steps"],
)
def test_a_killed_training_goes_on_to_the_same_weights_to_the_bit(
    epoch, sections, windows, split, configure, tmp_path
):
    from flarecast.config import write_config

    config = configure("cnn", model={"options": {"channels": [8, 8], "dropout": 0.3}}, **sections)
    schema.save(windows, tmp_path / "windows.nc", schema.WINDOWS)
    schema.save(split, tmp_path / "split.nc", schema.SPLIT)
    write_config(config, tmp_path / "config.toml")
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(epoch)], check=False)
    assert done.returncode == -signal.SIGKILL
    killed = tmp_path / "killed"
    assert {path.name for path in killed.iterdir()} == {"checkpoint.pt", "history.jsonl"}
    assert len(history(killed)) == epoch

    epochs_run = []
    train(windows, split, config, folder=killed, device="cpu", progress=lambda n, *_: epochs_run.append(n))
    train(windows, split, config, folder=tmp_path / "whole", device="cpu")
    assert epochs_run == list(range(epoch + 1, 9))
    assert not (killed / "checkpoint.pt").exists()
    for name in ("model.safetensors", "model.json", "history.jsonl"):
        assert (killed / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def stopped_after(epoch, *arguments, **keywords):
    """Train, but raise out of the progress callback after an epoch."""

    def stop(done, *_):
        if done == epoch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(*arguments, **keywords, progress=stop)


@pytest.mark.parametrize("changes", [{"train": {"weight_decay": 0.1}}, {"run": {"seed": 1}}])
def test_a_checkpoint_of_another_training_is_not_gone_on_from_and_that_is_told(
    changes, windows, split, configure, tmp_path
):
    stopped_after(2, windows, split, configure(), folder=tmp_path, device="cpu")
    seen, said = [], []
    keywords = {"device": "cpu", "progress": lambda n, *_: seen.append(n), "say": said.append}
    train(windows, split, configure(**changes), folder=tmp_path, **keywords)
    assert seen == list(range(1, 9))
    assert said == [
        f"{tmp_path / 'checkpoint.pt'}: a checkpoint of another configuration, other data, another device or "
        "other versions; training starts anew"
    ]


@pytest.mark.parametrize("name", ["windows_sha256", "split_sha256"])
def test_a_checkpoint_of_other_windows_or_roles_is_not_gone_on_from(
    name, windows, split, configure, tmp_path
):
    stopped_after(2, windows, split, configure(), folder=tmp_path, device="cpu", **{name: "a"})
    seen = []
    keywords = {"device": "cpu", name: "b", "progress": lambda n, *_: seen.append(n)}
    train(windows, split, configure(), folder=tmp_path, **keywords)
    assert seen[0] == 1


def test_a_damaged_checkpoint_is_as_good_as_none_and_that_is_told(windows, split, configure, tmp_path):
    stopped_after(2, windows, split, configure(), folder=tmp_path, device="cpu")
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    (tmp_path / ".model.json.1.part").write_text("left by a killed writer")
    said = []
    model = train(windows, split, configure(), folder=tmp_path, device="cpu", say=said.append)
    assert model.training["epochs"] == 8
    assert not list(tmp_path.glob(".*.part"))
    assert [sentence.split(": ")[1] for sentence in said] == [
        "expected a checkpoint, got a file that cannot be read; training starts anew"
    ]


def test_training_leaves_the_state_of_torch_as_it_was(windows, split, configure, tmp_path):
    before = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    stopped_after(1, windows, split, configure(), folder=tmp_path, device="cpu")
    train(windows, split, configure(), folder=tmp_path, device="cpu")
    after = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


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


def test_a_finished_model_is_replaced_whole(windows, split, configure, tmp_path):
    train(windows, split, configure("climatology"), folder=tmp_path, device="cpu")
    stopped_after(1, windows, split, configure(), folder=tmp_path, device="cpu")
    assert not (tmp_path / "model.json").exists()
    assert (tmp_path / "checkpoint.pt").exists()


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

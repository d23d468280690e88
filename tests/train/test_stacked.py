"""Members trained stacked: the trainings that they are alone, killed or not, where that is worth it."""

import json

import pytest
import torch

from flarecast.ensembles.recipes import STACKABLE, check_ensemble
from flarecast.errors import FlarecastError
from flarecast.model_file import load
from flarecast.resources import ALONE, Resources
from flarecast.schema import SPLIT, WINDOWS, save
from flarecast.train import workers
from flarecast.train.checkpoint import NAME
from flarecast.train.course import finish
from flarecast.train.stacked import FEW, MANY, WORTH_CPU, worth_stacking
from flarecast.train.trainings import train_all

CPU = torch.device("cpu")
QUIET = {"channels": [6, 6], "kernel": 3, "dropout": 0.0}
N = 3


@pytest.fixture(scope="module")
def files(windows, split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    save(windows, folder / "windows.nc", WINDOWS)
    save(split, folder / "split.nc", SPLIT)
    return folder / "windows.nc", folder / "split.nc"


@pytest.fixture
def members(configure):
    """Configuration of three members: `members(stacked, options, train)`, other sections as given."""

    def make(stacked="always", options=QUIET, train=None, name="cnn", **sections):
        settings = {"epochs": 4, "patience": 2, "averaging_start": 0.5} | (train or {})
        ensemble = {"name": "deep", "options": {"members": N, "stacked": stacked}}
        return configure(name, train=settings, model={"options": options}, ensemble=ensemble, **sections)

    return make


def folders(folder):
    return [folder, *(folder / "members" / str(number) for number in range(1, N))]


def weights(folder):
    return [load(one, "cpu").module.state_dict() for one in folders(folder)]


def histories(folder):
    return [(one / "history.jsonl").read_text().splitlines() for one in folders(folder)]


def apart(one, other):
    """Largest difference of weights and statistics, over members."""
    pairs = zip(one, other, strict=True)
    return max(float((a[name] - b[name]).abs().max()) for a, b in pairs for name in a)


@pytest.mark.parametrize(
    ("settings", "sections"),
    [
        ({}, {}),
        ({"optimizer": "sgd", "learning_rate": 0.1, "schedule": "one_cycle"}, {}),
        ({"optimizer": "rmsprop", "optimizer_options": {"momentum": 0.5}, "learning_rate": 0.003}, {}),
        ({"optimizer": "adagrad"}, {}),
        ({"optimizer": "adadelta", "learning_rate": 1.0}, {}),
        ({"loss": "focal", "averaging": "ema", "averaging_options": {"decay": 0.9}}, {}),
        ({"loss": "score_oriented", "clip": 0.0}, {}),
        ({"frozen": ["blocks.0"], "averaging_options": {"anneal": 1}}, {}),
        ({}, {"balance": {"name": "oversample"}}),
        ({}, {"balance": {"name": "oversample", "draw": "each_epoch"}}),
        ({}, {"balance": {"name": "smote"}}),
        ({"averaging": "none"}, {"balance": {"name": "class_weights"}}),
    ],
)
def test_stacked_members_are_those_trained_one_after_the_other(settings, sections, files, members, tmp_path):
    """Up to rounding, which optimisers that divide by small numbers make larger."""
    for stacked in ("always", "never"):
        config = members(stacked, train=settings, **sections)
        train_all(*files, config, tmp_path / stacked, ALONE)
    assert apart(weights(tmp_path / "always"), weights(tmp_path / "never")) < 2e-3
    for one, other in zip(*(histories(tmp_path / stacked) for stacked in ("always", "never")), strict=True):
        for line, alone in zip(map(json.loads, one), map(json.loads, other), strict=True):
            assert line.keys() == alone.keys()
            for name, value in line.items():
                assert value == (
                    pytest.approx(alone[name], rel=1e-3) if type(value) is float else alone[name]
                )
    assert not list(tmp_path.rglob(NAME))


@pytest.mark.parametrize("name", STACKABLE)
def test_every_kind_of_network_that_can_be_stacked_is(name, files, members, tmp_path):
    options = {
        "cnn": {"channels": [4], "kernel": 3, "dropout": 0.0},
        "resnet": {"channels": [4, 4], "kernel": 3, "dropout": 0.0, "stochastic_depth": 0.0},
        "inception_time": {"filters": 2, "kernels": [3], "depth": 3, "dropout": 0.0, "stochastic_depth": 0.0},
    }[name]
    for stacked in ("always", "never"):
        config = members(stacked, options, {"epochs": 2, "optimizer": "sgd", "learning_rate": 0.1}, name)
        train_all(*files, config, tmp_path / stacked, ALONE)
    assert apart(weights(tmp_path / "always"), weights(tmp_path / "never")) < 1e-4
    assert load(tmp_path / "always", "cpu").training["stacked"] == N
    assert load(tmp_path / "never", "cpu").training["stacked"] == 1


def test_what_dropout_and_noise_leave_out_differs_by_member_and_is_the_same_again(files, members, tmp_path):
    options = QUIET | {"dropout": 0.5}
    noisy = members("always", options, {"input_noise": 0.1, "mixup": 0.3, "averaging": "none"})
    for place in ("first", "again"):
        train_all(*files, noisy, tmp_path / place, ALONE)
    train_all(*files, members("always", options), tmp_path / "quiet", ALONE)
    first, again, quiet = (weights(tmp_path / place) for place in ("first", "again", "quiet"))
    assert apart(first, again) == 0
    assert apart(first, quiet) > 1e-3
    assert all(apart([first[a]], [first[b]]) > 1e-3 for a, b in ((0, 1), (0, 2), (1, 2)))


def test_stacked_members_draw_masks_of_their_own(files, members, tmp_path, monkeypatch):
    """From the same start and the same order of windows they go different ways."""
    config = members("always", QUIET | {"dropout": 0.5}, {"epochs": 1, "averaging": "none"})
    monkeypatch.setattr(type(config), "of_member", lambda self, number: self)
    train_all(*files, config, tmp_path, ALONE)
    first, second, third = weights(tmp_path)
    assert min(apart([first], [second]), apart([second], [third]), apart([first], [third])) > 1e-4


@pytest.mark.parametrize("moment", [2, 7, 8, 11])
def test_stacked_members_killed_anywhere_end_with_the_same_weights_to_the_bit(
    moment, files, members, tmp_path
):
    """Also where some had gone on to the next epoch, and some had ended."""
    config = members("always", QUIET | {"dropout": 0.3}, {"patience": 1, "learning_rate": 0.1})
    train_all(*files, config, tmp_path / "whole", ALONE)
    said = 0

    def stop(*_):
        nonlocal said
        said += 1
        if said == moment:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_all(*files, config, tmp_path / "killed", Resources("cpu", 1, stop))
    assert not list((tmp_path / "killed").rglob("model.json")), "written when all are done"
    said = moment
    train_all(*files, config, tmp_path / "killed", Resources("cpu", 1, stop))
    left = sum(len(lines) - 1 for lines in histories(tmp_path / "whole"))
    assert said - moment <= left - N * ((moment - 1) // N), "goes on, and does not start anew"
    assert apart(weights(tmp_path / "whole"), weights(tmp_path / "killed")) == 0
    assert histories(tmp_path / "whole") == histories(tmp_path / "killed")


def test_members_killed_while_they_are_written_go_through_no_epoch_anew(
    files, members, tmp_path, monkeypatch
):
    config = members("always", QUIET | {"dropout": 0.3})
    train_all(*files, config, tmp_path / "whole", ALONE)
    written = []

    def stop(model, folder):
        written.append(folder)
        if len(written) == 2:
            raise KeyboardInterrupt
        finish(model, folder)

    monkeypatch.setattr(workers, "finish", stop)
    with pytest.raises(KeyboardInterrupt):
        train_all(*files, config, tmp_path / "killed", ALONE)
    monkeypatch.undo()
    said = []
    train_all(*files, config, tmp_path / "killed", Resources("cpu", 1, lambda *of: said.append(of)))
    assert not said
    assert apart(weights(tmp_path / "whole"), weights(tmp_path / "killed")) == 0
    assert not list(tmp_path.rglob(NAME))


@pytest.mark.parametrize(
    ("changes", "starts_anew"),
    [({"run": {"seed": 5}}, True), ({"calibrate": {"folds": 4}}, False)],
)
def test_a_killed_stacked_training_goes_on_unless_something_that_it_depends_on_has_changed(
    changes, starts_anew, files, members, tmp_path
):
    done, said = [], []

    def stop(*of):
        done.append(of[0])
        if len(done) == 2 * N:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_all(*files, members(), tmp_path, Resources("cpu", 1, stop))
    train_all(*files, members(**changes), tmp_path, Resources("cpu", 1, stop, said.append))
    assert (done[2 * N] == 1) is starts_anew
    assert len(said) == starts_anew
    assert all(sentence.endswith("training starts anew") for sentence in said)


def test_a_failing_member_is_named(files, members, tmp_path):
    with pytest.raises(FlarecastError, match=r"^model, member 1: training loss: expected a finite number"):
        train_all(*files, members("always", train={"learning_rate": 1e30, "clip": 0.0}), tmp_path, ALONE)


def test_small_networks_are_stacked_by_themselves_and_larger_or_recurrent_ones_are_not(configure):
    def worth(width, members, name="cnn", **train):
        options = {"channels": [4, width], "kernel": 3} if name == "cnn" else {}
        ensemble = {"name": "deep", "options": {"members": members}}
        config = configure(
            name, train={"batch_size": 64} | train, model={"options": options}, ensemble=ensemble
        )
        return worth_stacking(config, 12, CPU)

    most = FEW * WORTH_CPU // (64 * 12)
    assert worth(most, FEW)
    assert not worth(most + 1, FEW)
    assert not worth(1, FEW - 1)
    assert worth(MANY // FEW * most, MANY)
    assert not worth(MANY // FEW * most + 1, MANY)
    assert not worth(MANY // FEW * most + 1, 2 * MANY)
    assert not worth(most, FEW, accumulate=2)
    assert not worth(most, FEW, compile=True)
    assert not worth(most, FEW, self_training={"rounds": 1})
    assert not worth(most, FEW, name="lstm")
    assert not worth(most, FEW, name="resnet")


@pytest.mark.parametrize(
    ("name", "train", "why_not"),
    [
        ("lstm", {}, r"model.name lstm \(not one of cnn, resnet, inception_time\)"),
        ("cnn", {"accumulate": 2}, "train.accumulate 2"),
        ("cnn", {"compile": True}, "train.compile true"),
        ("cnn", {"self_training": {"rounds": 1}}, "train.self_training"),
    ],
)
def test_what_cannot_be_stacked_is_refused_where_it_is_asked_for(name, train, why_not, configure):
    ensemble = {"name": "deep", "options": {"stacked": "always"}}
    config = configure(name, train=train, ensemble=ensemble)
    with pytest.raises(FlarecastError, match=f"expected networks that can be trained stacked, got {why_not}"):
        check_ensemble(config)


@pytest.mark.parametrize("stacked", ["always", "never"])
def test_what_all_members_have_to_say_is_said_once(stacked, files, members, tmp_path):
    said = []
    config = members(stacked, train={"epochs": 2, "batch_size": 100_000})
    train_all(*files, config, tmp_path, Resources("cpu", 1, None, said.append))
    assert len(said) == 1
    assert "every epoch is a single step" in said[0]


def test_stacked_members_share_their_rows_on_the_device(files, members, tmp_path, monkeypatch):
    from flarecast.train import together

    seen = []
    real = together.train_epoch_together
    monkeypatch.setattr(
        together, "train_epoch_together", lambda states, tasks: seen.append(tasks) or real(states, tasks)
    )
    train_all(*files, members("always", train={"epochs": 2}), tmp_path, ALONE)
    assert seen
    assert all(len({id(task.train.tensors) for task in tasks}) == 1 for tasks in seen)
    assert all(len(tasks) == N for tasks in seen[:1])

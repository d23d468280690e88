"""Labels hidden by whole regions, and those that a model gives in their place."""

import numpy as np
import pytest
import torch
from trained import weights

from flarecast.config.sections import SelfTraining
from flarecast.goes import compatible_classes, occurred_table
from flarecast.schema import ROLES
from flarecast.seen import unpack
from flarecast.train import self_training, train
from flarecast.train.labels import hidden_labels
from flarecast.train.self_training import choose_surest

TRAIN, TEST = ROLES.index("train"), ROLES.index("test")


def labels(windows, role, config):
    occurred = occurred_table(windows, config.events, config.train.unassigned)
    low, _ = compatible_classes(occurred)
    known = (occurred >= 0).any(axis=1)
    return hidden_labels(windows, role, low, known, config), low, known


def test_labels_are_hidden_by_whole_regions_and_few_of_them_hold_every_class(windows, role, configure):
    region = windows["region"].values.astype(str)
    before = np.zeros(role.size, dtype=bool)
    for share in (1.0, 0.5, 0.2, 0.01):
        hidden, low, known = labels(windows, role, configure(train={"label_share": share}))
        assert (role[hidden] == TRAIN).all()
        shown = known & ~hidden & (role == TRAIN)
        assert not set(region[hidden]) & set(region[shown])
        assert set(low[shown]) == set(low[known & (role == TRAIN)])
        assert (hidden >= before).all()  # a smaller share hides what a larger one hides, and more
        before = hidden
    assert len(set(region[shown])) <= 4
    other, *_ = labels(windows, role, configure(train={"label_share": 0.2}, run={"seed": 1}))
    assert (other != labels(windows, role, configure(train={"label_share": 0.2}))[0]).any()


def test_hidden_labels_leave_scaler_and_validation_as_they_were(windows, split, role, configure, tmp_path):
    settings = {"epochs": 1, "averaging": "none"}
    whole = train(windows, split, configure("cnn", train=settings), folder=tmp_path / "a", device="cpu")
    few_labels = configure("cnn", train={**settings, "label_share": 0.2})
    few = train(windows, split, few_labels, folder=tmp_path / "b", device="cpu")
    np.testing.assert_array_equal(few.scaler.centre, whole.scaler.centre)
    assert few.training["windows_train"] < 0.4 * whole.training["windows_train"]
    assert few.training["windows_validation"] == whole.training["windows_validation"]
    hidden, *_ = labels(windows, role, few_labels)
    assert not (unpack(few.training["seen"]["weights"], role.size) & hidden).any()


def test_pseudo_labels_are_given_to_train_windows_without_outcome_and_stay_apart(
    windows, split, role, configure, tmp_path
):
    settings = {"epochs": 3, "averaging": "none", "label_share": 0.3}
    plain = train(windows, split, configure("cnn", train=settings), folder=tmp_path / "plain", device="cpu")
    taught = configure("cnn", train={**settings, "self_training": {"rounds": 2, "confidence": 0.3}})
    model = train(windows, split, taught, folder=tmp_path / "taught", device="cpu")
    hidden, _, known = labels(windows, role, taught)
    given = unpack(model.training["seen"]["pseudo_labels"], role.size)
    assert 0 < given.sum() == model.training["windows_pseudo"]
    assert (role[given] == TRAIN).all()
    assert (hidden | ~known)[given].all()
    assert not (given & unpack(model.training["seen"]["weights"], role.size)).any()
    np.testing.assert_array_equal(model.prior_natural, plain.prior_natural)
    np.testing.assert_array_equal(model.training_base_rate, plain.training_base_rate)
    assert model.training["windows_train"] == plain.training["windows_train"]
    assert not (tmp_path / "taught" / "teachers").exists()
    assert weights(tmp_path / "taught").keys() == weights(tmp_path / "plain").keys()
    assert any(
        not torch.equal(value, weights(tmp_path / "plain")[name])
        for name, value in weights(tmp_path / "taught").items()
    )


def test_pseudo_labels_are_given_by_natural_probabilities_where_training_was_balanced(
    windows, split, configure, tmp_path, monkeypatch
):
    given = []

    def keep(index, probability, prior, settings):
        given.extend([probability[probability.any(axis=1)], prior])
        return choose_surest(index, probability, prior, settings)

    monkeypatch.setattr(self_training, "choose_surest", keep)
    settings = {"epochs": 1, "averaging": "none", "learning_rate": 1e-9, "self_training": {"rounds": 1}}
    config = configure("lstm", train={**settings, "label_share": 0.5}, balance={"name": "oversample"})
    train(windows, split, config, folder=tmp_path, device="cpu")
    probability, prior = given  # of a network that has learned no more than the priors it starts at
    np.testing.assert_allclose(probability.mean(axis=0), prior, atol=0.05)


def test_self_training_where_every_outcome_is_known_goes_on_with_the_honest_labels_alone(
    windows, split, configure, tmp_path
):
    known = windows["peak_flux_upper"].where(np.isfinite(windows["peak_flux_upper"]), 9.9e-7)
    settings = {"epochs": 1, "averaging": "none", "self_training": {"rounds": 1}}
    whole = windows.assign(peak_flux_upper=known)
    model = train(whole, split, configure("lstm", train=settings), folder=tmp_path, device="cpu")
    assert model.training["windows_pseudo"] == 0


@pytest.mark.parametrize("stop_at", [2, 4, 5])
def test_a_killed_self_training_goes_on_to_the_same_weights(windows, split, configure, tmp_path, stop_at):
    rounds = {"rounds": 1, "confidence": 0.0, "share": 1.0}
    settings = {"epochs": 3, "averaging": "none", "label_share": 0.3, "self_training": rounds}
    config = configure("cnn", train=settings, balance={"name": "oversample", "draw": "each_epoch"})
    train(windows, split, config, folder=tmp_path / "whole", device="cpu")
    calls = []

    def stop(*_):
        calls.append(1)
        if len(calls) == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(windows, split, config, folder=tmp_path / "killed", device="cpu", progress=stop)
    train(windows, split, config, folder=tmp_path / "killed", device="cpu")
    for name in ("model.safetensors", "model.json", "history.jsonl"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_the_surest_windows_of_each_class_are_chosen_in_the_proportions_of_the_labels():
    rng = np.random.default_rng(0)
    rare = rng.random(1000) * 0.9
    probability = np.stack([1 - rare, rare], axis=1)
    settings = SelfTraining(share=0.4, confidence=0.5, weight=0.3)
    chosen = choose_surest(np.arange(1000) + 7, probability, np.array([0.9, 0.1]), settings)
    assert (chosen.label == 1).sum() == 40
    assert (chosen.label == 0).sum() == 360
    assert chosen.weight == 0.3
    assert rare[chosen.index[chosen.label == 1] - 7].min() > np.sort(rare)[-41]
    doubtful = choose_surest(np.arange(10), np.full((10, 2), 0.5), np.array([0.9, 0.1]), settings)
    assert doubtful.index.size == 0

"""One TOML file a run, read strictly."""

import numpy as np
import pytest

from flarecast.config import check_options, load_config, parse_config, write_config
from flarecast.errors import FlarecastError


def test_no_file_gives_the_defaults():
    config = load_config(None)
    assert config.events == ("C1.0", "M1.0", "X1.0")
    assert config.model.name == "lstm"
    assert config.train.averaging == "swa"


def test_resolved_configuration_reads_back_to_itself(tmp_path):
    config = load_config(None, ["split.strategy=by_region", "train.epochs=3", "events=['M1.0']"])
    write_config(config, tmp_path / "config.toml")
    assert load_config(tmp_path / "config.toml") == config
    assert config.split.strategy == "by_region"


def test_set_reads_toml_and_else_text():
    config = load_config(
        None, ["split.options.train_cycles=[23, 24]", "model.name=cnn", "train.learning_rate=1e-2"]
    )
    assert config.split.options["train_cycles"] == [23, 24]
    assert config.model.name == "cnn"
    assert config.train.learning_rate == 0.01


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("trian.epochs=3", "unknown key trian; known here: balance, calibrate"),
        ("train.epoch=3", "unknown key train.epoch; known here: accumulate, allow_leaks, averaging"),
        ("train.epochs=true", "train.epochs: input should be a valid integer, got True"),
        ("train.epochs='3'", "got '3'"),
        ("train.epochs=0", "greater than or equal to 1"),
        ("events=['Z9']", "GOES class"),
        ("events=['X1.0', 'M1.0']", "expected GOES classes that rise, got X1.0, M1.0"),
        ("events=[]", "got none"),
        ("balance.event=M5.0", "'M5.0' is not among events C1.0, M1.0, X1.0"),
        ("train=3", "train:"),
        ("noequals", "expected section.key=value, got 'noequals'"),
        ("events.a=1", "events"),
    ],
)
def test_bad_values_are_one_sentence(change, words):
    with pytest.raises(FlarecastError) as told:
        load_config(None, [change])
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_events_have_one_spelling_and_keep_every_digit():
    # An operational M1.0 on the true scale; cut to M1.4 it would be another event.
    assert load_config(None, ["events=['m1', 'M1.43', 'X1']"]).events == ("M1.0", "M1.43", "X1.0")


def test_all_problems_are_told_at_once():
    with pytest.raises(FlarecastError, match=r"train.epochs.*; train.loss"):
        parse_config({"train": {"epochs": "many", "loss": 3}})


def test_a_missing_or_broken_file_is_one_sentence(tmp_path):
    with pytest.raises(FlarecastError, match=r"none.toml: cannot be read"):
        load_config(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[run\n", encoding="utf-8")
    with pytest.raises(FlarecastError, match=r"bad.toml: expected TOML"):
        load_config(tmp_path / "bad.toml")


def test_a_stage_has_its_own_random_numbers_from_the_seed_alone():
    config, other = load_config(None), load_config(None, ["run.seed=1"])
    first = config.generator("split").random(4)
    np.testing.assert_array_equal(first, config.generator("split").random(4))
    assert not np.array_equal(first, config.generator("train").random(4))
    assert not np.array_equal(first, other.generator("split").random(4))


def a_part(
    windows, rng, *, embargo_hours: float | None = None, cycles: tuple[int, ...] = (23,), share: float = 0.5
):
    return windows, rng, embargo_hours, cycles, share


def test_options_are_checked_against_the_signature():
    assert check_options(a_part, {"cycles": [23, 24], "share": 1}, "split.options") == {
        "cycles": (23, 24),
        "share": 1.0,
    }
    with pytest.raises(FlarecastError, match=r"split.options: unknown key cycle; known here: cycles, share"):
        check_options(a_part, {"cycle": [23]}, "split.options", ("embargo_hours",))
    with pytest.raises(FlarecastError, match=r"share: input should be a valid number, got True"):
        check_options(a_part, {"share": True}, "split.options")
    with pytest.raises(FlarecastError, match=r"unknown key embargo_hours"):
        check_options(a_part, {"embargo_hours": 3.0}, "split.options", ("embargo_hours",))


def test_the_balanced_event_is_m_unless_said_otherwise():
    assert load_config(None).balanced_event == "M1.0"
    assert load_config(None, ["events=['C1.0', 'M5.0']"]).balanced_event == "C1.0"
    assert load_config(None, ["balance.event=X1.0"]).balanced_event == "X1.0"


def test_calibrators_are_fitted_on_what_is_asked_for():
    assert load_config(None).fit_on == "out_of_fold"
    assert load_config(None, ["split.strategy=by_time"]).fit_on == "calibration"
    asked = load_config(None, ["calibrate.fit_on=out_of_fold", "calibrate.folds=3"])
    assert (asked.fit_on, asked.calibrate.folds) == ("out_of_fold", 3)
    for change in ("calibrate.fit_on=test", "calibrate.folds=1"):
        with pytest.raises(FlarecastError, match=change.partition("=")[0]):
            load_config(None, [change])


def test_a_rival_takes_no_options_of_a_part_that_it_replaces():
    swag = {"averaging": "swag", "averaging_options": {"members": 20}, "loss_options": {"gamma": 3.0}}
    rivals = {"sgd": {"train": {"averaging": "none"}}, "again": {"train": {"averaging": "swag", "epochs": 3}}}
    config = parse_config({"train": {**swag, "loss": "focal"}, "rivals": rivals})
    sgd, again = config.of_rival("sgd").train, config.of_rival("again").train
    assert (sgd.averaging_options, sgd.loss_options) == ({}, {"gamma": 3.0})
    assert (again.averaging_options, again.epochs) == ({"members": 20}, 3)

"""Updates of a calibration inside forecasts: which windows are moved, by what, and what an audit sees."""

import numpy as np
import pytest

from flarecast.calibrate import calibrate, updating
from flarecast.calibrate.calibration import apply_calibration, calibrated
from flarecast.calibrators.updates import UPDATES
from flarecast.config.sections import Calibrate
from flarecast.errors import FlarecastError
from flarecast.files import read_json, write_json
from flarecast.schema import FORECASTS, ROLES, build

DAY = 86_400
EVENTS = ("C1.0", "M1.0")
TRAIN, CALIBRATION, TEST = (ROLES.index(name) for name in ("train", "calibration", "test"))


def forecasts_of(n=1_500, seed=0, **arrays):
    """Daily forecasts: train, calibration, then a test in which flares are half as likely as said."""
    rng = np.random.default_rng(seed)
    role = np.repeat([TRAIN, CALIBRATION, TEST], n // 3)
    chance = np.stack([rng.beta(1, 3, n)] * 2, axis=1) * [1, 0.4]
    occurred = (rng.random((n, 1)) < chance * np.where(role == TEST, 0.5, 1)[:, None]).astype(np.int8)
    issue = np.arange(n) * DAY
    given = {
        "event": EVENTS,
        "probability": chance,
        "occurred": occurred,
        "issue_time": issue,
        "valid_from": issue,
        "valid_to": issue + DAY,
        "region": ["disk"] * n,
        "cluster": [f"rotation {number // 27}" for number in range(n)],
        "role": role,
        "fold": np.zeros(n),
    } | arrays
    return build(FORECASTS, given, {"forecast_name": "model", "history": "test"})


def fitted(forecasts, name="sequential", **settings):
    return calibrate(forecasts, "platt", {}, settings=Calibrate(update=name, **settings))


@pytest.mark.parametrize("name", sorted(set(UPDATES) - {"none"}))
def test_only_forecasts_that_nothing_was_fitted_on_are_moved_and_stay_nested(name):
    forecasts = forecasts_of()
    static = calibrate(forecasts, "platt", {})[0]["probability"].values
    mended, calibration = fitted(forecasts, name)
    test = forecasts["role"].values == TEST
    np.testing.assert_array_equal(mended["probability"].values[~test], static[~test])
    assert (mended["probability"].values[test] != static[test]).any()
    assert (np.diff(mended["probability"].values, axis=1) <= 0).all()
    assert calibration["update"]["name"] == name
    assert calibration["update"]["until"] == (forecasts["issue_time"].values[~test]).max()


def test_a_sequential_update_mends_what_a_fixed_calibration_cannot_know():
    forecasts = forecasts_of(6_000)
    test = forecasts["role"].values == TEST
    occurred = forecasts["occurred"].values[test, 0]
    static = calibrate(forecasts, "platt", {})[0]["probability"].values[test, 0]
    moved = fitted(forecasts)[0]["probability"].values[test, 0]
    assert ((moved - occurred) ** 2).mean() < ((static - occurred) ** 2).mean() - 0.005


def test_decision_thresholds_are_those_of_the_fixed_calibration():
    forecasts = forecasts_of()
    assert (
        fitted(forecasts)[1]["decision_threshold"]
        == (calibrate(forecasts, "platt", {})[1]["decision_threshold"])
    )


def test_an_update_read_back_from_json_gives_the_same_probabilities(tmp_path):
    mended, calibration = fitted(forecasts_of())
    write_json(tmp_path / "calibration.json", calibration)
    again = calibrated(mended, read_json(tmp_path / "calibration.json"))
    np.testing.assert_array_equal(again["probability"].values, mended["probability"].values)


def test_windows_of_no_role_issued_after_all_that_was_learned_from_are_updated_in_operations():
    forecasts = forecasts_of()
    mended, calibration = fitted(forecasts)
    operations = forecasts.assign(role=("window", np.zeros(1_500, dtype=np.int8), forecasts["role"].attrs))
    again = calibrated(operations, calibration)
    np.testing.assert_array_equal(again["probability"].values, mended["probability"].values)


def test_in_walk_forward_folds_each_model_learns_from_the_outcomes_of_its_own_test_alone():
    forecasts = forecasts_of()
    folds = np.arange(1_500) % 2
    both = forecasts.assign(fold=("window", folds.astype(np.int32), forecasts["fold"].attrs))
    mended, calibration = fitted(both)
    assert set(calibration["folds"]) == {"0", "1"}
    for one in (0, 1):
        alone = fitted(both.isel(window=np.flatnonzero(folds == one)))[0]
        np.testing.assert_array_equal(mended["probability"].values[folds == one], alone["probability"].values)


def test_a_longer_delay_of_the_reports_leaves_less_to_learn_from():
    forecasts = forecasts_of()
    static = calibrate(forecasts, "platt", {})[0]["probability"].values
    first = {}
    for hours in (0.0, 240.0):
        moved = fitted(forecasts, delay_hours=hours)[0]["probability"].values
        first[hours] = int(np.flatnonzero((moved != static).any(axis=1))[0])
    assert first[0.0] == 1_001, "the day after the first of test"
    assert first[240.0] == 1_011


def test_calibrations_written_before_there_were_updates_are_fixed():
    forecasts = forecasts_of()
    mended, calibration = calibrate(forecasts, "platt", {})
    older = {key: value for key, value in calibration.items() if key != "update"}
    np.testing.assert_array_equal(
        calibrated(forecasts, older)["probability"].values, mended["probability"].values
    )


def check(forecasts, written, calibration):
    static, _ = apply_calibration(forecasts["probability"].values, calibration, EVENTS)
    return updating.check_no_look_ahead(forecasts, written, static, calibration, 8)


@pytest.mark.parametrize("name", sorted(set(UPDATES) - {"none"}))
def test_a_replay_with_the_future_hidden_gives_the_same_probabilities(name):
    forecasts = forecasts_of()
    mended, calibration = fitted(forecasts, name)
    assert check(forecasts, mended["probability"].values, calibration) is None


@pytest.mark.parametrize("name", ["sequential", "refit"])
def test_a_planted_look_ahead_is_caught_by_the_replay(name, monkeypatch):
    forecasts = forecasts_of()
    honest = updating.known_time
    with monkeypatch.context() as patched:
        patched.setattr(updating, "known_time", lambda one, delay: honest(one, delay) - 30 * DAY)
        mended, calibration = fitted(forecasts, name)
    caught = check(forecasts, mended["probability"].values, calibration)
    assert caught is not None
    assert caught > "1972", "of the test dates"


def test_probabilities_that_peep_at_their_own_outcome_are_caught():
    forecasts = forecasts_of()
    mended, calibration = fitted(forecasts)
    written = mended["probability"].values.copy()
    written[1_000:, 0] += 0.01 * forecasts["occurred"].values[1_000:, 0]
    written[:, 0] = written[:, 0].clip(0, 1)
    assert check(forecasts, written, calibration) is not None


def test_a_negative_delay_in_calibration_json_is_refused():
    forecasts = forecasts_of()
    _, calibration = fitted(forecasts)
    calibration["update"]["delay_hours"] = -24.0
    with pytest.raises(
        FlarecastError, match="expected a delay of at least 0 h, since nobody knows an outcome"
    ):
        calibrated(forecasts, calibration)


def test_an_unknown_update_or_option_is_refused():
    with pytest.raises(
        FlarecastError, match=r"calibrate\.update: expected one of black_box, em, none, refit"
    ):
        fitted(forecasts_of(60), "magic")
    with pytest.raises(
        FlarecastError, match=r"calibrate\.update_options: unknown key speed; known here: half"
    ):
        fitted(forecasts_of(60), "sequential", update_options={"speed": 2})
    _, calibration = fitted(forecasts_of(60))
    calibration["update"]["name"] = "magic"
    with pytest.raises(FlarecastError, match="calibration: update: expected one of"):
        calibrated(forecasts_of(60), calibration)

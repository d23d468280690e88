"""Calibrating forecasts: what is fitted, on what, and how it is applied and kept."""

import json

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from flarecast import schema
from flarecast.calibrate import calibrate
from flarecast.calibrate.calibration import apply_calibration
from flarecast.calibrators import CALIBRATORS
from flarecast.cli import main
from flarecast.config.sections import Calibrate, Decision
from flarecast.decision import RULE_NAMES
from flarecast.errors import FlarecastError
from flarecast.files import read_json, write_json

EVENTS = ("C1.0", "M1.0", "X1.0")
CONDITIONAL = Calibrate(nesting="conditional")
TRAIN, VALIDATION, CALIBRATION, TEST = 1, 2, 3, 4


def forecasts_of(probability, occurred, role, **attributes):
    """A forecasts file made of the parts that matter here."""
    n_windows = len(role)
    issue_time = 86_400 * np.arange(n_windows)
    arrays = {
        "event": EVENTS[: probability.shape[1]],
        "probability": probability,
        "occurred": occurred,
        "issue_time": issue_time,
        "valid_from": issue_time,
        "valid_to": issue_time + 86_400,
        "region": ["disk"] * n_windows,
        "cluster": ["rotation 1"] * n_windows,
        "role": role,
        "fold": np.zeros(n_windows),
    }
    attributes = {"forecast_name": "model", "history": "simulated", **attributes}
    return schema.build(schema.FORECASTS, arrays, attributes)


def simulated(n_windows=6_000, seed=0, **attributes):
    """Overconfident nested forecasts with their outcomes, a few missing and unknown, all roles."""
    rng = np.random.default_rng(seed)
    chance = np.stack([rng.beta(0.4, 1.5, n_windows)] * 3, axis=1) * [1, 0.3, 0.08]
    occurred = (rng.random((n_windows, 1)) < chance).astype(np.int8)
    probability = chance**0.7
    occurred[rng.random(n_windows) < 0.02] = -1
    probability[rng.random(n_windows) < 0.02] = np.nan
    return forecasts_of(probability, occurred, rng.integers(0, 5, n_windows), **attributes)


def bss(probability, occurred):
    """Brier skill score against the sample's own base rate."""
    return 1 - ((probability - occurred) ** 2).mean() / occurred.var()


@pytest.mark.parametrize("name", CALIBRATORS)
def test_calibrated_forecasts_are_legal_and_nested_and_keep_everything_else(name, tmp_path):
    priors = {"prior_natural": [0.8, 0.15, 0.04, 0.01], "prior_trained": [0.5, 0.2, 0.2, 0.1]}
    forecasts = simulated(**priors)
    before = forecasts.copy(deep=True)
    calibrated, calibration = calibrate(forecasts, name, {})
    xr.testing.assert_identical(forecasts, before)
    schema.save(calibrated, tmp_path / "calibrated.nc", schema.FORECASTS)
    kept = schema.open_file(tmp_path / "calibrated.nc", schema.FORECASTS)

    missing = np.isnan(forecasts["probability"].values)
    mended = kept["probability"].values
    np.testing.assert_array_equal(np.isnan(mended), missing)
    assert (np.diff(mended[~missing.any(axis=1)], axis=1) <= 0).all()
    np.testing.assert_array_equal(kept["probability_raw"].values, forecasts["probability"].values)
    xr.testing.assert_identical(
        calibrated.drop_vars(
            ["probability", "probability_raw", "probability_lower", "probability_upper"], errors="ignore"
        ).drop_attrs(deep=False),
        forecasts.drop_vars("probability").drop_attrs(deep=False),
    )
    assert kept.attrs["calibrated"] == 1
    assert kept.attrs["n_cells_changed"] == calibration["cells_changed"]
    assert json.loads(kept.attrs["decision_threshold"]) == calibration["decision_threshold"]
    assert calibration["events"] == list(EVENTS)
    assert calibration["prior_corrected"] == (name != "none")


@pytest.mark.parametrize("name", CALIBRATORS)
def test_a_calibration_read_back_from_json_gives_the_same_probabilities_to_the_bit(name, tmp_path):
    forecasts = simulated(prior_natural=[0.8, 0.15, 0.04, 0.01], prior_trained=[0.5, 0.2, 0.2, 0.1])
    calibrated, calibration = calibrate(forecasts, name, {})
    write_json(tmp_path / "calibration.json", calibration)
    kept = read_json(tmp_path / "calibration.json")
    assert kept == calibration
    raw = calibrated["probability_raw"].values
    applied, changed = apply_calibration(raw, kept, EVENTS)
    np.testing.assert_array_equal(applied, calibrated["probability"].values)
    assert changed == calibration["cells_changed"]
    alone = np.concatenate([apply_calibration(raw[i : i + 1], kept, EVENTS)[0] for i in range(50)])
    np.testing.assert_array_equal(alone, applied[:50])


def test_calibrating_twice_starts_from_the_raw_probabilities_again():
    once, first = calibrate(simulated(), "platt", {})
    twice, second = calibrate(once, "platt", {})
    assert second == first
    np.testing.assert_array_equal(twice["probability"].values, once["probability"].values)


def test_platt_mends_what_the_outcomes_contradict():
    calibrated, calibration = calibrate(simulated(), "platt", {})
    test = (calibrated["role"].values == TEST) & (calibrated["occurred"].values[:, 0] >= 0)
    test &= ~np.isnan(calibrated["probability_raw"].values[:, 0])
    for j in range(2):
        occurred = calibrated["occurred"].values[test, j]
        raw, mended = (calibrated[name].values[test, j] for name in ("probability_raw", "probability"))
        assert bss(mended, occurred) > bss(raw, occurred) + 0.02
        assert mended.mean() == pytest.approx(occurred.mean(), abs=0.02)
    assert calibration["event_calibration"]["C1.0"]["reason"] is None


@pytest.mark.parametrize("name", CALIBRATORS)
def test_only_the_calibration_role_is_read(name):
    forecasts = simulated()
    _, calibration = calibrate(forecasts, name, {})
    elsewhere = forecasts["role"].values != CALIBRATION
    changed = forecasts.copy(deep=True)
    rng = np.random.default_rng(1)
    changed["probability"].values[elsewhere] = np.sort(rng.random((elsewhere.sum(), 3)), axis=1)[:, ::-1]
    changed["occurred"].values[elsewhere] = rng.integers(-1, 2, (elsewhere.sum(), 3))
    _, again = calibrate(changed, name, {})
    again["cells_changed"] = calibration["cells_changed"]
    assert again == calibration

    inside = forecasts.copy(deep=True)
    inside["occurred"].values[~elsewhere] = 1 - inside["occurred"].values[~elsewhere].clip(0)
    assert calibrate(inside, name, {})[1]["decision_threshold"] != calibration["decision_threshold"]


def test_each_fold_with_a_test_of_its_own_is_calibrated_on_its_own_windows_alone():
    forecasts = simulated()
    fold = forecasts["fold"].values
    fold[::2] = 1
    both, calibration = calibrate(forecasts, "platt", {})
    alone, numbers = calibrate(forecasts.isel(window=fold == 1), "platt", {})
    assert calibration["folds"]["1"]["event_calibration"] == numbers["event_calibration"]
    assert json.loads(both.attrs["decision_threshold"])["folds"]["1"] == numbers["decision_threshold"]
    np.testing.assert_array_equal(both["probability"].values[fold == 1], alone["probability"].values)


def test_out_of_fold_forecasts_are_calibrated_together():
    forecasts = simulated()
    forecasts["fold"].values[::2] = 1
    forecasts.attrs["out_of_fold"] = 1
    role = forecasts["role"].values == CALIBRATION
    known = (forecasts["occurred"].values[:, 0] >= 0) & ~np.isnan(forecasts["probability"].values[:, 0])
    _, calibration = calibrate(forecasts, "platt", {})
    assert calibration["event_calibration"]["C1.0"]["n"] == (role & known).sum()


def test_few_events_get_the_prior_correction_alone_and_the_reason():
    forecasts = simulated(prior_natural=[0.8, 0.15, 0.04, 0.01], prior_trained=[0.5, 0.2, 0.2, 0.1])
    rare = forecasts["occurred"].values[:, 2] == 1
    role = forecasts["role"].values == CALIBRATION
    forecasts["occurred"].values[np.flatnonzero(role & rare)[15:], 2] = 0
    calibrated, calibration = calibrate(forecasts, "platt", {})
    numbers = calibration["event_calibration"]["X1.0"]
    assert numbers["n_events"] < 20
    assert "events in calibration, 20 needed: only the prior is corrected" in numbers["reason"]
    prior_only = calibrate(forecasts, "prior", {})[0]["probability"].values
    weaker = calibrated["probability"].values[:, 1]
    np.testing.assert_array_equal(calibrated["probability"].values[:, 2], np.fmin(prior_only[:, 2], weaker))
    assert calibration["decision_threshold"]["X1.0"]["tss"] is not None


@pytest.mark.parametrize("name", CALIBRATORS)
def test_without_a_calibration_role_only_the_prior_is_corrected_and_thresholds_are_null(name):
    forecasts = simulated(prior_natural=[0.8, 0.15, 0.04, 0.01], prior_trained=[0.5, 0.2, 0.2, 0.1])
    forecasts["role"].values[forecasts["role"].values == CALIBRATION] = TRAIN
    calibrated, calibration = calibrate(forecasts, name, {})
    kind = "none" if name == "none" else "prior"
    expected = calibrate(forecasts, kind, {})[0]["probability"].values
    np.testing.assert_array_equal(calibrated["probability"].values, expected)
    for event in EVENTS:
        numbers = calibration["event_calibration"][event]
        assert numbers["n"] == numbers["n_events"] == 0
        assert name != "platt" or "no forecast with a known outcome" in numbers["reason"]
        assert calibration["decision_threshold"][event] == dict.fromkeys(RULE_NAMES)
        assert "no window with known outcome in calibration" in numbers["decision_threshold_reason"]


def test_what_was_not_fitted_and_not_chosen_is_said_when_calibrating(tmp_path):
    forecasts = simulated(2_000)
    role = forecasts["role"].values == CALIBRATION
    rare = np.flatnonzero(role & (forecasts["occurred"].values[:, 2] == 1))
    forecasts["occurred"].values[rare[5:], 2] = 0
    forecasts["occurred"].values[role, 1] = 0
    schema.save(forecasts, tmp_path / "forecasts.nc", schema.FORECASTS)
    words = ["calibrate", tmp_path / "forecasts.nc", "-o", tmp_path / "calibrated.nc"]
    words += ["--set", "calibrate.name=isotonic", "--set", "calibrate.update=sequential"]
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "M1.0: 0 events in calibration, 20 needed: only the prior is corrected" in result.output
    assert "M1.0: no event in calibration: no score to maximise" in result.output
    assert "X1.0: 5 events in calibration, 20 needed" in result.output
    assert "C1.0" not in result.output
    assert "calibrated by isotonic, kept up to date by sequential" in result.output


@pytest.mark.parametrize(("outcome", "lacking"), [(0, "no event"), (1, "no non-event")])
def test_decision_thresholds_are_null_with_a_reason_where_one_side_is_missing(outcome, lacking):
    forecasts = simulated()
    forecasts["occurred"].values[forecasts["role"].values == CALIBRATION, 1] = outcome
    calibrated, calibration = calibrate(forecasts, "platt", {})
    assert calibration["decision_threshold"]["M1.0"] == dict.fromkeys(RULE_NAMES)
    assert lacking in calibration["event_calibration"]["M1.0"]["decision_threshold_reason"]
    assert calibration["event_calibration"]["C1.0"]["decision_threshold_reason"] is None
    assert json.loads(calibrated.attrs["decision_threshold"])["M1.0"] == dict.fromkeys(RULE_NAMES)


def test_decision_thresholds_have_intervals_of_a_block_bootstrap_where_a_generator_is_given():
    forecasts = simulated()
    clusters = [f"SIM {number // 50}" for number in range(forecasts.sizes["window"])]
    forecasts["cluster"] = ("window", np.array(clusters, dtype=object))
    _, bare = calibrate(forecasts, "platt", {})
    assert bare["decision_threshold_interval"]["M1.0"] == dict.fromkeys(RULE_NAMES)
    _, calibration = calibrate(forecasts, "platt", {}, rng=np.random.default_rng(0))
    assert calibration["decision_threshold"] == bare["decision_threshold"]
    for event in EVENTS:
        for rule in RULE_NAMES:
            low, high = calibration["decision_threshold_interval"][event][rule]
            assert 0 <= low <= high <= 1
            assert low <= calibration["decision_threshold"][event][rule] <= high
    assert calibrate(forecasts, "platt", {}, rng=np.random.default_rng(0))[1] == calibration


def test_a_guaranteed_recall_lies_below_the_threshold_that_just_reaches_it():
    pytest.importorskip("mapie", reason="extra conformal is not installed")
    forecasts = simulated()
    clusters = [f"SIM {number}" for number in range(forecasts.sizes["window"])]
    forecasts["cluster"] = ("window", np.array(clusters, dtype=object))
    decision = Decision(target_recall=0.8, guaranteed_recall=0.8)
    settings, rng = Calibrate(decision=decision), np.random.default_rng(0)
    calibrated, calibration = calibrate(forecasts, "platt", {}, settings=settings, rng=rng)
    chosen = calibration["decision_threshold"]["C1.0"]
    assert 0 < chosen["guaranteed_recall"] < chosen["target_recall"]
    assert json.loads(calibrated.attrs["decision_threshold"])["C1.0"] == chosen


def test_decision_thresholds_are_in_calibrated_probability():
    forecasts = simulated()
    calibrated, calibration = calibrate(forecasts, "platt", {})
    rows = (forecasts["role"].values == CALIBRATION) & (forecasts["occurred"].values[:, 1] >= 0)
    rows &= ~np.isnan(forecasts["probability"].values[:, 1])
    probability = calibrated["probability"].values[rows, 1]
    occurred = calibrated["occurred"].values[rows, 1] == 1

    def tss_at(threshold):
        return (probability >= threshold)[occurred].mean() - (probability >= threshold)[~occurred].mean()

    chosen = tss_at(calibration["decision_threshold"]["M1.0"]["tss"])
    assert chosen == pytest.approx(max(tss_at(p) for p in probability), abs=1e-12)


def test_cells_that_break_the_nesting_are_lowered_and_counted():
    calibration = {
        "name": "platt",
        "events": list(EVENTS),
        "prior_corrected": False,
        "event_calibration": {
            "C1.0": {"slope": 1.0, "intercept": 0.0},
            "M1.0": {"slope": 1.0, "intercept": 2.0},
            "X1.0": {"slope": 1.0, "intercept": 0.0},
        },
    }
    raw = np.array([[0.5, 0.4, 0.1], [0.5, 0.01, 0.01], [np.nan, 0.4, 0.1], [0.5, np.nan, 0.1]])
    probability, changed = apply_calibration(raw, calibration, EVENTS)
    assert changed == 1
    assert probability[0].tolist() == [0.5, 0.5, 0.1]
    assert probability[1, 1] == pytest.approx(1 / (1 + 99 * np.exp(-2)))
    np.testing.assert_array_equal(np.isnan(probability), np.isnan(raw))


def test_probabilities_that_come_unnested_are_lowered_before_the_prior_is_corrected():
    priors = {"prior_natural": [0.9, 0.09, 0.01], "prior_trained": [0.5, 0.3, 0.2]}
    raw = np.array([[0.3, 0.5], [0.3, 0.3], [0.4, 0.1]])
    forecasts = forecasts_of(raw, np.zeros((3, 2), dtype=np.int8), np.array([TEST] * 3), **priors)
    calibrated, calibration = calibrate(forecasts, "prior", {})
    np.testing.assert_array_equal(calibrated["probability"].values[0], calibrated["probability"].values[1])
    assert calibration["cells_changed"] == 1


@pytest.mark.parametrize("attributes", [{}, {"prior_natural": [0.8, 0.2], "prior_trained": [0.8, 0.2]}])
def test_where_balancing_moved_no_prior_none_is_corrected(attributes):
    rng = np.random.default_rng(0)
    probability = rng.random((100, 1))
    forecasts = forecasts_of(probability, rng.integers(0, 2, (100, 1)), np.full(100, TEST), **attributes)
    calibrated, calibration = calibrate(forecasts, "prior", {})
    assert not calibration["prior_corrected"]
    np.testing.assert_array_equal(calibrated["probability"].values, probability)


def test_calibrators_with_a_range_write_it_and_it_holds_the_probability():
    calibrated, _ = calibrate(simulated(), "venn_abers", {})
    lower, probability, upper = (
        calibrated[name].values for name in ("probability_lower", "probability", "probability_upper")
    )
    there = ~np.isnan(probability)
    assert (lower[there] <= probability[there]).all()
    assert (probability[there] <= upper[there]).all()
    assert (lower < upper)[there].mean() > 0.9
    assert (np.diff(upper[there.all(axis=1)], axis=1) <= 0).all()
    assert "probability_lower" not in calibrate(simulated(), "platt", {})[0]


def test_curves_of_an_event_given_the_one_below_are_fitted_on_windows_that_had_that_one():
    forecasts = simulated()
    calibrated, calibration = calibrate(forecasts, "platt", {}, settings=CONDITIONAL)
    role = forecasts["role"].values == CALIBRATION
    occurred = forecasts["occurred"].values
    known = role & (occurred[:, 0] == 1) & ~np.isnan(forecasts["probability"].values[:, 0])
    assert calibration["event_calibration"]["M1.0"]["n"] == known.sum()
    assert calibration["cells_changed"] == 0, "a product of chances cannot break the nesting"
    minimum = calibrate(forecasts, "platt", {})[0]["probability"].values
    both = calibrated["probability"].values
    np.testing.assert_array_equal(both[:, 0], minimum[:, 0])
    test = (forecasts["role"].values == TEST) & (occurred[:, 1] >= 0) & ~np.isnan(both[:, 1])
    assert abs(bss(both[test, 1], occurred[test, 1]) - bss(minimum[test, 1], occurred[test, 1])) < 0.02


def test_without_the_event_below_a_conditional_curve_leaves_the_probability_as_it_was():
    _, calibration = calibrate(simulated(), "platt", {}, settings=CONDITIONAL)
    raw = np.array([[np.nan, 0.4, 0.1]])
    probability, _ = apply_calibration(raw, calibration, EVENTS)
    assert probability[0, 1] == 0.4
    assert np.isnan(probability[0, 0])


def test_calibrations_written_before_nesting_was_a_choice_are_read_as_running_minimum():
    _, calibration = calibrate(simulated(), "platt", {})
    raw = simulated()["probability"].values
    expected, _ = apply_calibration(raw, calibration, EVENTS)
    older = {key: value for key, value in calibration.items() if key != "nesting"}
    np.testing.assert_array_equal(apply_calibration(raw, older, EVENTS)[0], expected)


def test_the_choice_among_calibrators_holds_out_whole_clusters():
    forecasts = simulated()
    _, alone = calibrate(forecasts, "auto", {})
    assert "events in 1 group of calibration" in alone["event_calibration"]["C1.0"]["reason"]
    clusters = [f"rotation {number // 200}" for number in range(forecasts.sizes["window"])]
    forecasts["cluster"] = ("window", np.array(clusters, dtype=object))
    _, apart = calibrate(forecasts, "auto", {})
    assert apart["event_calibration"]["C1.0"]["chosen"] != "prior"
    assert apart["event_calibration"]["C1.0"]["reason"] is None


def test_an_unknown_calibrator_or_option_is_refused():
    with pytest.raises(FlarecastError, match=r"calibrate\.name: expected one of auto, .*got 'plat'"):
        calibrate(simulated(50), "plat", {})
    with pytest.raises(
        FlarecastError, match=r"calibrate\.options: unknown key slope; known here: min_events, ridge"
    ):
        calibrate(simulated(50), "platt", {"slope": 2})
    with pytest.raises(FlarecastError, match=r"calibrate\.options: ridge: .*got 'strong'"):
        calibrate(simulated(50), "platt", {"ridge": "strong"})


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"prior_natural": [0.9, 0.1], "prior_trained": [0.5, 0.5]}, "prior_natural: expected shares of 4 "),
        (
            {"prior_trained": [0.4, 0.3, 0.2, 0.1]},
            "expected prior_natural and prior_trained, got prior_trained",
        ),
    ],
)
def test_priors_that_do_not_fit_the_events_are_refused(attributes, message):
    with pytest.raises(FlarecastError, match=message):
        calibrate(simulated(50, **attributes), "platt", {})


def test_a_calibration_of_other_events_is_refused():
    _, calibration = calibrate(simulated(50), "platt", {})
    with pytest.raises(
        FlarecastError, match=r"expected one of the events C1\.0, M1\.0, got one of C1\.0, M1\.0, X1\.0"
    ):
        apply_calibration(np.zeros((5, 2)), calibration, EVENTS[:2])


@pytest.mark.parametrize(
    "damage",
    [
        {"events": 3},
        {"name": "magic"},
        {"event_calibration": {}},
        {"event_calibration": None},
        {"nesting": "sorted"},
        {"name": "isotonic"},
    ],
)
def test_a_damaged_calibration_is_refused(damage):
    _, calibration = calibrate(simulated(50), "platt", {})
    with pytest.raises(FlarecastError, match=r"^calibration: "):
        apply_calibration(np.zeros((5, 3)), calibration | damage, EVENTS)
    with pytest.raises(FlarecastError, match=r"^calibration: "):
        apply_calibration(np.zeros((5, 3)), {}, EVENTS)

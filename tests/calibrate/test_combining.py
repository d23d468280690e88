"""Soft voting and stacking: what they make of held-out forecasts, and that they look at no others."""

import json

import numpy as np
import pytest
from calling import call

from flarecast.calibrate.combining import (
    fit_combinations,
    fit_stack,
    fit_vote,
    stack,
    vote,
    with_combinations,
)
from flarecast.config import parse_config
from flarecast.errors import FlarecastError
from flarecast.schema import FORECASTS, ROLES, build, check, open_file
from flarecast.seen import unpack

EVENTS = ("C1.0", "M1.0")
N = 3000


def simulated(seed=0, folds=1, out_of_fold=1):
    """Two contenders that each see half of what decides an event, roles dealt out at random."""
    rng = np.random.default_rng(seed)
    parts = rng.normal(size=(2, N))
    logit = 1.5 * parts.sum(axis=0)
    chance = 1 / (1 + np.exp(-logit))
    occurred = np.stack([rng.random(N) < chance, np.zeros(N, dtype=bool)], axis=1)
    occurred[:, 1] = occurred[:, 0] & (rng.random(N) < 0.3)
    each = 1 / (1 + np.exp(-1.2 * parts))
    said = np.stack([each, 0.3 * each], axis=2)  # contender, window, event
    time = np.arange(N) * 3600
    arrays = {
        "event": EVENTS, "probability": said[0], "probability_raw": said[0], "occurred": occurred,
        "issue_time": time, "valid_from": time, "valid_to": time + 86400, "region": ["disk"] * N,
        "cluster": [f"rotation {n // 600}" for n in range(N)],
        "role": rng.choice([1, 3, 4], size=N), "fold": np.arange(N) % folds, "rival": ["other"],
        "rival_probability": said[1][:, :, None], "rival_probability_raw": said[1][:, :, None],
    }  # fmt: skip
    attributes = {"forecast_name": "model", "history": "toy", "out_of_fold": out_of_fold, "calibrated": 1}
    return build(FORECASTS, arrays, attributes), chance


def brier(probability, forecasts, role="test"):
    rows = forecasts["role"].values == ROLES.index(role)
    return ((probability - forecasts["occurred"].values[:, 0]) ** 2)[rows].mean()


def test_two_that_see_half_each_are_better_together_and_stacking_is_best():
    forecasts, chance = simulated()
    made = with_combinations(forecasts, fit_combinations(forecasts, ("vote", "stack")))
    check(made, FORECASTS)
    assert made["rival"].values.tolist() == ["other", "vote", "stack"]
    scores = {
        str(name): brier(made["rival_probability"].values[:, 0, nth], made)
        for nth, name in enumerate(made["rival"].values)
    }
    alone = brier(made["probability"].values[:, 0], made)
    assert scores["vote"] < 0.9 * min(alone, scores["other"])
    assert scores["stack"] <= scores["vote"]
    assert scores["stack"] < 1.02 * brier(chance, made)
    assert (made["rival_probability"].values[:, 1] <= made["rival_probability"].values[:, 0]).all()
    np.testing.assert_array_equal(made["probability"], forecasts["probability"])


@pytest.mark.parametrize("role", ["train", "test"])
def test_a_look_at_windows_that_were_not_held_out_is_refused(role):
    forecasts, _ = simulated()
    roles = forecasts["role"].values
    looked = np.isin(roles, [ROLES.index("calibration"), ROLES.index(role)])
    with pytest.raises(FlarecastError, match=rf"role calibration alone, got [\d,]+ {role}") as error:
        fit_combinations(forecasts, ("stack",), rows=looked)
    assert "\n" not in str(error.value)


def test_outcomes_of_other_roles_change_no_weight():
    forecasts, _ = simulated()
    turned = forecasts.copy(deep=True)
    others = turned["role"].values != ROLES.index("calibration")
    turned["occurred"].values[others] = 1 - turned["occurred"].values[others]
    names = ("vote", "stack")
    assert fit_combinations(forecasts, names) == fit_combinations(turned, names)


def test_what_was_seen_is_noted_and_is_the_calibration_role():
    forecasts, _ = simulated()
    fitted = fit_combinations(forecasts, ("stack",))["stack"]
    np.testing.assert_array_equal(
        unpack(fitted["seen"], N), forecasts["role"].values == ROLES.index("calibration")
    )


def test_folds_with_a_test_of_their_own_have_weights_of_their_own():
    forecasts, _ = simulated(folds=2, out_of_fold=0)
    fitted = fit_combinations(forecasts, ("stack",))
    assert set(fitted["stack"]["folds"]) == {"0", "1"}
    calibration = forecasts["role"].values == ROLES.index("calibration")
    for number in (0, 1):
        seen = unpack(fitted["stack"]["folds"][str(number)]["seen"], N)
        np.testing.assert_array_equal(seen, calibration & (forecasts["fold"].values == number))
    turned = forecasts.copy(deep=True)
    turned["occurred"].values[forecasts["fold"].values == 1] = 0
    again = fit_combinations(turned, ("stack",))["stack"]["folds"]
    assert again["0"] == fitted["stack"]["folds"]["0"]
    assert again["1"] != fitted["stack"]["folds"]["1"]
    check(with_combinations(forecasts, fitted), FORECASTS)


def test_few_events_leave_equal_weights():
    probability = np.tile([0.2, 0.8], (30, 1))
    occurred = np.arange(30) < 5
    for fit, use in ((fit_vote, vote), (fit_stack, stack)):
        numbers = fit(probability, occurred)
        assert "fewer than 20" in numbers["reason"]
        np.testing.assert_allclose(use(probability, numbers), 0.5)


def test_what_one_contender_does_not_forecast_is_not_combined():
    forecasts, _ = simulated()
    forecasts["probability"].values[7] = np.nan
    made = with_combinations(forecasts, fit_combinations(forecasts, ("vote", "stack")))
    assert np.isnan(made["rival_probability"].values[7, :, 1:]).all()
    assert np.isfinite(made["rival_probability"].values[8]).all()


def test_a_model_alone_has_nothing_to_combine():
    forecasts, _ = simulated()
    bare = forecasts.drop_vars(["rival", "rival_probability", "rival_probability_raw"])
    with pytest.raises(FlarecastError, match="got the model alone; add a section"):
        fit_combinations(bare, ("vote",))
    for taken in ("vote", "stack"):
        with pytest.raises(FlarecastError, match=f"rivals.{taken}"):
            parse_config({"rivals": {taken: {}}})


def test_a_run_scores_what_it_combined_and_forecasts_with_it_anew(tmp_path):
    config = tmp_path / "small.toml"
    config.write_text(
        'events = ["C1.0", "M1.0"]\n[ingest]\noptions = { n_regions = 300, n_steps = 6 }\n'
        '[split]\nstrategy = "by_region"\n[model]\nname = "logistic"\n'
        '[rivals.persist]\nmodel = { name = "persistence" }\n'
        '[calibrate]\ncombine = ["vote", "stack"]\n[evaluate]\nresamples = 100\n'
    )
    run = tmp_path / "run"
    call("run", "-c", config, "--windows", tmp_path / "windows.nc", "-o", run)
    records = json.loads((run / "scores.json").read_text())["records"]
    scored = {record["forecast"] for record in records if record["score"] == "bss"}
    assert {"model", "persist", "vote", "stack"} <= scored
    assert "bss_minus_stack" in {record["score"] for record in records}
    call("forecast", tmp_path / "windows.nc", run, "--split", run / "split.nc", "-o", tmp_path / "again.nc")
    first, again = (open_file(path, FORECASTS) for path in (run / "calibrated.nc", tmp_path / "again.nc"))
    np.testing.assert_allclose(again["rival_probability"], first["rival_probability"])
    call("audit", run)

    said = json.loads((run / "calibration.json").read_text())
    everything = np.ones(first.sizes["window"], dtype=bool)
    from flarecast.seen import pack

    said["combinations"]["stack"]["seen"] = pack(np.flatnonzero(everything), everything.size)
    (run / "calibration.json").write_text(json.dumps(said))
    assert "stack saw windows outside calibration" in call("audit", run, code=1)
    call("run", "-c", config, "--set", "rivals={}", "-o", tmp_path / "none", code=1)

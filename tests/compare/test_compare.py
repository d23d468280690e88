"""Comparison of forecasts: what is compared with what, by which thresholds and truth, and who is better."""

import json

import numpy as np
import pytest
import xarray as xr

from flarecast import cycles
from flarecast.compare import Entry, compare, open_entries
from flarecast.errors import FlarecastError
from flarecast.schema import FORECASTS, ROLES, build, save

DAY = 86_400
START = cycles.seconds("2011-01-01")
CALIBRATION, TEST = ROLES.index("calibration"), ROLES.index("test")
N = 900


def world(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days of the disk: the true probabilities of two events, what occurred, and a blurred forecast."""
    rng = np.random.default_rng(seed)
    activity = np.repeat(rng.normal(-1, 1.5, N // 30), 30) + rng.normal(0, 1, N)
    true = 1 / (1 + np.exp(-np.stack([activity, activity - 1.5], axis=1)))
    occurred = rng.random((N, 1)) < true
    return true, occurred, 1 / (1 + np.exp(-rng.normal(0, 1.5, (N, 1)) - np.log(true / (1 - true))))


def forecasts(probability=None, name="model", attributes=None, n=N, **changes) -> xr.Dataset:
    true, occurred, _ = world()
    issue = START + DAY * np.arange(N)
    arrays = {
        "event": ["M1.0", "X1.0"],
        "probability": true if probability is None else probability,
        "occurred": occurred,
        "issue_time": issue,
        "valid_from": issue,
        "valid_to": issue + DAY,
        "region": np.full(N, "disk", dtype=object),
        "cluster": [f"rotation {one}" for one in cycles.rotation_of(issue)],
        "role": np.zeros(N),
        "fold": np.zeros(N),
    } | changes
    return build(FORECASTS, arrays, {"forecast_name": name, "history": "t"} | (attributes or {})).isel(
        window=slice(n)
    )


def run_of(probability=None, thresholds=None, **changes) -> xr.Dataset:
    """Forecasts of a run: the first third calibrates, the rest is its test."""
    chosen = {"M1.0": {"tss": 0.3, "hss": 0.4}, "X1.0": {"tss": 0.1, "hss": 0.2}}
    role = np.where(np.arange(N) < N // 3, CALIBRATION, TEST)
    given = {"decision_threshold": json.dumps(chosen if thresholds is None else thresholds), "calibrated": 1}
    return forecasts(probability, attributes=given, role=role, **changes)


def entry(name: str, dataset: xr.Dataset, tmp_path, **options) -> Entry:
    return Entry(name, tmp_path / f"{name}.nc", dataset, **options)


def compared(*entries: Entry, **options) -> dict:
    return compare(entries, **({"rng": np.random.default_rng(1), "resamples": 200} | options))


def one_of(content, score, forecast, event="M1.0", rule=None):
    return next(
        one
        for one in content["records"]
        if (one["score"], one["forecast"], one["event"]) == (score, forecast, event)
        and rule in (None, one.get("decision_rule"))
    )


def card(content, score, first, second, event="M1.0"):
    wanted = (score, first, second, event)
    return next(
        row
        for row in content["scorecard"]
        if (row["score"], row["first"], row["second"], row["event"]) == wanted
    )


def test_windows_that_all_forecast_are_compared_whatever_their_order_and_issue_time(tmp_path):
    theirs = forecasts(world()[2], n=700)
    theirs = theirs.assign(issue_time=theirs["issue_time"] - 7200).isel(window=slice(None, None, -1))
    content = compared(entry("ours", run_of(), tmp_path), entry("theirs", theirs, tmp_path))
    true, occurred, blurred = world()
    rows = slice(N // 3, 700)
    for name, probability in (("ours", true), ("theirs", blurred)):
        brier = np.mean((probability[rows, 0] - occurred[rows, 0]) ** 2)
        record = one_of(content, "brier", name)
        assert (record["n"], record["value"]) == (700 - N // 3, pytest.approx(brier))
    about = {one["name"]: one for one in content["forecasts"]}
    assert (about["ours"]["hours_issued_before"], about["theirs"]["hours_issued_before"]) == (0, 2)
    assert any("200 windows have no forecast of theirs" in one for one in content["warnings"])


def test_differences_are_paired_and_skill_is_relative_to_each_other(tmp_path):
    content = compared(entry("a", forecasts(), tmp_path), entry("b", forecasts(world()[2]), tmp_path))
    a, b = (one_of(content, "brier", name)["value"] for name in "ab")
    assert one_of(content, "brier_minus_b", "a")["value"] == pytest.approx(a - b)
    assert one_of(content, "bss_against_b", "a")["value"] == pytest.approx(1 - a / b)
    relative = one_of(content, "bss_against_a", "b")
    assert relative["value"] == pytest.approx(1 - b / a)
    assert relative["low"] < relative["value"] < relative["high"]
    lone = one_of(content, "brier", "a")
    paired = one_of(content, "brier_minus_b", "a")
    assert paired["high"] - paired["low"] < lone["high"] - lone["low"] + 0.02


def test_the_scorecard_says_who_ranks_better_and_who_is_better_calibrated(tmp_path):
    true, _, _ = world()
    rng = np.random.default_rng(5)
    shuffled = np.clip(true.mean(axis=0) + rng.normal(0, 0.01, true.shape), 0.01, 0.99)
    sharp = true**3  # the order of the truth, its level far off
    content = compared(
        entry("order", forecasts(sharp), tmp_path), entry("level", forecasts(shuffled), tmp_path)
    )
    assert card(content, "roc_auc", "order", "level")["better"] == "order"
    assert card(content, "ece", "order", "level")["better"] == "level"
    for score in ("roc_auc", "ece"):
        row = card(content, score, "order", "level")
        assert 0 < row["p_value"] <= row["p_holm"] < 0.05


def test_a_forecast_is_not_better_than_its_copy(tmp_path):
    content = compared(entry("a", forecasts(), tmp_path), entry("b", forecasts(), tmp_path))
    for row in content["scorecard"]:
        assert (row["difference"], row["better"]) == (0, None)
        assert row["p_value"] in (1, None)


def test_p_values_are_corrected_over_the_pairs_of_a_score(tmp_path):
    three = [entry(name, forecasts(world(seed)[2]), tmp_path) for seed, name in enumerate("abc")]
    content = compared(*three)
    rows = [row for row in content["scorecard"] if (row["event"], row["score"]) == ("M1.0", "bss")]
    assert len(rows) == 3
    smallest = min(rows, key=lambda row: row["p_value"])
    assert smallest["p_holm"] == pytest.approx(min(1, 3 * smallest["p_value"]))


def test_a_run_brings_its_decision_thresholds_and_anybody_else_takes_calibration_windows(tmp_path):
    doubled = np.minimum(2 * world()[0], 1)
    content = compared(
        entry("run", run_of(), tmp_path), entry("other", forecasts(doubled, name="other"), tmp_path)
    )
    assert one_of(content, "tss", "run")["decision_threshold"] == 0.3
    assert one_of(content, "hss", "run", rule="hss")["decision_threshold"] == 0.4
    theirs = one_of(content, "tss", "other")
    assert theirs["decision_rule"] == "tss"
    assert theirs["decision_threshold"] != 0.3
    assert one_of(content, "tss", "other", rule="fixed")["decision_threshold"] == 0.5
    assert any("calibration windows of run for other" in rule for rule in content["rules"])
    outcomes = world()[1].astype(np.int8)
    outcomes[N // 3 :] = 1 - outcomes[N // 3 :]
    turned = compared(
        entry("run", run_of(occurred=outcomes), tmp_path),
        entry("other", forecasts(doubled, name="other", occurred=outcomes), tmp_path),
    )
    assert one_of(turned, "tss", "other")["decision_threshold"] == theirs["decision_threshold"]


def test_without_a_run_everybody_takes_one_half_and_it_is_said(tmp_path):
    content = compared(entry("a", forecasts(), tmp_path), entry("b", forecasts(world()[2]), tmp_path))
    assert one_of(content, "tss", "a")["decision_rule"] == "fixed"
    assert any("0.5, for want of calibration windows, for a, b" in rule for rule in content["rules"])


def test_files_that_disagree_on_what_occurred_are_refused_and_a_truth_settles_it(tmp_path):
    occurred = world()[1].astype(np.int8)
    other = occurred.copy()
    other[[3, 7], 0] = 1 - other[[3, 7], 0]
    pair = (
        entry("a", forecasts(occurred=occurred), tmp_path),
        entry("b", forecasts(world()[2], occurred=other), tmp_path),
    )
    with pytest.raises(FlarecastError, match=r"got 2 windows with another outcome in b than in a.*01-04"):
        compared(*pair)
    path = tmp_path / "flares.csv"
    lines = ["start,peak,end,flux,flux_upper,region,source,flux_scale"]
    for nth in np.flatnonzero(occurred[:, 0]):
        when = cycles.iso(START + DAY * nth + 3600)
        lines.append(f"{when},{when},{when},1e-5,1e-5,0,x,operational")
    path.write_text("\n".join(lines) + "\n")
    content = compared(*pair, truth=path)
    assert content["truth"] == "flares.csv"
    known = slice(*np.flatnonzero(occurred[:, 0])[[0, -1]] + [0, 1])
    assert one_of(content, "brier", "a")["n_events"] == occurred[known, 0].sum()


def test_outcomes_that_one_file_knows_hold_for_the_others(tmp_path):
    silent = forecasts(world()[2], occurred=np.full((N, 2), -1))
    content = compared(entry("a", silent, tmp_path), entry("b", forecasts(), tmp_path))
    assert one_of(content, "brier", "a")["n_events"] == world()[1][:, 0].sum()
    with pytest.raises(FlarecastError, match=r"expected outcomes in one of the files, got none.*--truth"):
        compared(entry("a", silent, tmp_path), entry("b", silent, tmp_path))


def test_an_event_that_the_first_file_lacks_is_compared_among_the_others(tmp_path):
    first = forecasts().isel(event=[0])
    second, third = forecasts(world()[2]), forecasts(world(2)[2])
    content = compared(
        *(entry(name, one, tmp_path) for name, one in zip("abc", (first, second, third), strict=True))
    )
    assert {row["first"] for row in content["scorecard"] if row["event"] == "X1.0"} == {"b"}
    assert any("X1.0: no forecast of it by a" in one for one in content["warnings"])


def test_references_are_held_against_the_others_and_not_against_each_other(tmp_path):
    content = compared(
        entry("a", forecasts(), tmp_path),
        entry("b", forecasts(world()[2]), tmp_path, reference=True),
        entry("c", forecasts(world(3)[2]), tmp_path, reference=True),
    )
    assert {(row["first"], row["second"]) for row in content["scorecard"]} == {("a", "b"), ("a", "c")}


def test_a_reference_inside_a_run_can_be_compared_and_an_unknown_one_is_refused(tmp_path):
    rate = np.tile([0.3, 0.1], (N, 1))[:, :, None]
    run = run_of(forecast=["climatology"], reference=rate)
    other = entry("other", forecasts(world()[2]), tmp_path)
    content = compared(entry("run", run, tmp_path), other, baselines=["climatology"])
    brier = np.mean((0.3 - world()[1][N // 3 :, 0]) ** 2)
    assert one_of(content, "brier", "climatology")["value"] == pytest.approx(brier)
    with pytest.raises(FlarecastError, match=r"baseline persistence: expected a reference.*only climatology"):
        compared(entry("run", run, tmp_path), other, baselines=["persistence"])


def test_days_ahead_never_pair_with_each_other_and_can_be_chosen(tmp_path):
    both = xr.concat(
        [forecasts(), forecasts(world()[2]).assign(issue_time=forecasts()["issue_time"] - DAY)], dim="window"
    )
    mixed = compared(entry("a", both, tmp_path), entry("b", both, tmp_path))
    assert one_of(mixed, "brier", "a")["n"] == 2 * N
    assert any("days 1, 2 ahead are scored together" in one for one in mixed["warnings"])
    pair = (entry(name, both, tmp_path, days_ahead=(2,)) for name in "ab")
    content = compared(*pair)
    expected = np.mean((world()[2][:, 0] - world()[1][:, 0]) ** 2)
    assert one_of(content, "brier", "a")["value"] == pytest.approx(expected)


def test_windows_chosen_by_outcome_give_no_score_that_hangs_on_the_base_rate(tmp_path):
    biased = forecasts(attributes={"sampling": "case-control"})
    content = compared(entry("a", forecasts(world()[2]), tmp_path), entry("b", biased, tmp_path))
    assert card(content, "bss", "a", "b")["difference"] is None
    assert "case-control" in card(content, "bss", "a", "b")["reason"]
    assert card(content, "tss", "a", "b")["difference"] is not None


def test_nothing_in_common_is_one_sentence(tmp_path):
    later = forecasts()
    later = later.assign(
        {name: later[name] + 5000 * DAY for name in ("issue_time", "valid_from", "valid_to")}
    )
    with pytest.raises(FlarecastError, match="reference b: expected the same regions, spans and days ahead"):
        compared(entry("a", forecasts(), tmp_path), entry("b", later, tmp_path))


def test_runs_and_files_are_opened_under_names_of_their_own(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        save(run_of(), tmp_path / name / "calibrated.nc", FORECASTS)
    save(forecasts(name="swpc"), tmp_path / "x.nc", FORECASTS)
    save(forecasts(name="swpc"), tmp_path / "y.nc", FORECASTS)
    paths = [tmp_path / name for name in ("first", "second/calibrated.nc", "x.nc", "y.nc")]
    entries = open_entries(paths)
    assert [one.name for one in entries] == ["first", "second", "x", "y"]
    assert [one.name for one in open_entries([paths[0], paths[2]])] == ["first", "swpc"]
    assert [one.role for one in entries] == ["test", "test", "all", "all"]
    with pytest.raises(FlarecastError, match="expected a name of its own, got a second first; rename"):
        open_entries([paths[0], paths[0]])
    with pytest.raises(FlarecastError, match="expected two or more forecasts, got 1"):
        open_entries(paths[:1])
    assert len(open_entries(paths[:1], baselines=["climatology"])) == 1
    (tmp_path / "empty").mkdir()
    with pytest.raises(FlarecastError, match=r"calibrated.nc or forecasts.nc, found neither"):
        open_entries([paths[0], tmp_path / "empty"])
    with pytest.raises(FlarecastError, match="expected forecasts 4 days ahead to compare, got none"):
        open_entries(paths, days_ahead=[4])

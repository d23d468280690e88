"""Ways to resample, windows scored apart, and folds with a test of their own."""

import json

import numpy as np
import pytest
import xarray as xr

from flarecast import cycles
from flarecast.evaluate import evaluate
from flarecast.schema import FORECASTS, ROLES, build

DAY = 86_400
CALIBRATION, TEST = ROLES.index("calibration"), ROLES.index("test")


def regions_of(attributes: dict | None = None, **changes) -> xr.Dataset:
    """Region days of M1.0: forty regions a day over thirty days; what a day brings all regions share."""
    rng, n = np.random.default_rng(3), 1200
    day, number = np.arange(n) // 40, np.arange(n) % 40
    issue = cycles.seconds("2012-01-01") + DAY * day
    activity = rng.normal(-1, 1, n) + 1.5 * rng.normal(0, 1, 30)[day]
    probability = 1 / (1 + np.exp(-activity))
    arrays = {
        "event": ["M1.0"],
        "probability": probability[:, None],
        "probability_raw": probability[:, None],
        "occurred": (rng.random(n) < probability)[:, None],
        "issue_time": issue,
        "valid_from": issue,
        "valid_to": issue + DAY,
        "region": [f"SIM {one}" for one in number],
        "cluster": [f"SIM {one}" for one in number],
        "role": np.where(day < 10, CALIBRATION, TEST),
        "fold": np.zeros(n),
    }
    return build(FORECASTS, arrays | changes, {"forecast_name": "m", "history": "t"} | (attributes or {}))


def scores_of(forecasts: xr.Dataset, **options) -> list[dict]:
    content = evaluate(forecasts, rng=np.random.default_rng(0), resamples=200, **options)
    return content["records"]


def one_of(records: list[dict], score: str, **wanted) -> dict:
    wanted = {"subset": "all", "forecast": "model", "role": "test"} | wanted
    return next(
        one for one in records if one["score"] == score and all(one[key] == wanted[key] for key in wanted)
    )


def test_the_wider_of_both_intervals_is_reported_with_the_blocks_behind_it():
    day = np.arange(4000) // 10
    issue = cycles.seconds("2010-01-01") + DAY * day
    forecasts = _long(day, issue)
    both, by_region, by_rotation = (
        scores_of(forecasts, blocks=blocks) for blocks in ("wider", "region", "rotation")
    )
    for score in ("brier", "tss", "average_precision"):
        widths = {
            one["blocks"]: one["high"] - one["low"]
            for one in (one_of(by_region, score), one_of(by_rotation, score))
        }
        assert set(widths) == {"region", "rotation"}
        widest = one_of(both, score)
        assert widest["high"] - widest["low"] == pytest.approx(max(widths.values()), rel=0.2)
        assert widths[widest["blocks"]] >= 0.9 * max(widths.values())
    assert one_of(both, "brier")["blocks"] == "rotation"
    assert one_of(both, "brier")["n_blocks"] == np.unique(cycles.rotation_of(issue)).size


def _long(day: np.ndarray, issue: np.ndarray) -> xr.Dataset:
    """Region days over 400 days, ten regions a day; what a rotation brings all regions share."""
    rng = np.random.default_rng(5)
    rotation = np.unique(cycles.rotation_of(issue), return_inverse=True)[1]
    activity = rng.normal(-1, 1, day.size) + 1.5 * rng.normal(0, 1, rotation.max() + 1)[rotation]
    occurred = rng.random(day.size) < 1 / (1 + np.exp(-activity))
    region = np.array([f"SIM {one}" for one in rng.integers(300, size=day.size)])
    arrays = {
        "event": ["M1.0"],
        "probability": np.full((day.size, 1), 0.3) + 0.1 * occurred[:, None] * rng.random((day.size, 1)),
        "occurred": occurred[:, None],
        "issue_time": issue,
        "valid_from": issue,
        "valid_to": issue + DAY,
        "region": region,
        "cluster": region,
        "role": np.full(day.size, TEST),
        "fold": np.zeros(day.size),
    }
    return build(FORECASTS, arrays, {"forecast_name": "m", "history": "t"})


def test_one_way_without_enough_blocks_leaves_no_interval():
    record = one_of(scores_of(regions_of()), "brier")
    assert record["low"] is None
    assert record["blocks"] == "rotation"
    assert "blocks with events" in record["reason"]
    assert one_of(scores_of(regions_of(), blocks="region"), "brier")["low"] is not None


def test_windows_with_an_unassigned_flare_are_scored_with_and_without():
    n = 1200
    nameless = np.where(np.arange(n) % 7 == 0, 2e-5, np.where(np.arange(n) % 5 == 0, 5e-6, 0.0))
    forecasts = regions_of(unassigned_peak_flux=nameless)
    records = scores_of(forecasts, blocks="region")
    tested = forecasts["role"].values == TEST
    occurred = forecasts["occurred"].values[:, 0] == 1
    masked = one_of(records, "brier", subset="unassigned_masked")
    assert one_of(records, "brier")["n"] == tested.sum()
    assert masked["n"] == (tested & ~((nameless == 2e-5) & ~occurred)).sum()
    assert masked["n_events"] == one_of(records, "brier")["n_events"]
    assert one_of(records, "brier", subset="unassigned_masked", forecast="raw")
    weak = regions_of(unassigned_peak_flux=np.full(n, 5e-6))
    assert "unassigned_masked" not in {one["subset"] for one in scores_of(weak, blocks="region")}


def test_folds_with_a_test_of_their_own_take_their_own_decision_threshold():
    fold = np.arange(1200) % 2
    thresholds = {"M1.0": {"tss": 0.2, "hss": 0.3}, "folds": {"0": {"M1.0": {"tss": 0.2}}}}
    thresholds["folds"]["1"] = {"M1.0": {"tss": 0.6, "hss": 0.7}}
    forecasts = regions_of(fold=fold, attributes={"decision_threshold": json.dumps(thresholds)})
    records = scores_of(forecasts, blocks="region")
    pooled = one_of(records, "recall")
    assert pooled["decision_threshold"] is None
    assert pooled["decision_thresholds"] == [0.2, 0.6]
    tested, occurred = forecasts["role"].values == TEST, forecasts["occurred"].values[:, 0] == 1
    warned = forecasts["probability"].values[:, 0] >= np.where(fold == 0, 0.2, 0.6)
    assert pooled["value"] == pytest.approx((warned & occurred & tested).sum() / (occurred & tested).sum())
    for one, threshold in ((0, 0.2), (1, 0.6)):
        mine = one_of(records, "recall", subset=f"fold_{one}")
        assert (mine["decision_threshold"], mine["n"]) == (threshold, (tested & (fold == one)).sum())


def test_references_of_a_fold_take_no_decision_threshold_from_another_folds_test():
    fold = np.arange(1200) % 2
    reference = regions_of()["probability"].values[:, :, None]
    forecasts = regions_of(fold=fold, forecast=["other"], reference=reference)
    changed = forecasts.copy(deep=True)
    rows = (fold == 1) & (forecasts["role"].values == CALIBRATION)
    changed["reference"].values[rows] = 0.9
    before, after = (
        one_of(scores_of(one, blocks="region"), "recall", forecast="other", subset="all")
        for one in (forecasts, changed)
    )
    assert before["decision_thresholds"] != after["decision_thresholds"]
    assert set(before["decision_thresholds"]) & set(after["decision_thresholds"])


def test_the_training_rate_is_that_of_each_windows_fold():
    fold = np.arange(1200) % 2
    rate = np.where(fold == 0, 0.2, 0.4)[:, None, None]
    given = {"final_fold": 0, "training_base_rate": np.array([0.2])}
    forecasts = regions_of(fold=fold, forecast=["climatology"], reference=rate, attributes=given)
    records = scores_of(forecasts, blocks="region")
    assert one_of(records, "bss_train", forecast="climatology")["value"] == pytest.approx(0)
    assert one_of(records, "bss_train")["value"] != 0

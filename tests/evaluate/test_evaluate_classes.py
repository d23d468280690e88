"""Records of event `classes` and confusion matrices in scores.json."""

import json

import numpy as np
import pytest
import xarray as xr
from sklearn import metrics

from flarecast import cycles, skill
from flarecast.evaluate import evaluate, score_table
from flarecast.schema import FORECASTS, ROLES, build

DAY = 86_400
START = cycles.seconds("2012-01-01")
CUTS = {"M1.0": {"tss": 0.3}, "X1.0": {"tss": 0.1}}


def forecasts_of(n_regions: int = 60, days: int = 15, seed: int = 0, **changes) -> xr.Dataset:
    """Forecasts of M1.0 and X1.0 for regions whose days look alike, beside a vague reference."""
    rng = np.random.default_rng(seed)
    region = np.repeat(np.arange(n_regions), days)
    activity = rng.normal(-1, 1.2, n_regions)[region, None] - np.array([0, 1.5])
    occurred = rng.random((region.size, 1)) < 1 / (1 + np.exp(-activity))
    own = 1 / (1 + np.exp(-activity - rng.normal(0, 0.3, (region.size, 1))))
    vague = 1 / (1 + np.exp(-activity - rng.normal(0, 2.5, (region.size, 1))))
    issue = START + DAY * (np.arange(region.size) % days + 9 * (region % 40))
    label = np.array([f"SIM {one}" for one in region], dtype=object)
    arrays = {
        "event": ["M1.0", "X1.0"],
        "probability": own,
        "occurred": occurred.astype(int),
        "issue_time": issue,
        "valid_from": issue.copy(),
        "valid_to": issue + DAY,
        "region": label,
        "cluster": label,
        "role": np.full(region.size, ROLES.index("test")),
        "fold": np.zeros(region.size),
        "forecast": ["vague"],
        "reference": vague[:, :, None],
    } | changes
    attributes = {"forecast_name": "model", "history": "test", "decision_threshold": json.dumps(CUTS)}
    return build(FORECASTS, arrays, attributes)


def scores_of(forecasts: xr.Dataset, **options) -> dict:
    return evaluate(forecasts, rng=np.random.default_rng(0), **({"resamples": 199} | options))


def record(content: dict, score: str, forecast: str = "model") -> dict:
    found = [one for one in content["records"] if (one["score"], one["forecast"]) == (score, forecast)]
    assert len(found) == 1
    return found[0]


def test_classes_are_scored_at_the_main_decision_thresholds():
    forecasts = forecasts_of()
    content = scores_of(forecasts)
    occurred = forecasts["occurred"].values == 1
    forecast = skill.class_of(forecasts["probability"].values >= np.array([0.3, 0.1]))
    observed = skill.class_of(occurred)
    confusion = next(one for one in content["confusion"] if one["forecast"] == "model")
    assert confusion["classes"] == ["none", "M1.0", "X1.0"]
    assert confusion["decision_thresholds"] == {"M1.0": [0.3], "X1.0": [0.1]}
    np.testing.assert_array_equal(confusion["counts"], metrics.confusion_matrix(observed, forecast).T)
    expected = metrics.cohen_kappa_score(observed, forecast, weights="quadratic")
    found = record(content, "kappa_quadratic")
    assert found["value"] == pytest.approx(expected)
    assert found["low"] < found["value"] < found["high"]
    assert found["event"] == "classes"
    recall = metrics.recall_score(observed, forecast, average=None)
    assert record(content, "class_recall@M1.0")["value"] == pytest.approx(recall[1])
    json.dumps(content)


def test_scores_of_a_class_count_the_events_and_blocks_of_that_class():
    forecasts = forecasts_of()
    content = scores_of(forecasts, blocks="region")
    observed = skill.class_of(forecasts["occurred"].values == 1)
    for name, number in (("class_recall@X1.0", 2), ("class_precision@M1.0", 1), ("class_recall@none", 0)):
        found = record(content, name)
        assert found["n_events"] == (observed == number).sum()
        regions = forecasts["region"].values[observed == number]
        assert found["n_event_blocks"] == np.unique(regions).size
    assert record(content, "gmgs")["n_events"] == (observed == 2).sum()
    assert record(content, "rps")["n_events"] == (observed > 0).sum()


def test_differences_of_classes_are_paired_and_tested():
    content = scores_of(forecasts_of())
    for score in ("rps", "rpss"):
        found = record(content, f"{score}_minus_vague")
        assert found["p_value"] < 0.02
        assert found["p_holm"] == found["p_value"]
        assert not found["low"] < 0 < found["high"]
    assert record(content, "rps_minus_vague")["value"] == pytest.approx(
        record(content, "rps")["value"] - record(content, "rps", "vague")["value"]
    )


def test_the_table_of_events_has_no_block_of_classes():
    assert {row["event"] for row in score_table(scores_of(forecasts_of()))} == {"M1.0", "X1.0"}


def test_one_event_has_no_classes():
    forecasts = forecasts_of().isel(event=slice(0, 1))
    content = scores_of(forecasts)
    assert "confusion" not in content
    assert "classes" not in {one["event"] for one in content["records"]}


def test_without_the_strongest_class_gmgs_is_null_and_the_rest_is_scored():
    occurred = forecasts_of()["occurred"].values.copy()
    occurred[:, 1] = 0
    content = scores_of(forecasts_of(occurred=occurred))
    assert record(content, "gmgs")["value"] is None
    assert record(content, "gmgs")["reason"] == "a class did not occur"
    assert record(content, "class_recall@X1.0")["reason"] == "undefined (0 / 0)"
    assert record(content, "rpss")["value"] is not None


def test_windows_of_unknown_outcome_or_without_a_forecast_of_an_event_are_left_out_of_classes():
    occurred = forecasts_of()["occurred"].values.copy()
    occurred[:30, 1] = -1
    vague = forecasts_of()["reference"].values.copy()
    vague[30:50, 0] = np.nan
    content = scores_of(forecasts_of(occurred=occurred, reference=vague))
    assert record(content, "rps")["n"] == len(occurred) - 50
    vague[:] = np.nan
    content = scores_of(forecasts_of(occurred=occurred, reference=vague))
    assert {one["forecast"] for one in content["confusion"]} == {"model"}
    assert record(content, "rps")["n"] == len(occurred) - 30


def test_without_any_window_every_score_of_classes_is_null_with_a_reason():
    occurred = np.full(forecasts_of()["occurred"].shape, -1)
    content = scores_of(forecasts_of(occurred=occurred))
    found = [one for one in content["records"] if one["event"] == "classes"]
    assert found
    assert all(one["value"] is None and one["reason"] for one in found)


def test_case_control_samples_have_recall_by_class_alone():
    forecasts = forecasts_of()
    forecasts.attrs["sampling"] = "case-control"
    content = scores_of(forecasts)
    assert record(content, "rps")["reason"].startswith("depends on the base rate")
    assert record(content, "class_recall@X1.0")["value"] is not None

"""Decision thresholds come from calibration windows, never from those scored."""

import json

import pytest
from scored_forecasts import CALIBRATION, TEST, forecasts_of, foreign, record, scores_of

from flarecast import skill
from flarecast.errors import FlarecastError


def test_decision_thresholds_of_the_model_come_from_calibration():
    content = scores_of(forecasts_of())
    tss = record(content, "tss")
    assert (tss["decision_threshold"], tss["decision_rule"]) == (0.3, "tss")
    assert record(content, "hss")["decision_threshold"] == 0.3
    assert record(content, "hss", rule="hss")["decision_threshold"] == 0.45
    assert "decision_threshold" not in record(content, "brier")
    assert record(content, "tss_max")["decision_rule"] == "scored_sample"
    assert record(content, "tss_max")["value"] >= tss["value"]


def test_the_loss_by_a_threshold_from_calibration_is_the_best_tss_minus_the_one_reached():
    found = {
        (one["forecast"], one["score"]): one
        for one in scores_of(forecasts_of())["records"]
        if one["event"] == "M1.0" and one["subset"] == "all" and one.get("decision_rule") != "hss"
    }
    for name in ("model", "raw", "climatology"):
        lost = found[name, "tss_lost"]
        assert lost["value"] == pytest.approx(found[name, "tss_max"]["value"] - found[name, "tss"]["value"])
        assert 0 <= lost["low"] <= lost["value"] <= lost["high"]
        assert lost["decision_threshold"] == found[name, "tss"]["decision_threshold"]


def test_thresholds_for_a_purpose_have_the_scores_of_that_purpose():
    rules = {"tss": 0.3, "hss": 0.45, "unbiased": 0.4, "cost_loss": 0.1, "target_recall": 0.2}
    table = json.dumps({"M1.0": rules, "X1.0": rules})
    records = scores_of(forecasts_of(attributes={"decision_threshold": table}))["records"]
    of_model = [one for one in records if one["forecast"] == "model" and one["subset"] == "all"]
    bias = {one["decision_rule"]: one for one in of_model if one["score"] == "frequency_bias"}
    assert set(bias) == {"tss", "unbiased", "cost_loss", "target_recall"}
    assert bias["unbiased"]["decision_threshold"] == 0.4
    differences = [one for one in records if "_minus_" in one["score"]]
    assert {one.get("decision_rule", "") for one in differences} <= {"", "tss", "hss", "scored_sample"}


def test_decision_thresholds_of_references_come_from_the_calibration_role():
    forecasts = forecasts_of()
    content = scores_of(forecasts)
    assert record(content, "tss", forecast="persistence")["decision_rule"] == "fixed"
    assert record(content, "tss", forecast="persistence")["decision_threshold"] == 0.5
    chosen = record(content, "tss", forecast="truth_observed")
    assert chosen["decision_rule"] == "tss"
    rows = forecasts["role"].values == CALIBRATION
    probability, occurred = (forecasts[name].values[rows, 0] for name in ("truth_observed", "occurred"))
    best = skill.tss_max(skill.rank(probability, occurred == 1))
    table = skill.contingency_table(probability, occurred == 1, chosen["decision_threshold"])
    assert skill.tss(table) == pytest.approx(float(best))


def test_changing_test_outcomes_changes_no_decision_threshold():
    forecasts = forecasts_of()
    flipped = forecasts.copy(deep=True)
    rows = flipped["role"].values == TEST
    flipped["occurred"].values[rows] = 1 - flipped["occurred"].values[rows]

    def chosen(content):
        return [
            (one["forecast"], one["score"], one["decision_threshold"])
            for one in content["records"]
            if one.get("decision_rule", "scored_sample") != "scored_sample" and one["subset"] == "all"
        ]

    others = {"swpc": foreign(forecasts)}
    assert chosen(scores_of(forecasts, references=others)) == chosen(scores_of(flipped, references=others))


def test_without_the_attribute_the_decision_threshold_is_one_half():
    forecasts = forecasts_of()
    del forecasts.attrs["decision_threshold"]
    tss = record(scores_of(forecasts), "tss")
    assert (tss["decision_threshold"], tss["decision_rule"]) == (0.5, "fixed")


def test_an_event_without_a_chosen_decision_threshold_takes_one_half_and_says_so():
    table = json.dumps({"M1.0": {"tss": 0.3, "hss": None}, "X1.0": {"tss": None, "hss": None}})
    content = scores_of(forecasts_of(attributes={"decision_threshold": table}))
    assert record(content, "tss", event="X1.0")["decision_threshold"] == 0.5
    assert "X1.0: calibration chose no decision threshold, 0.5 is used" in content["warnings"]


def test_a_third_party_has_records_at_one_half_and_at_its_own_best_over_our_calibration_dates():
    forecasts = forecasts_of()
    content = scores_of(forecasts, references={"key": foreign(forecasts)})
    fixed = record(content, "tss", forecast="swpc", rule="fixed")
    own = record(content, "tss", forecast="swpc", rule="tss")
    assert fixed["decision_threshold"] == 0.5
    assert own["decision_threshold"] != 0.5
    assert record(content, "tss", forecast="swpc") == own


def test_a_damaged_decision_threshold_attribute_is_one_sentence():
    with pytest.raises(FlarecastError, match="decision_threshold as JSON"):
        scores_of(forecasts_of(attributes={"decision_threshold": "0.3"}))

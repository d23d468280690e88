"""Evaluation of forecasts: what is scored with what, and what is said where nothing can be."""

import json
import time

import numpy as np
import pytest
import xarray as xr
from sklearn import metrics

from flarecast import cycles, files, skill
from flarecast.errors import FlarecastError
from flarecast.evaluate import evaluate, fill_outcomes, pair, score_table
from flarecast.evaluate.table import HEADLINE
from flarecast.schema import FORECASTS, ROLES, build

DAY = 86_400
START = cycles.seconds("2012-01-01")
CALIBRATION, TEST = ROLES.index("calibration"), ROLES.index("test")


def forecasts_of(n: int = 900, seed: int = 0, attributes: dict | None = None, **changes) -> xr.Dataset:
    """Daily forecasts of M1.0 and X1.0 for 60 regions; the first third calibrates, the rest is tested."""
    rng = np.random.default_rng(seed)
    region = np.array([f"SIM {nth}" for nth in np.arange(n) % 60], dtype=object)
    activity = rng.normal(-1, 1, 60)[np.arange(n) % 60, None] - np.array([0, 1.5]) + rng.normal(0, 1, (n, 1))
    probability = 1 / (1 + np.exp(-activity))
    level = rng.random((n, 1))
    occurred = level < probability
    issue = START + DAY * np.arange(n)
    reference = np.stack([np.tile([0.3, 0.12], (n, 1)), (rng.random((n, 1)) < probability) * 1.0], axis=2)
    arrays = {
        "event": ["M1.0", "X1.0"],
        "probability": probability,
        "probability_raw": probability**0.5,
        "occurred": occurred,
        "issue_time": issue,
        "valid_from": issue.copy(),
        "valid_to": issue + DAY,
        "region": region,
        "cluster": region,
        "role": np.where(np.arange(n) < n // 3, CALIBRATION, TEST),
        "fold": np.zeros(n),
        "forecast": ["climatology", "persistence"],
        "reference": reference,
        "truth_observed": probability,
        "in_progress": rng.random(n) < 0.1,
    } | changes
    given = {
        "forecast_name": "model",
        "history": "test",
        "training_base_rate": np.array([0.3, 0.12]),
        "decision_threshold": json.dumps(
            {"M1.0": {"tss": 0.3, "hss": 0.45}, "X1.0": {"tss": 0.1, "hss": 0.2}}
        ),
    }
    present = {name: values for name, values in arrays.items() if values is not None}
    return build(FORECASTS, present, given | (attributes or {}))


def foreign(forecasts: xr.Dataset, name: str = "swpc", keep: slice | np.ndarray = slice(None), **changes):
    """Somebody's forecasts of the same spans, issued two hours earlier."""
    arrays = {
        "event": forecasts["event"].values,
        "probability": 0.7 * forecasts["probability"].values[keep] + 0.1,
        "occurred": np.full(forecasts["occurred"].values[keep].shape, -1),
        "issue_time": forecasts["issue_time"].values[keep] - 7200,
        **{key: forecasts[key].values[keep] for key in ("valid_from", "valid_to", "region", "cluster")},
        "role": np.zeros(forecasts["role"].values[keep].size),
        "fold": np.zeros(forecasts["role"].values[keep].size),
    } | changes
    return build(FORECASTS, arrays, {"forecast_name": name, "history": "test"})


def scores_of(forecasts, seed=0, **options):
    return evaluate(
        forecasts, rng=np.random.default_rng(seed), **({"resamples": 100, "blocks": "region"} | options)
    )


def record(content, score, event="M1.0", forecast="model", subset="all", rule=None):
    """The first record of that name: the one at the main decision threshold."""
    for one in content["records"]:
        same = (one["score"], one["event"], one["forecast"], one["subset"]) == (
            score,
            event,
            forecast,
            subset,
        )
        if same and rule in (None, one.get("decision_rule")):
            return one
    raise AssertionError(f"no record {score} {event} {forecast} {subset} {rule}")


def test_the_test_role_alone_is_scored_and_values_equal_scikit_learns():
    forecasts = forecasts_of()
    content = scores_of(forecasts)
    rows = forecasts["role"].values == TEST
    probability, occurred = forecasts["probability"].values[rows, 0], forecasts["occurred"].values[rows, 0]
    expected = {
        "brier": metrics.brier_score_loss(occurred, probability),
        "bss": metrics.d2_brier_score(occurred, probability),
        "average_precision": metrics.average_precision_score(occurred, probability),
        "roc_auc": metrics.roc_auc_score(occurred, probability),
        "log_loss": metrics.log_loss(occurred, probability),
        "base_rate": occurred.mean(),
        "tss": 2 * metrics.balanced_accuracy_score(occurred, probability >= 0.3) - 1,
    }
    for name, value in expected.items():
        assert record(content, name)["value"] == pytest.approx(value), name
    brier = record(content, "brier")
    assert (brier["role"], brier["n"], brier["n_events"]) == ("test", rows.sum(), occurred.sum())
    assert brier["n_blocks"] == 60
    assert brier["low"] < brier["value"] < brier["high"]


def test_the_years_of_bss_year_are_calendar_years_of_the_valid_span():
    forecasts = forecasts_of()
    rows = forecasts["role"].values == TEST
    probability, occurred = forecasts["probability"].values[rows, 0], forecasts["occurred"].values[rows, 0]
    year = forecasts["valid_from"].values[rows].astype("datetime64[s]").astype("datetime64[Y]")
    assert set(year.astype(str)) == {"2012", "2013", "2014"}
    rate = np.array([occurred[year == one].mean() for one in year])
    expected = 1 - np.sum((probability - occurred) ** 2) / np.sum((rate - occurred) ** 2)
    assert record(scores_of(forecasts), "bss_year")["value"] == pytest.approx(expected)


def test_every_score_of_every_forecast_has_a_record_with_all_keys():
    content = scores_of(forecasts_of())
    for forecast in ("model", "raw", "climatology", "persistence", "truth_observed"):
        for name in skill.SCORES:
            assert record(content, name, forecast=forecast)["event"] == "M1.0"
    keys = {"role", "event", "forecast", "score", "value", "low", "high", "n", "n_events", "n_blocks"}
    keys |= {"n_event_blocks", "reason", "subset"}
    assert all(keys <= one.keys() for one in content["records"])
    assert {"run", "data", "records", "warnings", "pairing"} <= content.keys()


def test_the_content_survives_json(tmp_path):
    content = scores_of(forecasts_of(), run="disk", data="calibrated.nc")
    files.write_json(tmp_path / "scores.json", content)
    assert files.read_json(tmp_path / "scores.json") == content


def test_the_same_generator_gives_the_same_content():
    assert scores_of(forecasts_of(), seed=3) == scores_of(forecasts_of(), seed=3)


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
        assert lost["value"] >= 0
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


def test_paired_differences_are_the_models_score_minus_the_references():
    forecasts = forecasts_of()
    content = scores_of(forecasts, references={"swpc": foreign(forecasts)})
    for reference in ("climatology", "persistence", "swpc", "truth_observed"):
        for name in ("brier", "tss", "roc_auc", "bss"):
            difference = record(content, f"{name}_minus_{reference}")
            own, other = record(content, name), record(content, name, forecast=reference)
            assert difference["value"] == pytest.approx(own["value"] - other["value"])
    same = record(content, "brier_minus_truth_observed")
    assert (same["low"], same["high"]) == (0, 0)
    better = record(content, "brier_minus_climatology")
    assert better["high"] < 0
    best_hss = record(content, "hss_minus_swpc", rule="hss")
    expected = (
        record(content, "hss", rule="hss")["value"]
        - record(content, "hss", forecast="swpc", rule="hss")["value"]
    )
    assert best_hss["value"] == pytest.approx(expected)


def test_references_pair_whatever_their_order_and_exact_issue_time():
    forecasts = forecasts_of()
    shuffled = np.random.default_rng(1).permutation(900)
    paired = pair(forecasts, foreign(forecasts, keep=shuffled))
    np.testing.assert_allclose(paired.probability, 0.7 * forecasts["probability"].values + 0.1)
    assert (paired.issue_time == forecasts["issue_time"].values - 7200).all()


def test_a_forecast_for_day_2_does_not_pair_with_one_for_day_1():
    forecasts = forecasts_of()
    early = foreign(forecasts, issue_time=forecasts["issue_time"].values - DAY - 7200)
    assert np.isnan(pair(forecasts, early).probability).all()


def test_of_several_issues_the_last_before_the_span_is_paired():
    forecasts = forecasts_of()
    older = foreign(forecasts, issue_time=forecasts["issue_time"].values - 6 * 3600)
    late = foreign(forecasts, issue_time=forecasts["issue_time"].values + 3600)
    both = xr.concat(
        [late, older, foreign(forecasts)],
        "window",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="override",
    )
    assert (pair(forecasts, both).issue_time == forecasts["issue_time"].values - 7200).all()


def test_only_windows_that_all_have_forecast_are_scored_and_the_rest_is_counted():
    forecasts = forecasts_of()
    reference = foreign(forecasts, keep=slice(0, 700))
    content = scores_of(forecasts, references={"swpc": reference})
    assert {one["n"] for one in content["records"] if one["subset"] == "all"} == {400}
    assert content["pairing"]["events"]["M1.0"] == {
        "windows": 600,
        "outcome_unknown": 0,
        "not_forecast_by_all": 200,
        "scored": 400,
    }
    found = content["pairing"]["references"]["swpc"]
    assert (found["pairs"], found["unpaired"], found["issue_offset_hours"]) == (400, 200, -2)
    assert found["example"]["issue_time"] > found["example"]["reference_issue_time"]
    assert "200 windows have no forecast of swpc and are left out for all" in content["warnings"]


def test_a_reference_without_an_event_takes_no_part_in_it():
    forecasts = forecasts_of()
    reference = foreign(forecasts).isel(event=[0])
    content = scores_of(forecasts, references={"swpc": reference})
    assert record(content, "brier", forecast="swpc")["n"] == 600
    assert not [one for one in content["records"] if (one["event"], one["forecast"]) == ("X1.0", "swpc")]
    assert any(sentence.startswith("X1.0: swpc has no forecast") for sentence in content["warnings"])


def test_a_reference_with_nothing_in_common_is_refused_with_one_window_of_each():
    forecasts = forecasts_of()
    elsewhere = foreign(forecasts, region=np.full(900, "disk", dtype=object))
    with pytest.raises(
        FlarecastError, match=r"none in common; .* SIM 0 from 2012-01-01.* disk from 2012-01-01"
    ):
        scores_of(forecasts, references={"swpc": elsewhere})
    with pytest.raises(FlarecastError, match=r"of M1\.0, X1\.0, got only C1\.0, C5\.0"):
        scores_of(forecasts, references={"swpc": foreign(forecasts, event=["C1.0", "C5.0"])})


def test_a_reference_called_model_takes_its_files_name_and_two_of_one_name_are_refused():
    forecasts = forecasts_of()
    content = scores_of(forecasts, references={"rival": foreign(forecasts, name="model")})
    assert record(content, "brier", forecast="rival")["n"] == 600
    both = {"a": foreign(forecasts), "swpc": foreign(forecasts)}
    with pytest.raises(FlarecastError, match="'swpc'; rename the file"):
        scores_of(
            forecasts, references=both | {"swpc": foreign(forecasts)} | {"climatology": foreign(forecasts)}
        )


def test_outcomes_that_differ_and_windows_fitted_by_a_reference_are_said():
    forecasts = forecasts_of()
    outcome = forecasts["occurred"].values.copy()
    outcome[899] = 1 - outcome[899]
    reference = foreign(forecasts, occurred=outcome, role=np.where(np.arange(900) < 890, 4, 1))
    warnings = scores_of(forecasts, references={"swpc": reference})["warnings"]
    assert any(
        sentence.startswith("1 windows have another outcome in the file of swpc") for sentence in warnings
    )
    assert any(sentence.startswith("10 windows are not in the test role of swpc") for sentence in warnings)


def test_unknown_outcomes_are_never_scored():
    forecasts = forecasts_of()
    forecasts["occurred"].values[850:, 0] = -1
    content = scores_of(forecasts)
    assert (record(content, "brier")["n"], record(content, "brier", event="X1.0")["n"]) == (550, 600)
    assert content["pairing"]["events"]["M1.0"]["outcome_unknown"] == 50


def test_windows_that_the_model_did_not_forecast_are_left_out():
    forecasts = forecasts_of()
    forecasts["probability"].values[880:] = np.nan
    assert record(scores_of(forecasts), "brier", forecast="climatology")["n"] == 580


def test_without_a_test_role_all_windows_are_scored():
    content = scores_of(forecasts_of(role=np.zeros(900)))
    assert (record(content, "brier")["role"], record(content, "brier")["n"]) == ("all", 900)


def test_the_model_is_also_scored_without_flares_in_progress():
    forecasts = forecasts_of()
    content = scores_of(forecasts)
    rows = (forecasts["role"].values == TEST) & (forecasts["in_progress"].values == 0)
    assert record(content, "brier", subset="not_in_progress")["n"] == rows.sum()
    of_subset = [one for one in content["records"] if one["subset"] == "not_in_progress"]
    assert {one["forecast"] for one in of_subset} == {"model"}


def test_without_events_scores_are_null_with_a_reason_and_a_warning():
    forecasts = forecasts_of()
    forecasts["occurred"].values[300:, 1] = 0
    content = scores_of(forecasts)
    for name in ("tss", "hss", "recall", "average_precision", "roc_auc", "bss", "f1", "precision"):
        one = record(content, name, event="X1.0")
        assert (one["value"], one["low"], one["high"], one["reason"]) == (None, None, None, "no events")
    assert record(content, "tss_minus_climatology", event="X1.0")["reason"] == "no events"
    assert record(content, "base_rate", event="X1.0")["value"] == 0
    assert any(sentence.startswith("X1.0: no events in 600 windows") for sentence in content["warnings"])
    assert record(content, "tss", event="M1.0")["value"] is not None


@pytest.mark.parametrize(
    ("blocks", "has_interval", "says"),
    [
        (3, False, "X1.0: only 3 regions or rotations with events; no intervals"),
        (7, True, "X1.0: only 7 regions or rotations with events; intervals are uncertain"),
    ],
)
def test_few_event_blocks_give_no_interval_or_a_warning(blocks, has_interval, says):
    forecasts = forecasts_of()
    forecasts["occurred"].values[:, 1] = np.arange(900) % 60 < blocks
    content = scores_of(forecasts)
    brier = record(content, "brier", event="X1.0")
    assert (brier["low"] is not None) == has_interval
    assert brier["n_event_blocks"] == blocks
    assert str(blocks) in brier["reason"]
    assert says in content["warnings"]


def test_nothing_to_score_is_said_and_not_raised():
    forecasts = forecasts_of(occurred=np.full((900, 2), -1))
    content = scores_of(forecasts)
    assert record(content, "brier")["value"] is None
    assert record(content, "brier")["reason"] == "no windows"
    assert any("nothing is scored" in sentence for sentence in content["warnings"])


def test_scores_that_hang_on_the_base_rate_are_null_where_windows_were_chosen_by_outcome():
    content = scores_of(forecasts_of(attributes={"sampling": "case-control"}))
    for name in (
        "brier",
        "bss",
        "hss",
        "average_precision",
        "precision",
        "base_rate",
        "ece",
        "brier_minus_climatology",
    ):
        one = record(content, name)
        assert one["value"] is None
        assert "case-control" in one["reason"]
    for name in ("tss", "recall", "roc_auc", "false_alarm_rate"):
        assert record(content, name)["value"] is not None


def test_without_a_training_base_rate_bss_train_is_null_with_that_reason():
    forecasts = forecasts_of()
    del forecasts.attrs["training_base_rate"]
    one = record(scores_of(forecasts), "bss_train")
    assert (one["value"], one["reason"]) == (None, "training base rate unknown")


def truth_windows(forecasts: xr.Dataset, keep: slice) -> xr.Dataset:
    """What `goes.events` reads of windows: an X flare wherever X1.0 occurred, M where M1.0, else quiet."""
    happened = forecasts["occurred"].values[keep].sum(axis=1)
    peak = np.select([happened == 2, happened == 1], [2e-4, 2e-5], 0.0)
    variables = {
        name: ("window", forecasts[name].values[keep]) for name in ("region", "valid_from", "valid_to")
    }
    quiet = np.where(peak == 0, 9.9e-7, peak)
    return xr.Dataset(variables | {"peak_flux": ("window", peak), "peak_flux_upper": ("window", quiet)})


def test_truth_gives_the_outcomes_and_the_unmatched_stay_unknown():
    forecasts = forecasts_of()
    blank = forecasts.copy(deep=True)
    blank["occurred"].values[:] = -1
    filled, unmatched = fill_outcomes(blank, truth_windows(forecasts, slice(0, 880)))
    np.testing.assert_array_equal(filled["occurred"].values[:880], forecasts["occurred"].values[:880])
    assert (filled["occurred"].values[880:] == -1).all()
    assert unmatched == 20
    assert (blank["occurred"].values == -1).all()
    content = scores_of(blank, truth=truth_windows(forecasts, slice(0, 880)))
    assert record(content, "brier")["n"] == 580
    assert "20 windows have no match in the truth file: their outcome is unknown" in content["warnings"]


def test_truth_masks_as_the_forecasts_say():
    forecasts = forecasts_of()
    truth = truth_windows(forecasts, slice(None))
    truth["unassigned_peak_flux"] = ("window", np.full(900, 2e-5))
    for unassigned, quiet in (("ignore", 0), ("mask", -1)):
        filled, _ = fill_outcomes(forecasts.assign_attrs(unassigned=unassigned), truth)
        expected = np.where(forecasts["occurred"].values[:, 0] == 1, 1, quiet)
        np.testing.assert_array_equal(filled["occurred"].values[:, 0], expected)
        np.testing.assert_array_equal(filled["occurred"].values[:, 1], forecasts["occurred"].values[:, 1])


def test_truth_of_windows_chosen_by_outcome_gives_no_score_that_hangs_on_the_base_rate():
    forecasts = forecasts_of()
    truth = truth_windows(forecasts, slice(None)).assign_attrs(sampling="case-control")
    content = scores_of(forecasts, truth=truth)
    assert "case-control" in record(content, "brier")["reason"]
    assert record(content, "tss")["value"] is not None


def test_what_a_reader_was_lenient_about_is_said():
    content = scores_of(forecasts_of(attributes={"n_late": 3, "n_times_without_zone": 2}))
    assert "3 forecasts were issued after their span had begun" in content["warnings"]
    assert "2 times name no zone and were read as UTC" in content["warnings"]


def test_days_ahead_that_are_scored_together_are_said():
    forecasts = forecasts_of()
    forecasts["issue_time"].values[800:] -= DAY
    assert "forecasts for days 1, 2 ahead are scored together" in scores_of(forecasts)["warnings"]


def test_the_score_table_holds_headline_scores_at_their_main_decision_threshold():
    content = scores_of(forecasts_of())
    rows = score_table(content, ["X1.0"], ["climatology", "model"])
    assert [row["score"] for row in rows] == [name for name in HEADLINE for _ in range(2)]
    assert {row["forecast"] for row in rows} == {"climatology", "model"}
    hss = next(row for row in rows if (row["score"], row["forecast"]) == ("hss", "model"))
    assert hss["value"] == record(content, "hss", event="X1.0", rule="hss")["value"]
    tss = next(row for row in rows if (row["score"], row["forecast"]) == ("tss", "model"))
    assert tss["value"] == record(content, "tss", event="X1.0")["value"]
    assert len(score_table(content)) == 2 * len(HEADLINE) * 5


def test_a_damaged_decision_threshold_attribute_is_one_sentence():
    with pytest.raises(FlarecastError, match="decision_threshold as JSON"):
        scores_of(forecasts_of(attributes={"decision_threshold": "0.3"}))


def test_forecasts_of_a_usual_size_are_scored_in_seconds():
    forecasts = forecasts_of(20_000)
    start = time.process_time()
    scores_of(forecasts, resamples=1000)
    assert time.process_time() - start < 15


def test_windows_left_out_for_an_unknown_outcome_are_said():
    occurred = forecasts_of()["occurred"].values.copy()
    occurred[-50:, 1] = -1
    content = scores_of(forecasts_of(occurred=occurred))
    assert "X1.0: 50 of 600 windows have an unknown outcome and are left out" in content["warnings"]
    assert not any(text.startswith("M1.0: 50") for text in content["warnings"])


def test_outcomes_that_cannot_be_together_are_said():
    occurred = np.tile(np.array([[0, 0]]), (900, 1))
    occurred[::10] = [1, 1]
    occurred[:3] = [0, 1]
    content = scores_of(forecasts_of(occurred=occurred))
    assert "3 windows have an event without the weaker ones that it includes" in content["warnings"]

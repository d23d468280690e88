"""Evaluation of forecasts: what is scored with what, and what is said where nothing can be."""

import time

import numpy as np
import pytest
import xarray as xr
from scored_forecasts import DAY, TEST, forecasts_of, record, scores_of
from sklearn import metrics

from flarecast import files, skill
from flarecast.evaluate import fill_outcomes, score_table
from flarecast.evaluate.records import number_of
from flarecast.evaluate.table import HEADLINE


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


def test_a_number_of_a_record_is_never_minus_zero():
    assert str(number_of(-0.0)) == "0.0"
    assert number_of(np.inf) is None


def test_the_content_survives_json(tmp_path):
    content = scores_of(forecasts_of(), run="disk", data="calibrated.nc")
    files.write_json(tmp_path / "scores.json", content)
    assert files.read_json(tmp_path / "scores.json") == content


def test_the_same_generator_gives_the_same_content():
    assert scores_of(forecasts_of(), seed=3) == scores_of(forecasts_of(), seed=3)


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


def test_the_fewest_blocks_of_all_ways_to_draw_them_are_warned_of():
    forecasts = forecasts_of()
    forecasts["occurred"].values[:, 1] = np.arange(900) % 60 < 12
    forecasts["valid_from"].values[:] = forecasts["valid_from"].values[0]
    content = scores_of(forecasts, blocks="wider")
    assert record(content, "brier", event="X1.0")["n_event_blocks"] == 1
    assert "X1.0: only 1 region or rotation with events; no intervals" in content["warnings"]


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

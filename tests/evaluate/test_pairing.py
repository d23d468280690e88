"""Forecasts pair by region, span and day ahead, and what has no pair is counted."""

import numpy as np
import pytest
import xarray as xr
from scored_forecasts import DAY, forecasts_of, foreign, record, scores_of

from flarecast.errors import FlarecastError
from flarecast.evaluate import pair


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
    with pytest.raises(FlarecastError, match=r"none in common; .* the reference: no probability at all"):
        scores_of(forecasts, references={"swpc": foreign(forecasts, probability=np.full((900, 2), np.nan))})


@pytest.mark.parametrize("own", [np.nan, 0.2])
def test_forecasts_and_a_reference_that_never_forecast_the_same_window_have_no_scores(own):
    forecasts = forecasts_of()
    mine, theirs = np.full((900, 2), np.nan), forecasts["probability"].values.copy()
    mine[::2], theirs[::2] = own, np.nan
    content = scores_of(
        forecasts.assign(probability=forecasts["probability"].copy(data=mine)),
        references={"swpc": foreign(forecasts, probability=theirs)},
    )
    found = [one for one in content["records"] if one["subset"] == "all" and one["event"] == "M1.0"]
    assert {one["value"] for one in found} == {None}
    assert all(one["reason"] for one in found)


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

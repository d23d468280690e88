"""Curves with bands from blocks, Murphy curves, Diebold-Mariano: the scores library and the formulas."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from scores import probability as theirs

from flarecast import skill
from flarecast.errors import FlarecastError


def forecasts(n: int = 1200, regions: int = 60, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    region = np.sort(rng.integers(regions, size=n))
    activity = rng.normal(-1.5, 1.2, regions)[region] + rng.normal(0, 0.7, n)
    return 1 / (1 + np.exp(-1.4 * activity)), rng.random(n) < 1 / (1 + np.exp(-activity)), region


def test_the_reliability_curve_is_the_isotonic_fit_of_the_scores_library():
    probability, occurred, _ = forecasts()
    probability = probability.round(2)
    sample = skill.draw_sample(occurred, np.arange(occurred.size), np.random.default_rng(0), resamples=400)
    band = skill.corp_curve(sample, probability, confidence=0.9)
    expected = theirs.isotonic_fit(probability, occurred.astype(float))
    levels, first = np.unique(expected["fcst_sorted"], return_index=True)
    np.testing.assert_array_equal(band.at, levels)
    np.testing.assert_allclose(band.value, np.asarray(expected["regression_values"])[first])
    assert (np.diff(band.value) >= -1e-12).all()
    assert ((band.low <= band.value + 1e-12) & (band.value <= band.high + 1e-12)).mean() > 0.9


def test_the_band_of_single_windows_is_that_of_the_scores_library_and_copies_widen_that_of_blocks_alone():
    probability, occurred, _ = (np.repeat(one, 4) for one in forecasts(n=800))
    probability = probability.round(1)
    np.random.seed(0)  # noqa: NPY002  the library draws from the global generator
    expected = theirs.isotonic_fit(probability, occurred.astype(float), bootstraps=300, confidence_level=0.9)
    levels, first = np.unique(expected["fcst_sorted"], return_index=True)
    width = np.subtract(expected["confidence_band_upper_values"], expected["confidence_band_lower_values"])
    widths = []
    for cluster in (np.arange(occurred.size), np.arange(occurred.size) // 4):
        sample = skill.draw_sample(occurred, cluster, np.random.default_rng(0), resamples=400)
        band = skill.corp_curve(sample, probability, confidence=0.9)
        widths.append(band.high - band.low)
    middle = (levels > 0) & (levels < 0.6)
    np.testing.assert_allclose(widths[0][middle], width[first][middle], rtol=0.25)
    assert widths[1][middle].mean() > 1.6 * width[first][middle].mean()


def test_the_value_curve_holds_the_economic_values_and_their_intervals():
    probability, occurred, region = forecasts()
    sample = skill.draw_sample(occurred, region, np.random.default_rng(0), resamples=300)
    band = skill.value_curve(sample, probability, ratios=skill.COST_RATIOS)
    found = skill.estimate_economic(sample, probability)
    np.testing.assert_allclose(band.value, [one.value for one in found.values()])
    assert (band.low < band.value).all()
    assert (band.value < band.high).all()
    assert skill.value_curve(sample, probability).at.size == 99


def test_the_murphy_curve_integrates_to_the_brier_score_and_is_low_for_better_forecasts():
    probability, occurred, _ = forecasts()
    thetas = np.linspace(0.0005, 0.9995, 1000)
    curve = skill.murphy_curve(probability, occurred, tuple(thetas))
    assert 4 * curve.mean() == pytest.approx(np.mean((probability - occurred) ** 2), rel=1e-2)
    forecast, truth = (xr.DataArray(one.astype(float), dims="window") for one in (probability, occurred))
    expected = theirs.murphy_score(forecast, truth, [0.3], functional="expectile", alpha=0.5)["total"]
    assert skill.murphy_curve(probability, occurred, (0.3,))[0] == pytest.approx(float(expected[0]))
    assert (skill.murphy_curve(occurred * 1.0, occurred) == 0).all()


def test_diebold_mariano_of_one_step_is_students_test_of_the_daily_differences():
    first, occurred, _ = forecasts()
    second = np.clip(first + np.random.default_rng(1).normal(0, 0.1, first.size), 0, 1)
    day = np.arange(first.size) // 4
    found = skill.diebold_mariano(first, second, occurred, day)
    daily = ((first - occurred) ** 2 - (second - occurred) ** 2).reshape(-1, 4).mean(axis=1)
    expected = stats.ttest_1samp(daily, 0)
    assert found.mean == pytest.approx(daily.mean())
    assert found.statistic == pytest.approx(expected.statistic, rel=5e-3)
    assert found.p_value == pytest.approx(expected.pvalue, abs=2e-3)
    assert found.n_days == daily.size
    longer = skill.diebold_mariano(first, second, occurred, day, steps_ahead=3)
    assert longer.statistic != found.statistic


def test_diebold_mariano_of_a_copy_is_undefined_and_of_one_day_refused():
    first, occurred, _ = forecasts()
    found = skill.diebold_mariano(first, first, occurred, np.arange(first.size))
    assert found.mean == 0
    assert np.isnan(found.p_value)
    with pytest.raises(FlarecastError, match="days: expected more than 1, got 1"):
        skill.diebold_mariano(first, first, occurred, np.zeros(first.size, dtype=int))


def test_curves_without_enough_blocks_have_no_band():
    probability, occurred, _ = forecasts()
    sample = skill.draw_sample(occurred, np.zeros(occurred.size), np.random.default_rng(0), resamples=20)
    assert np.isnan(skill.value_curve(sample, probability).low).all()
    constant = skill.corp_curve(sample, np.full(occurred.size, 0.2))
    assert constant.at.tolist() == [0.2]
    assert constant.value[0] == pytest.approx(occurred.mean())
    never = skill.draw_sample(np.zeros(9, dtype=bool), np.arange(9), np.random.default_rng(0), resamples=20)
    assert np.isnan(skill.value_curve(never, np.full(9, 0.1)).value).all()

"""Parts of the Brier score, isotonic and logistic recalibration: identities, other libraries, refits."""

import numpy as np
import pytest
from scores import probability as theirs
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from flarecast import skill


def forecasts(n: int = 3000, regions: int = 150, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Forecasts too extreme and too high, outcomes, regions whose windows look alike."""
    rng = np.random.default_rng(seed)
    region = np.sort(rng.integers(regions, size=n))
    activity = rng.normal(-2, 1.2, regions)[region] + rng.normal(0, 0.7, n)
    occurred = rng.random(n) < 1 / (1 + np.exp(-activity))
    return 1 / (1 + np.exp(-1.6 * activity - 0.8)), occurred, region


def slope_of(probability: np.ndarray, occurred: np.ndarray, weight: np.ndarray | None = None) -> tuple:
    logit = np.log(probability / (1 - probability))[:, None]
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit, occurred, sample_weight=weight)
    return float(model.intercept_[0]), float(model.coef_[0, 0])


def test_the_parts_add_up_to_the_brier_score_in_the_whole_and_in_every_resample():
    probability, occurred, region = forecasts()
    sample = skill.draw_sample(occurred, region, np.random.default_rng(0), resamples=50)
    found = skill.estimate_probability(sample, probability) | skill.estimate_calibration(sample, probability)
    for parts in (
        {"reliability": 1, "resolution": -1, "uncertainty": 1, "within_bin": 1},
        {"miscalibration": 1, "discrimination": -1, "uncertainty": 1},
    ):
        value = sum(sign * found[name].value for name, sign in parts.items())
        assert value == pytest.approx(found["brier"].value, abs=1e-14)
        resampled = sum(sign * found[name].resampled for name, sign in parts.items())
        np.testing.assert_allclose(resampled, found["brier"].resampled, rtol=0, atol=1e-6)


def test_the_parts_are_those_of_the_bins_one_by_one():
    probability, occurred, _ = forecasts()
    sums = skill.sum_probability(probability, occurred)
    rank = np.searchsorted(np.sort(probability), probability)
    parts = np.zeros(4)
    for nth in range(15):
        inside = rank * 15 // probability.size == nth
        forecast, outcome = probability[inside], occurred[inside].astype(float)
        parts += inside.mean() * np.array(
            [
                (forecast.mean() - outcome.mean()) ** 2,
                (outcome.mean() - occurred.mean()) ** 2,
                forecast.var(),
                np.mean((forecast - forecast.mean()) * (outcome - outcome.mean())),
            ]
        )
    assert skill.reliability(sums) == pytest.approx(parts[0])
    assert skill.resolution(sums) == pytest.approx(parts[1])
    assert skill.within_bin(sums) == pytest.approx(parts[2] - 2 * parts[3])
    assert skill.uncertainty(sums) == pytest.approx(occurred.mean() * (1 - occurred.mean()))


def test_bins_of_one_probability_each_leave_nothing_within():
    probability = np.repeat([0.1, 0.3, 0.8], 20)
    occurred = np.arange(60) % 3 == 0
    assert skill.within_bin(skill.sum_probability(probability, occurred)) == pytest.approx(0, abs=1e-15)


def test_sharpness_is_the_deviation_of_the_forecasts_and_ignorance_skill_that_of_scikit_learn():
    probability, occurred, _ = forecasts()
    sums = skill.sum_probability(probability, occurred)
    assert skill.sharpness(sums) == pytest.approx(probability.std())
    for constant in (0.1, 0.123456, 1 / 3, 0.987):
        for n in (9, 859, 20_000):
            assert skill.sharpness(skill.sum_probability(np.full(n, constant), np.arange(n) < 2)) == 0
    expected = metrics.d2_log_loss_score(occurred, probability)
    assert skill.ignorance_skill(sums) == pytest.approx(expected)
    quiet = skill.sum_probability(probability, np.zeros(occurred.size, dtype=bool))
    assert np.isnan(skill.ignorance_skill(quiet))


@pytest.mark.parametrize("decimals", [9, 2, 1])
def test_corp_parts_follow_from_the_isotonic_fit_of_the_scores_library(decimals):
    probability, occurred, _ = forecasts(800)
    probability = probability.round(decimals)
    fit = theirs.isotonic_fit(probability, occurred.astype(float), functional="mean")
    level = np.searchsorted(fit["fcst_sorted"], probability)
    recalibrated = np.mean((np.asarray(fit["regression_values"])[level] - occurred) ** 2)
    rate = occurred.mean()
    sums = skill.sum_calibration(probability, occurred)
    assert skill.discrimination(sums) == pytest.approx(rate * (1 - rate) - recalibrated)
    expected = np.mean((probability - occurred) ** 2) - recalibrated
    assert skill.miscalibration(sums) == pytest.approx(expected)


def test_forecasts_that_are_the_isotonic_fit_have_no_miscalibration():
    occurred = np.arange(60) % 3 == 0
    sums = skill.sum_calibration(np.full(60, 1 / 3), occurred)
    assert skill.miscalibration(sums) == pytest.approx(0, abs=1e-12)
    assert skill.discrimination(sums) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("gap", [1e-16, 1e-13, 1e-11, 1e-9, 1e-7])
def test_constants_that_differ_by_rounding_have_no_slope(gap):
    occurred = np.arange(600) % 300 < 76
    probability = np.where(np.arange(600) < 300, 76 / 300, 76 / 300 * (1 + gap))
    sums = skill.sum_calibration(probability, occurred)
    assert np.isnan(skill.calibration_slope(sums))
    assert np.isnan(skill.calibration_intercept(sums))


def test_slope_and_intercept_are_those_of_scikit_learn():
    probability, occurred, _ = forecasts()
    sums = skill.sum_calibration(probability, occurred)
    intercept, slope = slope_of(probability, occurred)
    assert skill.calibration_slope(sums) == pytest.approx(slope, abs=1e-5)
    assert skill.calibration_intercept(sums) == pytest.approx(intercept, abs=1e-5)
    assert 0.4 < slope < 0.9  # too extreme by construction


def test_recalibrated_forecasts_have_slope_1_and_intercept_0():
    probability, occurred, _ = forecasts()
    intercept, slope = slope_of(probability, occurred)
    logit = intercept + slope * np.log(probability / (1 - probability))
    sums = skill.sum_calibration(1 / (1 + np.exp(-logit)), occurred)
    assert skill.calibration_slope(sums) == pytest.approx(1, abs=1e-5)
    assert skill.calibration_intercept(sums) == pytest.approx(0, abs=1e-5)


def test_certain_forecasts_that_fail_leave_a_finite_slope():
    probability, occurred, _ = forecasts()
    probability[:40] = np.where(np.arange(40) % 2 == 0, 0.0, 1.0)
    sums = skill.sum_calibration(probability, occurred)
    assert np.isfinite(skill.calibration_slope(sums))
    assert sums.gradient == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("probability", [np.full(40, 0.3), np.linspace(0, 1, 40), 1 - np.linspace(0, 1, 40)])
def test_without_overlap_there_is_no_slope_and_the_reason_is_said(probability):
    sample = skill.draw_sample(np.arange(40) >= 30, np.arange(40), np.random.default_rng(0), resamples=20)
    found = skill.estimate_calibration(sample, probability)
    for name in ("calibration_slope", "calibration_intercept"):
        assert np.isnan(found[name].value)
        assert "no logistic fit exists" in found[name].reason
    assert np.isfinite(found["miscalibration"].value)


def test_intervals_agree_with_those_of_refits_on_every_resample():
    probability, occurred, region = forecasts(12_000, 200, seed=1)
    sample = skill.draw_sample(occurred, region, np.random.default_rng(0), resamples=150)
    found = skill.estimate_calibration(sample, probability)
    refits: dict[str, list[float]] = {name: [] for name in skill.CALIBRATION}
    for counts in sample.counts:
        weight = counts[sample.blocks.code]
        drawn = np.repeat(np.arange(occurred.size), weight.astype(int))
        sums = skill.sum_calibration(probability[drawn], occurred[drawn])
        for name, score in skill.CALIBRATION.items():
            refits[name].append(float(score.compute(sums)))
    for name, refitted in refits.items():
        bounds = skill.interval(found[name], sample)
        low, high = np.quantile(refitted, [0.025, 0.975])
        tolerance = 1e-3 if name in ("miscalibration", "discrimination") else 0.1 * (high - low)
        np.testing.assert_allclose(
            [bounds.low, bounds.high], [low, high], rtol=0, atol=tolerance, err_msg=name
        )


def test_without_windows_every_part_is_nan():
    sums = skill.sum_calibration(np.array([]), np.array([], dtype=bool))
    for score in skill.CALIBRATION.values():
        assert np.isnan(score.compute(sums))

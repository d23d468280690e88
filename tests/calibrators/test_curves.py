"""Temperature, beta and isotonic calibration, and Venn-Abers ranges, against other makers of the same."""

import numpy as np
import pytest
from scipy.optimize import isotonic_regression
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from flarecast.calibrators import beta, isotonic, platt, temperature, venn_abers
from flarecast.calibrators.log_odds import log_odds
from flarecast.errors import FlarecastError


def distorted(n=4_000, slope=0.6, intercept=0.0, seed=0):
    """Forecasts and outcomes with logit of the truth = slope x logit of the forecast + intercept."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(-2, 1.5, n)
    truth = 1 / (1 + np.exp(-slope * logit - intercept))
    return 1 / (1 + np.exp(-logit)), rng.random(n) < truth


@pytest.mark.parametrize("slope", [0.4, 1.0, 2.5])
def test_a_temperature_is_found_again(slope):
    numbers = temperature.fit(*distorted(50_000, slope))
    assert 1 / numbers["temperature"] == pytest.approx(slope, rel=0.03)


def test_with_a_vanishing_ridge_temperature_is_logistic_regression_without_intercept():
    probability, occurred = distorted()
    reference = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-12, max_iter=1000)
    reference.fit(log_odds(probability)[:, None], occurred)
    found = temperature.fit(probability, occurred, ridge=1e-9)
    assert 1 / found["temperature"] == pytest.approx(reference.coef_[0, 0], rel=1e-5)


def test_forecasts_that_rank_backwards_get_the_highest_temperature():
    probability, occurred = distorted(slope=-1.0)
    assert temperature.fit(probability, occurred)["temperature"] == pytest.approx(1 / platt.MIN_SLOPE)


def test_with_a_vanishing_ridge_beta_is_logistic_regression_on_two_logarithms():
    probability, occurred = distorted(20_000, slope=0.8, intercept=0.5)
    parts = np.stack([np.log(probability), -np.log1p(-probability)], axis=1)
    reference = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(parts, occurred)
    found = beta.fit(probability, occurred, ridge=1e-9)
    assert (reference.coef_ > platt.MIN_SLOPE).all(), "else the two differ"
    curve = np.linspace(0.001, 0.9, 50)
    expected = reference.predict_proba(np.stack([np.log(curve), -np.log1p(-curve)], axis=1))[:, 1]
    np.testing.assert_allclose(beta.apply(curve, found), expected, atol=1e-3)


def test_beta_follows_what_no_line_through_the_logit_can():
    rng = np.random.default_rng(1)
    said = rng.uniform(0.01, 0.99, 100_000)
    truth = said**2 / (said**2 + (1 - said) ** 0.5)
    occurred = rng.random(said.size) < truth
    found = beta.fit(said, occurred)
    assert found["low"] == pytest.approx(2, abs=0.1)
    assert found["high"] == pytest.approx(0.5, abs=0.1)


def test_isotonic_is_that_of_scikit_learn_between_its_ends():
    probability, occurred = distorted(2_000)
    probability = probability.round(2)  # ties
    levels = np.unique(probability)
    expected = IsotonicRegression().fit(probability, occurred).predict(levels)
    inner = (expected > expected.min()) & (expected < expected.max())
    assert inner.sum() > 30
    found = isotonic.apply(levels, isotonic.fit(probability, occurred))
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-12)


def test_isotonic_never_says_0_or_1_where_the_other_may_come():
    probability = np.linspace(0, 1, 400)
    numbers = isotonic.fit(probability, probability >= 0.75)
    mended = isotonic.apply(np.array([0.0, 0.5, 0.9, 1.0]), numbers)
    np.testing.assert_allclose(mended, [0.25 / 301, 0.25 / 301, 100.25 / 101, 100.25 / 101], rtol=1e-9)


def test_isotonic_keeps_the_base_rate_of_what_it_was_fitted_on():
    probability, occurred = distorted(5_000)
    mended = isotonic.apply(probability, isotonic.fit(probability, occurred))
    assert mended.mean() == pytest.approx(occurred.mean(), abs=0.002)


def test_a_venn_abers_range_is_two_isotonic_fits_with_the_window_added():
    probability, occurred = distorted(150, seed=4)
    numbers = venn_abers.fit(probability, occurred)
    for place in np.quantile(probability, [0.1, 0.5, 0.9], method="nearest"):
        lower, upper = venn_abers.ranges(np.array([place]), numbers)
        for found, came in ((lower, 0.0), (upper, 1.0)):
            said, truth = np.append(probability, place), np.append(occurred, came)
            levels, at = np.unique(said, return_inverse=True)
            n = np.bincount(at)
            rates = isotonic_regression(np.bincount(at, truth) / n, weights=n).x
            assert found[0] == pytest.approx(rates[np.searchsorted(levels, place)], abs=1e-12)


def test_a_venn_abers_range_narrows_with_more_outcomes():
    def mean_width(n):
        lower, upper = venn_abers.ranges(np.linspace(0.02, 0.6, 50), venn_abers.fit(*distorted(n)))
        return (upper - lower).mean()

    assert mean_width(20_000) < mean_width(2_000) / 2 < mean_width(200) / 4


@pytest.mark.parametrize("kind", [temperature, beta])
@pytest.mark.parametrize("ridge", [0.0, -1.0, np.nan])
def test_a_ridge_that_is_no_positive_number_is_refused(kind, ridge):
    with pytest.raises(FlarecastError, match="ridge: expected a number above 0"):
        kind.fit(*distorted(100), ridge=ridge)


@pytest.mark.parametrize("kind", [temperature, beta, isotonic, venn_abers])
def test_min_events_below_one_is_refused(kind):
    with pytest.raises(FlarecastError, match="min_events: expected at least 1, got 0"):
        kind.fit(*distorted(100), min_events=0)

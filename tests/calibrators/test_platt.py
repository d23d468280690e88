"""Platt scaling, held towards the identity."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from flarecast.calibrators import platt
from flarecast.errors import FlarecastError


def logistic(logit):
    return 1 / (1 + np.exp(-logit))


def forecasts(n, slope, intercept, seed=0):
    """Forecasts and outcomes for which the line is true."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(-2, 1.5, n)
    return logistic(logit), rng.random(n) < logistic(slope * logit + intercept)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, -1.0), (1.6, 1.2)])
def test_a_known_distortion_is_found_again(slope, intercept):
    numbers = platt.fit(*forecasts(100_000, slope, intercept))
    assert numbers["slope"] == pytest.approx(slope, abs=0.03)
    assert numbers["intercept"] == pytest.approx(intercept, abs=0.05)
    assert numbers["reason"] is None


def test_with_a_vanishing_ridge_it_is_unpenalised_logistic_regression():
    probability, occurred = forecasts(3_000, 1.4, 0.5)
    numbers = platt.fit(probability, occurred, ridge=1e-9)
    logit = np.log(probability / (1 - probability))
    reference = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(logit[:, None], occurred)
    assert numbers["slope"] == pytest.approx(reference.coef_[0, 0], rel=1e-5)
    assert numbers["intercept"] == pytest.approx(reference.intercept_[0], rel=1e-5)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("ridge", [0.1, 1.0, 30.0])
def test_it_minimises_the_penalised_loss_under_a_positive_slope(ridge, turned):
    probability, occurred = forecasts(400, 1.8, -0.4, seed=3)
    occurred = occurred ^ turned
    numbers = platt.fit(probability, occurred, ridge=ridge)
    logit = np.log(probability / (1 - probability))

    def loss(line):
        margin = np.where(occurred, 1, -1) * (line[0] * logit + line[1])
        return np.logaddexp(0, -margin).sum() + ridge / 2 * ((line[0] - 1) ** 2 + line[1] ** 2)

    best = minimize(loss, [1, 0], bounds=[(platt.MIN_SLOPE, None), (None, None)], options={"ftol": 1e-15})
    line = numbers["slope"], numbers["intercept"]
    assert loss(line) <= best.fun + 1e-9
    np.testing.assert_allclose(line, best.x, atol=1e-3)


def test_a_stronger_ridge_lies_nearer_to_the_identity():
    probability, occurred = forecasts(300, 2.0, 1.0)
    away = [
        np.hypot(numbers["slope"] - 1, numbers["intercept"])
        for numbers in (platt.fit(probability, occurred, ridge=ridge) for ridge in (0.1, 1, 10, 100, 1e4))
    ]
    assert (np.diff(away) < 0).all()
    assert away[-1] < 0.01


def test_forecasts_that_rank_backwards_are_flattened_to_the_base_rate_and_not_turned_round():
    probability, occurred = forecasts(5_000, -1.0, -2.0)
    numbers = platt.fit(probability, occurred)
    mended = platt.apply(probability, numbers)
    assert numbers["slope"] == platt.MIN_SLOPE
    assert mended.mean() == pytest.approx(occurred.mean(), abs=1e-3)
    assert np.ptp(mended) < 0.003
    assert np.corrcoef(mended, probability)[0, 1] > 0


def test_equal_probabilities_move_towards_the_base_rate():
    occurred = np.arange(1000) < 300
    numbers = platt.fit(np.full(1000, 0.05), occurred)
    assert platt.apply(np.array([0.05]), numbers) == pytest.approx(0.3, abs=0.01)


def test_probabilities_of_exactly_0_and_1_have_a_finite_logit():
    probability = np.repeat([0.0, 1.0], 500)
    occurred = np.concatenate([np.arange(500) < 50, np.arange(500) < 400])
    mended = platt.apply(probability, platt.fit(probability, occurred))
    assert mended[0] == pytest.approx(0.1, abs=0.02)
    assert mended[-1] == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(
    ("n_events", "n_quiet", "reason"),
    [
        (0, 0, "no forecast with a known outcome"),
        (19, 500, "19 events in calibration, 20 needed"),
        (500, 19, "19 non-events in calibration, 20 needed"),
        (0, 50, "0 events in calibration, 20 needed"),
        (1, 50, "1 event in calibration, 20 needed"),
    ],
)
def test_with_too_few_events_or_non_events_nothing_is_changed_and_the_reason_is_told(
    n_events, n_quiet, reason
):
    occurred = np.arange(n_events + n_quiet) < n_events
    probability = np.linspace(0, 1, occurred.size)
    numbers = platt.fit(probability, occurred)
    assert (numbers["slope"], numbers["intercept"]) == (1.0, 0.0)
    assert reason in numbers["reason"]
    np.testing.assert_array_equal(platt.apply(probability, numbers), probability)


def test_twenty_events_are_enough_and_fewer_are_if_so_asked():
    assert platt.fit(np.linspace(0, 1, 40), np.arange(40) >= 20)["reason"] is None
    assert platt.fit(np.linspace(0, 1, 10), np.arange(10) >= 5, min_events=5)["reason"] is None


@pytest.mark.parametrize("ridge", [0.0, -1.0, np.nan, np.inf])
def test_a_ridge_that_is_no_positive_number_is_refused(ridge):
    with pytest.raises(FlarecastError, match="ridge: expected a number above 0"):
        platt.fit(*forecasts(100, 1, 0), ridge=ridge)


def test_min_events_below_one_is_refused():
    with pytest.raises(FlarecastError, match="min_events: expected at least 1, got 0"):
        platt.fit(*forecasts(100, 1, 0), min_events=0)

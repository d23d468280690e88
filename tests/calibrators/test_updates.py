"""Calibration that goes on learning, and rates estimated without outcomes."""

import numpy as np
import pytest

from flarecast.calibrators.history import History, share_new
from flarecast.calibrators.log_odds import log_odds
from flarecast.calibrators.prior_shift import black_box_rate, em_rate, moved
from flarecast.calibrators.updates import UPDATES
from flarecast.errors import FlarecastError

DAY = 86_400
START = {"base_rate": 0.2, "mean_quiet": 0.12, "mean_event": 0.5}
LEARNING = ("sequential", "refit")
ESTIMATING = ("em", "black_box")


def drifting(n=3_000, shift=-1.0, seed=0, delay=DAY):
    """Daily forecasts of a chance that all forecasts overrate from the middle on by `shift` in the logit."""
    rng = np.random.default_rng(seed)
    chance = rng.beta(1, 4, n)
    odds = log_odds(chance) + np.where(np.arange(n) >= n // 2, shift, 0)
    occurred = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    issue = np.arange(n) * DAY
    return History(chance, occurred, issue, issue + DAY + delay, np.ones(n)), 1 / (1 + np.exp(-odds))


def changed(history, **parts):
    return History(**{**vars(history), **parts})


@pytest.mark.parametrize("name", LEARNING)
def test_drift_is_followed_once_outcomes_are_known(name):
    history, truth = drifting()
    options = {"span": "sliding"} if name == "refit" else {}
    found = UPDATES[name](history, START, **options)
    late = np.arange(history.issue_time.size) > 2_500

    def error(probability):
        return np.abs(probability - truth)[late].mean()

    assert error(found) < 0.5 * error(history.probability)


def test_without_drift_little_is_changed():
    history, _ = drifting(shift=0.0)
    found = UPDATES["sequential"](history, START)
    assert np.abs(found - history.probability).mean() < 0.02


def test_what_was_learned_is_forgotten_towards_the_fixed_calibration():
    history, _ = drifting()
    blank = history.occurred.copy()
    blank[2_000:] = -1  # no reports any more
    early = UPDATES["sequential"](history, START)[1_990:2_000]
    found = UPDATES["sequential"](changed(history, occurred=blank), START, half_life_days=60)
    known = np.abs(early - history.probability[1_990:2_000]).mean()
    assert known > 0.02
    assert np.isfinite(found).all()
    blank[2_900] = 0  # the first report after years without: what was learned before hardly counts
    found = UPDATES["sequential"](changed(history, occurred=blank), START, half_life_days=60)
    assert np.abs(found[2_950:] - history.probability[2_950:]).mean() < known / 3


@pytest.mark.parametrize("name", UPDATES)
def test_no_outcome_is_used_before_it_is_known_and_no_forecast_before_it_is_issued(name):
    history, _ = drifting(600)
    found = UPDATES[name](history, START)
    for time in (100 * DAY, 333 * DAY, 599 * DAY):
        rng = np.random.default_rng(1)
        unknown, later = history.known_time > time, history.issue_time > time
        occurred = np.where(unknown, rng.integers(-1, 2, 600), history.occurred).astype(np.int8)
        probability = np.where(later, rng.random(600), history.probability)
        other = UPDATES[name](changed(history, occurred=occurred, probability=probability), START)
        np.testing.assert_array_equal(other[~later], found[~later])


@pytest.mark.parametrize("name", LEARNING)
def test_an_outcome_counts_from_the_moment_that_it_is_known(name):
    history, _ = drifting(600)
    at = 400
    flipped = history.occurred.copy()
    flipped[at] = 1 - flipped[at]
    options = {"every_days": 1} if name == "refit" else {}
    before = UPDATES[name](history, START, **options)
    after = UPDATES[name](changed(history, occurred=flipped), START, **options)
    np.testing.assert_array_equal(np.flatnonzero(before != after)[0], at + 2)


@pytest.mark.parametrize("name", UPDATES)
def test_what_is_not_forecast_stays_so_and_all_else_is_a_probability_that_keeps_its_order(name):
    history, _ = drifting(900)
    holes = history.probability.copy()
    holes[::7] = np.nan
    found = UPDATES[name](changed(history, probability=holes), START)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(holes))
    there = ~np.isnan(found)
    assert ((found[there] >= 0) & (found[there] <= 1)).all()
    two = changed(history, issue_time=history.issue_time // (2 * DAY) * 2 * DAY)
    pairs, said = UPDATES[name](two, START).reshape(-1, 2), history.probability.reshape(-1, 2)
    rises = np.sign(said[:, 1] - said[:, 0])
    assert (np.sign(pairs[:, 1] - pairs[:, 0]) * rises >= 0).all(), "one line for one issue time"


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize(
    ("probability", "occurred"),
    [
        (np.full(400, 0.2), np.zeros(400, dtype=np.int8)),
        (np.full(400, 0.2), np.ones(400, dtype=np.int8)),
        (np.linspace(0, 1, 400), (np.arange(400) >= 300).astype(np.int8)),
        (np.repeat([0.0, 1.0], 200), np.tile([0, 1], 200).astype(np.int8)),
        (np.full(400, 0.2), np.full(400, -1, dtype=np.int8)),
        (np.zeros(0), np.zeros(0, dtype=np.int8)),
    ],
)
def test_bad_evidence_gives_finite_probabilities(name, probability, occurred):
    issue = np.arange(probability.size) * DAY
    history = History(probability, occurred, issue, issue + 2 * DAY, np.ones(issue.size))
    for start in (START, dict.fromkeys(START)):
        found = UPDATES[name](history, start)
        assert np.isfinite(found).all()
        assert ((found >= 0) & (found <= 1)).all()


def shifted(rate, n=20_000, seed=1):
    """Forecasts made for a rate of 0.2 where events come at another, and that alone changed."""
    rng = np.random.default_rng(seed)
    occurred = rng.random(n) < rate
    score = rng.normal(occurred * 2.0, 1)
    odds = 2.0 * score - 2.0 + np.log(0.2 / 0.8)
    return 1 / (1 + np.exp(-odds)), occurred


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.2, 0.5])
def test_a_rate_that_moved_alone_is_found_without_outcomes(rate):
    probability, occurred = shifted(rate)
    told, came = shifted(0.2, seed=2)
    assert em_rate(probability, 0.2) == pytest.approx(occurred.mean(), abs=0.01)
    means = told[~came].mean(), told[came].mean()
    assert black_box_rate(probability, *means) == pytest.approx(occurred.mean(), abs=0.012)


def test_moving_to_the_rate_and_back_changes_nothing():
    probability, _ = shifted(0.2, n=500)
    np.testing.assert_allclose(moved(moved(probability, 0.2, 0.03), 0.03, 0.2), probability, atol=1e-12)


def test_forecasts_that_tell_events_from_none_nowhere_give_no_rate():
    assert np.isnan(black_box_rate(np.full(10, 0.3), 0.3, 0.3))


@pytest.mark.parametrize("name", ESTIMATING)
def test_an_estimated_rate_mends_forecasts_made_for_another(name):
    probability, occurred = shifted(0.03, n=4_000)
    issue = np.arange(4_000) * DAY // 4
    history = History(probability, occurred.astype(np.int8), issue, issue + DAY, np.ones(4_000))
    told, came = shifted(0.2, seed=2)
    start = {"base_rate": 0.2, "mean_quiet": told[~came].mean(), "mean_event": told[came].mean()}
    found = UPDATES[name](history, start)
    late = slice(1_500, None)
    assert probability[late].mean() > 0.06
    assert found[late].mean() == pytest.approx(occurred[late].mean(), abs=0.012)


def test_overlapping_windows_share_an_outcome():
    region = np.array(["a", "b", "a", "a", "b"], dtype=object)
    begin = np.array([0, 0, 6, 48, 24]) * 3600
    np.testing.assert_allclose(share_new(region, begin, begin + DAY), [1, 1, 0.25, 1, 1])
    twice = np.zeros(2, dtype=np.int64)
    assert share_new(np.array(["a", "a"], dtype=object), twice, twice + DAY)[1] < 0.01


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sequential", {"half_life_days": 0.0}, "half_life_days: expected a number above 0, got 0"),
        ("sequential", {"slope_spread": -1.0}, "slope_spread: expected a number above 0"),
        ("refit", {"name": "magic"}, "name: expected one of temperature, platt, .*got 'magic'"),
        ("refit", {"every_days": 0.5}, "every_days: expected at least 1 day, got 0.5"),
        ("em", {"span_days": float("nan")}, "span_days: expected at least 1 day"),
        ("black_box", {"every_days": 0.0}, "every_days: expected at least 1 day"),
    ],
)
def test_options_out_of_range_are_refused(name, options, message):
    with pytest.raises(FlarecastError, match=message):
        UPDATES[name](drifting(50)[0], START, **options)

"""Scores of probabilities: scikit-learn, hand-made cases, undefined cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from flarecast import skill


def forecasts(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probability = rng.beta(0.5, 3, n)
    return probability, rng.random(n) < probability


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40))
def test_brier_bss_and_log_loss_equal_those_of_scikit_learn(pairs):
    probability = np.array([pair[0] for pair in pairs])
    occurred = np.array([pair[1] for pair in pairs])
    sums = skill.sum_probability(probability, occurred)
    assert skill.brier(sums) == pytest.approx(metrics.brier_score_loss(occurred, probability))
    expected = metrics.log_loss(occurred, probability, labels=[False, True])
    assert skill.log_loss(sums) == pytest.approx(expected, abs=1e-12)
    if occurred.any() and not occurred.all():
        assert skill.bss(sums) == pytest.approx(metrics.d2_brier_score(occurred, probability))


def test_a_certain_forecast_that_fails_costs_the_clipped_log_loss():
    sums = skill.sum_probability(np.array([0.0]), np.array([True]))
    assert skill.log_loss(sums) == pytest.approx(36.0437, abs=1e-4)


def test_the_base_rate_as_forecast_has_no_brier_skill():
    _, occurred = forecasts()
    rate = np.full(occurred.size, occurred.mean())
    sums = skill.sum_probability(rate, occurred, training_base_rate=float(occurred.mean()))
    assert skill.bss(sums) == pytest.approx(0, abs=1e-12)
    assert skill.bss_train(sums) == pytest.approx(0, abs=1e-12)
    assert skill.ece(sums.width_bins) == pytest.approx(0, abs=1e-12)


def test_bss_train_compares_with_the_training_rate():
    probability, occurred = forecasts()
    sums = skill.sum_probability(probability, occurred, training_base_rate=0.3)
    expected = 1 - np.mean((probability - occurred) ** 2) / np.mean((0.3 - occurred) ** 2)
    assert skill.bss_train(sums) == pytest.approx(expected)
    assert np.isnan(skill.bss_train(skill.sum_probability(probability, occurred)))


def test_bss_year_earns_nothing_by_knowing_each_years_rate():
    rng = np.random.default_rng(3)
    year = np.repeat([2009, 2012, 2014], 500)
    rate = np.select([year == 2009, year == 2012], [0.01, 0.2], 0.4)
    occurred = rng.random(year.size) < rate
    own = np.select(
        [year == y for y in (2009, 2012, 2014)], [occurred[year == y].mean() for y in (2009, 2012, 2014)]
    )
    sums = skill.sum_probability(own, occurred, year=year)
    assert skill.bss_year(sums) == pytest.approx(0, abs=1e-12)
    assert skill.bss(sums) > 0.05
    reference = np.mean((own - occurred) ** 2)
    probability, _ = forecasts(year.size)
    sums = skill.sum_probability(probability, occurred, year=year)
    assert skill.bss_year(sums) == pytest.approx(1 - np.mean((probability - occurred) ** 2) / reference)


def test_ece_is_the_mean_gap_over_fifteen_bins_of_equal_width():
    probability, occurred = forecasts()
    gap = 0.0
    for low in np.arange(15) / 15:
        inside = (probability > low) & (probability <= low + 1 / 15)
        if inside.any():
            gap += inside.mean() * abs(probability[inside].mean() - occurred[inside].mean())
    sums = skill.sum_probability(probability, occurred)
    assert skill.ece(sums.width_bins) == pytest.approx(gap)


def test_ece_mass_bins_hold_equally_many_windows_and_keep_ties_together():
    probability, occurred = forecasts(450)
    assert skill.sum_probability(probability, occurred).mass_bins.n.tolist() == [30.0] * 15
    tied = np.repeat([0.1, 0.9], [40, 10])
    sums = skill.sum_probability(tied, np.arange(50) % 5 == 0)
    assert sorted(sums.mass_bins.n[sums.mass_bins.n > 0].tolist()) == [10, 40]
    assert skill.ece(sums.mass_bins) == pytest.approx(0.8 * 0.1 + 0.2 * 0.7)


def test_probabilities_0_and_1_belong_to_the_first_and_last_bin():
    sums = skill.sum_probability(np.array([0.0, 1.0]), np.array([False, True]))
    assert (sums.width_bins.n[0], sums.width_bins.n[-1]) == (1, 1)


def test_without_events_skill_is_nan_but_errors_are_not():
    sums = skill.sum_probability(np.array([0.1, 0.2]), np.array([False, False]))
    assert np.isnan(skill.bss(sums))
    assert np.isnan(skill.bss_year(sums))
    assert skill.brier(sums) == pytest.approx(0.025)
    assert skill.base_rate(sums) == 0


def test_without_windows_everything_is_nan():
    sums = skill.sum_probability(np.array([]), np.array([], dtype=bool))
    for score in (skill.brier, skill.log_loss, skill.base_rate, skill.bss):
        assert np.isnan(score(sums))
    assert np.isnan(skill.ece(sums.width_bins))

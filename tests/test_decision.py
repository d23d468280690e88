"""Decision thresholds with the highest score."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flarecast.decision import RULES, best_decision_thresholds


def scores_at(probability, occurred, threshold):
    """TSS and HSS of the plain definitions, by counting."""
    forecast = probability >= threshold
    a, b = (forecast & occurred).sum(), (forecast & ~occurred).sum()
    c, d = (~forecast & occurred).sum(), (~forecast & ~occurred).sum()
    n = a + b + c + d
    chance = ((a + b) * (a + c) + (c + d) * (b + d)) / n
    return {"tss": a / (a + c) - b / (b + d), "hss": (a + d - chance) / (n - chance)}


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 60), levels=st.integers(1, 30))
def test_it_scores_as_high_as_any_cut_and_is_the_highest_that_does(seed, n, levels):
    rng = np.random.default_rng(seed)
    probability = rng.choice(rng.random(levels), n)
    occurred = rng.random(n) < probability
    occurred[:2] = [True, False]
    found = best_decision_thresholds(probability, occurred)
    cuts = np.unique(probability)
    for rule in RULES:
        brute = {cut: scores_at(probability, occurred, cut)[rule] for cut in cuts}
        best = max(brute.values())
        assert scores_at(probability, occurred, found[rule])[rule] == pytest.approx(best, abs=1e-12)
        highest = max(cut for cut, score in brute.items() if score >= best - 1e-12)
        below = cuts[cuts < highest]
        assert found[rule] == (pytest.approx((highest + below[-1]) / 2) if below.size else highest)


def test_it_lies_midway_so_that_rounding_moves_no_window_across():
    found = best_decision_thresholds(np.array([0.1, 0.2, 0.6, 0.8]), np.array([False, False, True, True]))
    assert found == {"tss": pytest.approx(0.4), "hss": pytest.approx(0.4)}


def test_between_neighbouring_floats_it_still_separates():
    low, high = 0.3, np.nextafter(0.3, 1)
    found = best_decision_thresholds(np.array([low, high]), np.array([False, True]))
    assert found == {"tss": high, "hss": high}


def test_forecasts_that_are_all_equal_have_that_probability_as_threshold():
    assert best_decision_thresholds(np.full(5, 0.2), np.arange(5) < 2) == {"tss": 0.2, "hss": 0.2}


@pytest.mark.parametrize("occurred", [[True, True], [False, False], []])
def test_without_events_or_without_non_events_there_is_none(occurred):
    assert best_decision_thresholds(np.linspace(0, 1, len(occurred)), np.array(occurred, dtype=bool)) is None


def test_swapped_arguments_fail_at_once():
    with pytest.raises(TypeError, match="occurred: expected bool"):
        best_decision_thresholds(np.array([True, False]), np.array([0.2, 0.3]))


def test_the_order_of_the_windows_does_not_matter():
    rng = np.random.default_rng(1)
    probability = rng.random(500).round(2)
    occurred = rng.random(500) < probability
    order = rng.permutation(500)
    assert best_decision_thresholds(probability[order], occurred[order]) == best_decision_thresholds(
        probability, occurred
    )

"""Decision thresholds with the highest score."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flarecast.calibrate.guarantee import guaranteed_recall_threshold
from flarecast.decision import (
    RULE_NAMES,
    RULES,
    best_decision_thresholds,
    decision_rules,
    resampled_thresholds,
)
from flarecast.errors import FlarecastError


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


def sample(n=2_000, seed=2):
    """Calibrated forecasts, their outcomes, and blocks of twenty."""
    rng = np.random.default_rng(seed)
    probability = rng.beta(0.5, 3, n)
    return probability, rng.random(n) < probability, np.arange(n) // 20


def test_an_unbiased_threshold_forecasts_as_many_events_as_there_are():
    probability, occurred, _ = sample()
    found = best_decision_thresholds(probability, occurred, decision_rules(0.1, 0.9))
    assert (probability >= found["unbiased"]).sum() == occurred.sum()


@pytest.mark.parametrize("ratio", [0.05, 0.2, 0.5])
def test_a_cost_loss_threshold_has_the_least_expense_and_lies_near_the_ratio(ratio):
    probability, occurred, _ = sample(50_000)

    def expense(threshold):
        warned = probability >= threshold
        return ratio * warned.sum() + (occurred & ~warned).sum()

    found = best_decision_thresholds(probability, occurred, decision_rules(ratio, 0.9))["cost_loss"]
    assert expense(found) <= min(expense(cut) for cut in np.linspace(0, 1, 201))
    assert found == pytest.approx(ratio, rel=0.35), "calibrated forecasts are acted on where they reach it"


@pytest.mark.parametrize("target", [0.5, 0.9, 1.0])
def test_a_threshold_for_a_recall_is_the_highest_that_reaches_it(target):
    probability, occurred, _ = sample()
    found = best_decision_thresholds(probability, occurred, decision_rules(0.1, target))["target_recall"]
    higher = probability[probability >= found].min() + 1e-12
    assert (probability[occurred] >= found).mean() >= target
    assert (probability[occurred] >= higher).mean() < target or not occurred[probability == higher].any()


def test_rules_are_named_in_their_order():
    assert tuple(decision_rules(0.1, 0.9)) == RULE_NAMES


def test_a_resample_that_draws_every_block_once_has_the_thresholds_of_the_whole():
    probability, occurred, block = sample(900)
    rules = decision_rules(0.1, 0.9)
    whole = best_decision_thresholds(probability, occurred, rules)
    drawn = resampled_thresholds(probability, occurred, block, rules, np.ones((2, 45)))
    for rule, values in drawn.items():
        np.testing.assert_allclose(values, whole[rule])


def test_a_resample_counts_a_block_as_often_as_it_was_drawn():
    probability, occurred, block = sample(900)
    counts = np.random.default_rng(0).multinomial(45, np.full(45, 1 / 45), size=3).astype(float)
    rules = decision_rules(0.1, 0.9)
    drawn = resampled_thresholds(probability, occurred, block, rules, counts)
    for nth in range(3):
        rows = np.repeat(np.arange(900), counts[nth].astype(int)[block])
        alone = best_decision_thresholds(probability[rows], occurred[rows], rules)
        for rule in rules:
            chosen = probability[rows] >= drawn[rule][nth]
            np.testing.assert_array_equal(chosen, probability[rows] >= alone[rule])


def test_resamples_without_events_are_left_out():
    probability, occurred = np.linspace(0, 1, 40), np.arange(40) >= 30
    counts = np.array([[2.0, 0.0], [1.0, 1.0]])
    drawn = resampled_thresholds(probability, occurred, np.arange(40) // 20, decision_rules(0.1, 0.9), counts)
    assert {values.size for values in drawn.values()} == {1}


def test_a_guaranteed_recall_holds_on_new_events_and_asks_for_enough_of_them():
    pytest.importorskip("mapie", reason="extra conformal is not installed")
    kept = []
    for seed in range(20):
        probability, occurred, _ = sample(3_000, seed)
        fresh, came, _ = sample(3_000, 1_000 + seed)
        threshold = guaranteed_recall_threshold(
            probability,
            occurred,
            np.arange(3_000),
            np.random.default_rng(seed),
            recall=0.8,
            confidence=0.9,
        )
        assert 0.01 < threshold < 0.3
        kept.append((fresh[came] >= threshold).mean() >= 0.8)
    assert sum(kept) >= 17


def test_events_of_one_block_count_once_for_a_guarantee():
    pytest.importorskip("mapie", reason="extra conformal is not installed")
    probability, occurred = np.full(4_000, 0.5), np.ones(4_000, dtype=bool)
    for n_blocks, sure in ((5, False), (100, True)):
        threshold = guaranteed_recall_threshold(
            probability,
            occurred,
            np.arange(4_000) % n_blocks,
            np.random.default_rng(0),
            recall=0.9,
            confidence=0.95,
        )
        assert (threshold is not None) == sure


def test_without_mapie_a_guarantee_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mapie.risk_control", None)
    with pytest.raises(FlarecastError, match=r"guaranteed_recall: expected MAPIE, got none; pip install 'fl"):
        guaranteed_recall_threshold(*sample(), np.random.default_rng(0), recall=0.9, confidence=0.9)

"""Scores of the order of forecasts: scikit-learn, ties, rank bins against exact resampling."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from flarecast import skill
from flarecast.skill import intervals
from flarecast.skill.sums import combined


def clustered(n: int, regions: int, level: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, outcomes and regions whose windows look alike."""
    rng = np.random.default_rng(seed)
    region = np.sort(rng.integers(regions, size=n))
    activity = rng.normal(level, 1.5, regions)[region] + rng.normal(0, 0.7, n)
    occurred = rng.random(n) < 1 / (1 + np.exp(-activity))
    return 1 / (1 + np.exp(-activity - rng.normal(0, 0.7, n))), occurred, region


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.7, 1.0]), st.booleans()), min_size=1))
def test_average_precision_and_auc_equal_those_of_scikit_learn_with_ties(pairs):
    probability = np.array([pair[0] for pair in pairs])
    occurred = np.array([pair[1] for pair in pairs])
    ranked = skill.rank(probability, occurred)
    if not occurred.any():
        assert np.isnan(skill.average_precision(ranked))
        return
    expected = metrics.average_precision_score(occurred, probability)
    assert skill.average_precision(ranked) == pytest.approx(expected)
    if not occurred.all():
        assert skill.roc_auc(ranked) == pytest.approx(metrics.roc_auc_score(occurred, probability))


def test_tss_max_is_the_best_of_all_decision_thresholds():
    probability, occurred, _ = clustered(500, 30, -1, seed=1)
    thresholds = np.unique(probability)
    best = max(float(skill.tss(skill.contingency_table(probability, occurred, t))) for t in thresholds)
    assert skill.tss_max(skill.rank(probability, occurred)) == pytest.approx(best)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.7, 1.0]), st.booleans()), min_size=2),
    st.sampled_from([0.013, 0.051, 0.37]),
)
def test_recall_at_a_false_alarm_rate_is_the_roc_curve_of_scikit_learn(pairs, rate):
    probability = np.array([pair[0] for pair in pairs])
    occurred = np.array([pair[1] for pair in pairs])
    found = skill.recall_at_far(skill.rank(probability, occurred), rate)
    if occurred.all() or not occurred.any():
        assert np.isnan(found)
        return
    curve = metrics.roc_curve(occurred, probability, drop_intermediate=False)
    after = int(np.searchsorted(curve[0], rate, side="right"))
    expected = np.interp(rate, curve[0][after - 1 : after + 1], curve[1][after - 1 : after + 1])
    assert found == pytest.approx(expected)


def test_precision_at_a_recall_is_a_point_of_the_curve_of_scikit_learn():
    probability, occurred, _ = clustered(2000, 60, -2, seed=6)
    # An even number of events, so that half of them are at a point of the curve.
    occurred[np.flatnonzero(occurred)[: occurred.sum() % 2]] = False
    precision, recall, _ = metrics.precision_recall_curve(occurred, probability)
    ranked = skill.rank(probability, occurred)
    expected = precision[recall == 0.5].max()
    assert skill.precision_at_recall(ranked, 0.5) == pytest.approx(expected)
    constant = skill.rank(np.full(10, 0.2), np.arange(10) < 3)
    assert skill.precision_at_recall(constant, 0.8) == pytest.approx(0.3)
    assert skill.recall_at_far(constant, 0.05) == pytest.approx(0.05)


def test_a_perfect_order_recalls_all_without_a_false_alarm():
    ranked = skill.rank(np.linspace(0, 1, 40), np.arange(40) >= 30)
    assert skill.recall_at_far(ranked, 0.01) == 1
    assert skill.precision_at_recall(ranked, 0.8) == 1


def test_the_sweep_gives_the_table_of_each_decision_threshold():
    probability, occurred, _ = clustered(200, 30, -1, seed=2)
    ranked = skill.rank(probability.round(2), occurred)
    tables = skill.sweep(ranked)
    for nth in (0, 7, -1):
        table = skill.contingency_table(probability.round(2), occurred, ranked.lowest[nth])
        assert (tables.hits[nth], tables.false_alarms[nth]) == (table.hits, table.false_alarms)
        assert (tables.misses[nth], tables.correct_negatives[nth]) == (table.misses, table.correct_negatives)


def test_merging_non_events_between_events_changes_no_score():
    probability, occurred, region = clustered(5000, 100, -5, seed=3)
    sample = skill.draw_sample(occurred, region, np.random.default_rng(0), resamples=50)
    exact = combined(skill.rank(probability, occurred, sample.blocks), sample.counts)
    merged = combined(skill.rank(probability, occurred, sample.blocks, 1000), sample.counts)
    assert merged.lowest.size < exact.lowest.size / 5
    for score in (entry.compute for entry in skill.RANKING.values()):
        np.testing.assert_allclose(score(merged), score(exact), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("level", "decimals"), [(-1, 9), (1, 9), (-4, 2), (-2, 3)])
def test_intervals_from_rank_bins_agree_with_exact_resampling_to_a_thousandth(level, decimals):
    probability, occurred, region = clustered(12_000, 150, level, seed=4)
    probability = probability.round(decimals)
    sample = skill.draw_sample(occurred, region, np.random.default_rng(0), resamples=200)
    exact = combined(skill.rank(probability, occurred, sample.blocks), sample.counts)
    found = skill.estimate_ranking(sample, probability)
    for name in skill.RANKING:
        bounds = np.quantile(found[name].resampled, [0.025, 0.975])
        expected = np.quantile(skill.RANKING[name].compute(exact), [0.025, 0.975])
        np.testing.assert_allclose(bounds, expected, rtol=0, atol=1e-3)
    assert found["average_precision"].value == pytest.approx(
        metrics.average_precision_score(occurred, probability), abs=1e-12
    )


@pytest.mark.parametrize(("level", "decimals"), [(-1, 9), (-3, 9), (-2, 3)])
def test_the_fewer_bins_of_a_large_task_keep_average_precision_and_auc_to_a_thousandth(
    monkeypatch, level, decimals
):
    probability, occurred, region = clustered(12_000, 300, level, seed=4)
    probability = probability.round(decimals)
    sample = skill.draw_sample(occurred, region, np.random.default_rng(0), resamples=100)
    # As many bins as 10,000 resamples of 3,000 regions are given.
    monkeypatch.setattr(intervals, "MOST_PRODUCTS", intervals.MOST_PRODUCTS // 1000)
    exact = combined(skill.rank(probability, occurred, sample.blocks), sample.counts)
    found = skill.estimate_ranking(sample, probability)
    for name in ("average_precision", "roc_auc"):
        bounds = np.quantile(found[name].resampled, [0.025, 0.975])
        expected = np.quantile(skill.RANKING[name].compute(exact), [0.025, 0.975])
        np.testing.assert_allclose(bounds, expected, rtol=0, atol=1e-3)


def test_one_resample_equals_scikit_learn_on_the_windows_drawn():
    probability, occurred, region = clustered(600, 40, -1, seed=5)
    sample = skill.draw_sample(occurred, region, np.random.default_rng(0), resamples=3)
    found = skill.estimate_ranking(sample, probability)
    for nth in range(3):
        weight = sample.counts[nth][sample.blocks.code]
        expected = metrics.average_precision_score(occurred, probability, sample_weight=weight)
        assert found["average_precision"].resampled[nth] == pytest.approx(expected)
        expected = metrics.roc_auc_score(occurred, probability, sample_weight=weight)
        assert found["roc_auc"].resampled[nth] == pytest.approx(expected)


def test_a_heavy_tie_keeps_its_own_bin():
    rng = np.random.default_rng(0)
    probability = np.where(rng.random(4000) < 0.5, 0.3, rng.random(4000))
    occurred = rng.random(4000) < probability
    ranked = skill.rank(probability, occurred, n_bins=100)
    nth = np.flatnonzero(ranked.lowest == 0.3)[0]
    assert ranked.tied[nth]
    assert ranked.in_events[nth] + ranked.in_non_events[nth] == (probability == 0.3).sum()


def test_constant_forecasts_are_one_bin():
    ranked = skill.rank(np.full(10, 0.2), np.arange(10) < 3, n_bins=1000)
    assert skill.average_precision(ranked) == pytest.approx(0.3)
    assert skill.roc_auc(ranked) == pytest.approx(0.5)
    assert skill.tss_max(ranked) == 0

"""Contingency scores: golden table, scikit-learn, undefined cases, wrong arguments."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scores import categorical
from sklearn import metrics

from flarecast import skill
from flarecast.errors import FlarecastError

# Finley's tornado forecasts of 1884: the golden table of forecast verification.
FINLEY = skill.ContingencyTable(*(np.array(float(count)) for count in (28, 72, 23, 2680)))


def table_of(*counts: float) -> skill.ContingencyTable:
    return skill.ContingencyTable(*(np.array(float(count)) for count in counts))


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ("tss", 0.5229),
        ("hss", 0.3553),
        ("recall", 28 / 51),
        ("precision", 0.28),
        ("false_alarm_rate", 72 / 2752),
        ("false_alarm_ratio", 0.72),
        ("f1", 56 / 151),
        ("csi", 28 / 123),
        ("frequency_bias", 100 / 51),
        ("accuracy", 0.9661),
        ("gilbert", 0.2160),
        ("hss1", -44 / 51),
        ("apss", -44 / 51),
        ("mcc", 0.3768),
        ("sedi", 0.7528),
    ],
)
def test_finley_1884_is_reproduced(score, expected):
    assert skill.CONTINGENCY[score].compute(FINLEY) == pytest.approx(expected, abs=5e-5)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40),
    st.floats(0.01, 0.99),
)
def test_scores_equal_those_of_scikit_learn_where_both_are_defined(pairs, decision_threshold):
    probability = np.array([pair[0] for pair in pairs])
    occurred = np.array([pair[1] for pair in pairs])
    table = skill.contingency_table(probability, occurred, decision_threshold)
    warned = probability >= decision_threshold
    cells = metrics.confusion_matrix(occurred, warned, labels=[False, True])
    assert [table.correct_negatives, table.false_alarms, table.misses, table.hits] == cells.ravel().tolist()
    if occurred.any() and not occurred.all():
        assert skill.tss(table) == pytest.approx(2 * metrics.balanced_accuracy_score(occurred, warned) - 1)
        assert skill.hss(table) == pytest.approx(metrics.cohen_kappa_score(occurred, warned))
        assert skill.f1(table) == pytest.approx(metrics.f1_score(occurred, warned))
        assert skill.csi(table) == pytest.approx(metrics.jaccard_score(occurred, warned))
        assert skill.recall(table) == pytest.approx(metrics.recall_score(occurred, warned))
        if warned.any() and not warned.all():
            assert skill.mcc(table) == pytest.approx(metrics.matthews_corrcoef(occurred, warned))
        assert -1 <= skill.tss(table) <= 1
        assert -1 <= skill.hss(table) <= 1
    assert skill.accuracy(table) == pytest.approx(metrics.accuracy_score(occurred, warned))
    if warned.any():
        assert skill.precision(table) == pytest.approx(metrics.precision_score(occurred, warned))
        assert skill.false_alarm_ratio(table) == pytest.approx(1 - skill.precision(table))


@pytest.mark.parametrize("counts", [(28, 72, 23, 2680), (3, 1, 4, 5), (9, 30, 2, 6), (1, 50, 20, 900)])
def test_scores_equal_those_of_the_scores_library(counts):
    hits, false_alarms, misses, correct_negatives = counts
    theirs = categorical.BasicContingencyManager(
        {
            name: xr.DataArray(float(count))
            for name, count in {
                "tp_count": hits,
                "fp_count": false_alarms,
                "fn_count": misses,
                "tn_count": correct_negatives,
                "total_count": sum(counts),
            }.items()
        }
    )
    table = table_of(*counts)
    assert skill.accuracy(table) == pytest.approx(theirs.accuracy().item())
    assert skill.gilbert(table) == pytest.approx(theirs.equitable_threat_score().item())
    assert skill.sedi(table) == pytest.approx(theirs.symmetric_extremal_dependence_index().item())
    assert skill.hss(table) == pytest.approx(theirs.heidke_skill_score().item())
    assert skill.gilbert(table) == pytest.approx(skill.hss(table) / (2 - skill.hss(table)))


def test_never_warning_has_no_skill_by_hss1_and_the_common_outcome_none_by_apss():
    assert skill.hss1(table_of(0, 0, 5, 95)) == 0
    assert skill.apss(table_of(0, 0, 5, 95)) == 0
    mostly_events = table_of(95, 5, 0, 0)
    assert skill.apss(mostly_events) == 0
    assert skill.hss1(mostly_events) == pytest.approx(90 / 95)


def test_scores_that_need_all_cells_are_nan_where_one_is_empty():
    for counts in ((0, 3, 2, 5), (3, 0, 2, 5), (3, 2, 0, 5), (3, 2, 5, 0)):
        assert np.isnan(skill.sedi(table_of(*counts)))
    for counts in ((0, 0, 2, 5), (2, 5, 0, 0), (0, 2, 0, 5), (2, 0, 5, 0)):
        assert np.isnan(skill.mcc(table_of(*counts)))
    for score in (skill.gilbert, skill.apss):
        assert np.isnan(score(table_of(0, 3, 0, 7)))
        assert np.isnan(score(table_of(4, 0, 2, 0)))


def test_an_event_is_forecast_where_the_probability_equals_the_decision_threshold():
    table = skill.contingency_table(np.array([0.5, 0.499]), np.array([True, True]), 0.5)
    assert (table.hits, table.misses) == (1, 1)


def test_what_is_undefined_is_nan_and_never_zero():
    no_events, no_non_events = table_of(0, 3, 0, 7), table_of(4, 0, 2, 0)
    for score in (skill.tss, skill.hss):
        assert np.isnan(score(no_events))
        assert np.isnan(score(no_non_events))
    assert np.isnan(skill.recall(no_events))
    assert np.isnan(skill.frequency_bias(no_events))
    assert np.isnan(skill.false_alarm_rate(no_non_events))
    never_warned = table_of(0, 0, 2, 7)
    assert np.isnan(skill.precision(never_warned))
    assert np.isnan(skill.false_alarm_ratio(never_warned))
    assert skill.tss(never_warned) == 0


def test_constant_forecasts_have_no_skill_and_perfect_ones_all():
    occurred = np.array([True, False, False, True])
    always = skill.contingency_table(np.full(4, 0.7), occurred, 0.5)
    perfect = skill.contingency_table(occurred.astype(float), occurred, 0.5)
    assert (skill.tss(always), skill.hss(always)) == (0, 0)
    assert (skill.tss(perfect), skill.hss(perfect), skill.csi(perfect)) == (1, 1, 1)


def test_scores_keep_the_shape_of_their_counts():
    counts = np.ones((3, 2))
    assert skill.tss(skill.ContingencyTable(counts, counts, counts, counts)).shape == (3, 2)


def test_counts_inside_blocks_add_up_to_those_of_the_whole():
    rng = np.random.default_rng(0)
    probability, occurred = rng.random(50), rng.random(50) < 0.3
    blocks = skill.blocks_of(rng.integers(7, size=50))
    by_block = skill.contingency_table(probability, occurred, 0.4, blocks)
    assert by_block.hits.shape == (blocks.n,)
    assert skill.total(by_block) == skill.contingency_table(probability, occurred, 0.4)


def test_swapped_arguments_fail_at_once():
    probability, occurred = np.array([0.2, 0.9]), np.array([False, True])
    for count in (lambda p, o: skill.contingency_table(p, o, 0.5), skill.sum_probability, skill.rank):
        with pytest.raises(FlarecastError, match="swap them"):
            count(occurred, probability)


@pytest.mark.parametrize(
    ("probability", "occurred", "says"),
    [
        (np.array([0.2, 1.2]), np.array([False, True]), "got a probability of 1.2"),
        (np.array([0.2, -0.1]), np.array([False, True]), "got a probability of -0.1"),
        (np.array([0.2, np.nan]), np.array([False, True]), "leave out windows without a forecast"),
        (np.array([0, 1]), np.array([False, True]), "got int64"),
        (np.array([0.2, 0.3]), np.array([0, 1]), "booleans second"),
        (np.array([0.2]), np.array([False, True]), "one shape"),
    ],
)
def test_what_is_no_forecast_and_outcome_is_refused(probability, occurred, says):
    with pytest.raises(FlarecastError, match=says):
        skill.contingency_table(probability, occurred, 0.5)

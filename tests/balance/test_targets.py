"""How many windows of each sub-class a rule wants: the published counts, to the window."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flarecast.balance import BALANCERS, NOT_ANALYTIC
from flarecast.balance.targets import over_targets, shared_out, under_targets
from flarecast.errors import FlarecastError

LETTERS = ("quiet", "B", "C", "M", "X")
POSITIVE = np.array([False, False, False, True, True])
P1 = (60_130, 5_692, 6_416, 1_089, 165)
"""SWAN-SF partition 1 as released (Harvard Dataverse, doi:10.7910/DVN/EBCFKM)."""

RULES = {
    ("under", "climatology_kept"): (1_044, 99, 111, 1_089, 165),
    ("under", "sub_classes_equal"): (418, 418, 418, 1_089, 165),
    ("under", "all_equal"): (165, 165, 165, 165, 165),
    ("over", "climatology_kept"): (60_130, 5_692, 6_416, 62_733, 9_505),
    ("over", "sub_classes_equal"): (60_130, 5_692, 6_416, 36_119, 36_119),
    ("over", "all_equal"): (60_130, 60_130, 60_130, 60_130, 60_130),
}
LABELS = Path(__file__).parents[3] / "shared/data/swan_sf/partition_labels"
GAP_FREE = {
    (1, "under", "climatology_kept"): (977, 94, 109, 1_029, 151),
    (1, "under", "sub_classes_equal"): (394, 393, 393, 1_029, 151),
    (1, "under", "all_equal"): (151,) * 5,
    (1, "over", "climatology_kept"): (56_319, 5_424, 6_266, 59_306, 8_703),
    (1, "over", "sub_classes_equal"): (56_319, 5_424, 6_266, 34_005, 34_004),
    (1, "over", "all_equal"): (56_319,) * 5,
    (2, "under", "climatology_kept"): (1_073, 77, 135, 1_225, 60),
    (2, "over", "climatology_kept"): (65_364, 4_681, 8_211, 74_602, 3_654),
    (3, "under", "climatology_kept"): (1_076, 22, 179, 1_164, 113),
    (3, "under", "sub_classes_equal"): (426, 426, 425, 1_164, 113),
    (3, "over", "climatology_kept"): (30_766, 638, 5_131, 33_302, 3_233),
}


def targets(direction, rule, counts=P1):
    rule_of = {"under": under_targets, "over": over_targets}[direction]
    return tuple(rule_of(counts, POSITIVE, rule).tolist())


@pytest.mark.parametrize(("direction", "rule"), RULES)
def test_the_rules_give_the_counts_of_swan_sf_partition_1(direction, rule):
    assert targets(direction, rule) == RULES[direction, rule]


@pytest.mark.parametrize(("direction", "rule"), RULES)
def test_samplers_draw_exactly_what_the_rules_say(direction, rule, make_letters):
    train = make_letters(dict(zip(LETTERS, P1, strict=True)))
    drawn = BALANCERS[f"{direction}sample_classes"](train, np.random.default_rng(0), rule=rule)
    letters = train.sub_class[drawn.index]
    assert tuple(np.bincount(letters)) == RULES[direction, rule]
    assert (np.unique(drawn.index).size == drawn.index.size) == (direction == "under")
    expected = np.array(RULES[direction, rule]) / sum(RULES[direction, rule])
    np.testing.assert_allclose(drawn.prior, expected, atol=1e-12)


@pytest.mark.skipif(not LABELS.is_dir(), reason="the label files of SWAN-SF are not here")
@pytest.mark.parametrize(("partition", "direction", "rule"), GAP_FREE)
def test_the_rules_give_each_label_file_its_own_counts(partition, direction, rule):
    counts = Counter((LABELS / f"partition{partition}_labels.txt").read_text(encoding="utf-8").strip())
    there = [counts[letter] for letter in "QBCMX"]
    assert targets(direction, rule, there) == GAP_FREE[partition, direction, rule]


def test_a_ratio_asks_for_so_many_negatives_a_positive():
    assert under_targets(P1, POSITIVE, "climatology_kept", 3).tolist()[:3] == [3132, 296, 334]
    assert sum(over_targets(P1, POSITIVE, "sub_classes_equal", 2)[3:]) == 72_238 // 2


@given(
    counts=st.lists(st.integers(1, 10_000), min_size=5, max_size=5),
    ratio=st.floats(0.1, 10),
)
def test_sums_are_exact_and_the_mix_is_kept_to_within_one_window(counts, ratio):
    there = np.array(counts)
    positives, negatives = there[POSITIVE].sum(), there[~POSITIVE].sum()
    under = under_targets(there, POSITIVE, "climatology_kept", ratio)
    over = over_targets(there, POSITIVE, "climatology_kept", ratio)
    assert under[~POSITIVE].sum() == round(ratio * float(positives))
    assert over[POSITIVE].sum() == round(float(negatives) / ratio)
    for wanted, side in ((under, ~POSITIVE), (over, POSITIVE)):
        exact = wanted[side].sum() * there[side] / there[side].sum()
        assert (np.abs(wanted[side] - exact) < 1).all()
    np.testing.assert_array_equal(under[POSITIVE], there[POSITIVE])
    np.testing.assert_array_equal(over[~POSITIVE], there[~POSITIVE])


@given(st.integers(0, 10**6), st.lists(st.floats(0.001, 1e6), min_size=1, max_size=8))
def test_shares_of_a_total_sum_to_it(total, share):
    whole = shared_out(total, share)
    assert whole.sum() == total
    assert (whole >= 0).all()


@pytest.mark.parametrize(
    ("counts", "rule", "ratio", "words"),
    [
        ((10, 0, 0, 0, 0), "climatology_kept", 1, "expected windows with and without an event"),
        ((0, 0, 0, 5, 5), "climatology_kept", 1, "expected windows with and without an event"),
        ((10, 0, 5, 2, 1), "sub_classes_equal", 1, "expected windows of every sub-class"),
        ((10, 5, 5, 2, 1), "climatology_kept", 0, "ratio: expected a number above 0"),
        ((10, 5, 5, 2, 1), "climatology_kept", np.nan, "ratio: expected a number above 0"),
        ((10, 5, 5, 2, 1), "all_equal", 2, "expected none with rule all_equal, got 2"),
    ],
)
def test_counts_and_ratios_that_make_no_sense_are_refused(counts, rule, ratio, words):
    for function in (under_targets, over_targets):
        with pytest.raises(FlarecastError, match=words):
            function(counts, POSITIVE, rule, ratio)


def test_where_quiet_and_b_are_one_class_only_an_even_draw_states_a_prior(make_letters):
    train = make_letters({"quiet": 3000, "B": 400, "C": 500, "M": 90, "X": 20}, ("C", "M", "X"))

    def draw(name, **options):
        return BALANCERS[name](train, np.random.default_rng(0), **options).prior

    assert draw("undersample_classes") is not NOT_ANALYTIC
    assert draw("oversample_classes", rule="sub_classes_equal") is not NOT_ANALYTIC
    assert draw("undersample_classes", rule="sub_classes_equal") is NOT_ANALYTIC
    assert draw("oversample_classes", rule="all_equal") is NOT_ANALYTIC
    assert draw("undersample_classes", counts={"C": 100}) is not NOT_ANALYTIC
    assert draw("undersample_classes", counts={"quiet": 100}) is NOT_ANALYTIC


def test_counts_of_single_sub_classes_leave_the_others_whole(make_letters):
    train = make_letters({"quiet": 3000, "B": 400, "C": 500, "M": 90, "X": 20})
    fewer = BALANCERS["undersample_classes"](train, np.random.default_rng(0), counts={"quiet": 700, "B": 100})
    more = BALANCERS["oversample_classes"](train, np.random.default_rng(0), counts={"X": 60})
    assert np.bincount(train.sub_class[fewer.index]).tolist() == [700, 100, 500, 90, 20]
    assert np.bincount(train.sub_class[more.index]).tolist() == [3000, 400, 500, 90, 60]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("undersample_classes", {"counts": {"C": 501}}, "expected at least 501 train windows of C, got 500"),
        ("undersample_classes", {"rule": "sub_classes_equal", "ratio": 12}, "at least 440 .* of B, got 400"),
        ("undersample_classes", {"ratio": 100}, r"at least .* of quiet, got 3,000; lower balance\.options"),
        ("oversample_classes", {"counts": {"C": 499}}, "expected at most 499 train windows of C, got 500"),
        ("oversample_classes", {"ratio": 1000}, "expected at most 3 train windows of M, got 90"),
        ("undersample_classes", {"counts": {"A": 5}}, "numbers above 0 for some of quiet, B, C, M, X"),
        ("oversample_classes", {"counts": {"X": 0}}, "numbers above 0"),
    ],
)
def test_targets_that_cannot_be_had_are_refused_with_the_way_out(name, options, words, make_letters):
    train = make_letters({"quiet": 3000, "B": 400, "C": 500, "M": 90, "X": 20})
    with pytest.raises(FlarecastError, match=words):
        BALANCERS[name](train, np.random.default_rng(0), **options)


def test_an_absent_class_is_named_where_all_shall_be_equal(make_letters):
    train = make_letters({"quiet": 300, "B": 40, "C": 50, "M": 9})
    for name in ("undersample_classes", "oversample_classes"):
        for rule in ("sub_classes_equal", "all_equal"):
            with pytest.raises(
                FlarecastError, match=f"{name}: expected train windows of every class, got no"
            ):
                BALANCERS[name](train, np.random.default_rng(0), rule=rule)
        kept = BALANCERS[name](train, np.random.default_rng(0)).index
        assert np.bincount(train.sub_class[kept], minlength=5)[4] == 0


def test_a_list_that_starts_at_m_has_one_sub_class_of_negatives(make_train):
    low = np.repeat([0, 2, 3], [500, 40, 10])
    train = make_train(low, sub_class=np.where(low == 0, -1, low + 1).astype(np.int8))
    drawn = BALANCERS["undersample_classes"](train, np.random.default_rng(0))
    assert np.bincount(low[drawn.index]).tolist() == [50, 0, 40, 10]


def test_a_letter_on_both_sides_of_the_event_is_two_sub_classes(make_train):
    letters = np.repeat([0, 3, 3, 4], [300, 60, 20, 10])
    low = np.repeat([0, 0, 1, 1], [300, 60, 20, 10])
    train = make_train(
        low, classes=("below M5.0", "M5.0"), positive_class=1, sub_class=letters.astype(np.int8)
    )
    drawn = BALANCERS["undersample_classes"](train, np.random.default_rng(0), rule="all_equal").index
    assert np.bincount(10 * low[drawn] + letters[drawn]).tolist() == [10, 0, 0, 10] + [0] * 9 + [10, 10]
    with pytest.raises(FlarecastError, match=r"for some of quiet, M, M \(event\), X"):
        BALANCERS["undersample_classes"](train, np.random.default_rng(0), counts={"C": 5})

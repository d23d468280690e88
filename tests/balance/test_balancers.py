"""Remedies for rare events: one shared test, and what each promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flarecast.balance import BALANCERS, NEVER_ANALYTIC, NOT_ANALYTIC, class_priors
from flarecast.errors import FlarecastError

COUNTS = np.array([3000, 600, 90, 16])
"""Windows of the exclusive classes quiet, C, M and X."""

SWAN_SF_PARTITION_1 = {"quiet": 60_130, "B": 5_692, "C": 6_416, "M": 1_089, "X": 165}


def known_windows(counts=COUNTS, seed=1):
    """Classes of windows, all known, in random order."""
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


def with_unknown(seed=2):
    """Ranges of classes: most known, some open between C and M, some wholly open."""
    low = known_windows(seed=seed)
    high = low.copy()
    rng = np.random.default_rng(seed)
    open_between = rng.random(low.size) < 0.05
    low[open_between], high[open_between] = 1, 2
    wholly_open = rng.random(low.size) < 0.03
    low[wholly_open], high[wholly_open] = 0, 3
    return low, high


def trained_prior(balanced, low, high):
    """Shares of the classes as training sees them."""
    return class_priors(low[balanced.index], high[balanced.index], balanced.weight, len(COUNTS))


@pytest.mark.parametrize("name", BALANCERS)
def test_every_balancer_gives_legal_windows_states_its_prior_and_repeats_itself_for_a_seed(name, make_train):
    low, high = with_unknown()
    before = low.copy(), high.copy()
    train = make_train(low, high)
    first = BALANCERS[name](train, np.random.default_rng(7))
    again = BALANCERS[name](train, np.random.default_rng(7))

    n_made = 0 if first.made is None else len(first.made)
    assert first.index.dtype == np.int64
    assert first.weight.dtype == np.float32
    assert first.index.shape == first.weight.shape
    assert (first.index >= 0).all()
    assert (first.index < low.size + n_made).all()
    assert (np.diff(first.index) >= 0).all()
    assert np.isfinite(first.weight).all()
    assert (first.weight > 0).all()
    np.testing.assert_array_equal(first.index, again.index)
    np.testing.assert_array_equal(first.weight, again.weight)
    if first.made is not None:
        assert first.made.steps.dtype == np.float32
        assert first.made.steps.shape == (n_made, 3, 2)
        np.testing.assert_array_equal(first.made.steps, again.made.steps)
        np.testing.assert_array_equal(first.index[first.index >= low.size], low.size + np.arange(n_made))
    np.testing.assert_array_equal((low, high), before)
    known = np.flatnonzero((low >= 2) & (train.sub_class >= 0))
    if name != "region_balance":
        assert set(known) <= set(first.index), "a positive window is missing"
    assert (first.prior is NOT_ANALYTIC) == (name in NEVER_ANALYTIC)
    assert first.shares.sum() == pytest.approx(1)
    if first.logit_offset is None:
        lows, highs = low, high
        if first.made is not None:
            lows, highs = (np.concatenate([low, first.made.low]), np.concatenate([high, first.made.high]))
        seen = class_priors(lows[first.index], highs[first.index], first.weight, 4)
        np.testing.assert_allclose(first.shares, seen)
    if first.prior is not NOT_ANALYTIC:
        np.testing.assert_array_equal(first.prior, first.shares)


@pytest.mark.parametrize(
    "name", sorted({*BALANCERS} - {"none", "class_weights", "effective_number", "logit_adjustment"})
)
def test_another_seed_draws_other_windows_where_there_is_a_draw(name, make_train):
    train = make_train(known_windows())
    options = {"method": "draw"} if name == "region_balance" else {}
    first, second = (BALANCERS[name](train, np.random.default_rng(seed), **options) for seed in (1, 2))
    same = np.array_equal(first.index, second.index) and (
        first.made is None or np.array_equal(first.made.steps, second.made.steps)
    )
    assert same == (name in ("tomek_links", "edited_neighbours"))


@pytest.mark.parametrize("positive_class", [1, 2, 3])
@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", ["undersample", "oversample", "class_weights"])
def test_a_remedy_moves_the_prior_to_the_ratio_and_keeps_the_mix_on_either_side(
    name, ratio, positive_class, make_train
):
    low = known_windows()
    balanced = BALANCERS[name](
        make_train(low, low, positive_class=positive_class), np.random.default_rng(3), ratio=ratio
    )
    prior = trained_prior(balanced, low, low)
    natural = COUNTS / COUNTS.sum()

    positives, negatives = prior[positive_class:].sum(), prior[:positive_class].sum()
    assert negatives / positives == pytest.approx(ratio, rel=2e-3)
    for side in (slice(None, positive_class), slice(positive_class, None)):
        mix, kept = natural[side] / natural[side].sum(), prior[side] / prior[side].sum()
        n_drawn = {"undersample": COUNTS[positive_class:].sum() * ratio, "oversample": 1000}.get(name, np.inf)
        spread = np.sqrt(mix * (1 - mix) / n_drawn)
        assert (np.abs(kept - mix) <= 5 * spread + 1e-6).all()


def test_none_keeps_every_window_once(make_train):
    low, high = with_unknown()
    balanced = BALANCERS["none"](make_train(low, high, positive_class=2), np.random.default_rng(0))
    np.testing.assert_array_equal(balanced.index, np.arange(low.size))
    assert (balanced.weight == 1).all()


def test_undersampling_keeps_positives_whole_and_repeats_no_negative(make_train):
    low = known_windows()
    chosen = BALANCERS["undersample"](make_train(low, low, positive_class=2), np.random.default_rng(0)).index
    assert np.unique(chosen).size == chosen.size == 2 * 106
    np.testing.assert_array_equal(chosen[low[chosen] >= 2], np.flatnonzero(low >= 2))


def test_undersampling_draws_the_negative_classes_in_their_natural_mix_on_average(make_train):
    low = known_windows(list(SWAN_SF_PARTITION_1.values()))
    draws = [
        np.bincount(
            low[
                BALANCERS["undersample"](
                    make_train(low, low, positive_class=3), np.random.default_rng(seed)
                ).index
            ]
        )
        for seed in range(20)
    ]
    # Our rule `under/class, climatology kept` on SWAN-SF partition 1: C 111, B 99, quiet 1,044.
    np.testing.assert_allclose(np.mean(draws, axis=0), [1044, 99, 111, 1089, 165], atol=8)


def test_oversampling_keeps_every_window_and_repeats_only_positives(make_train):
    low = known_windows()
    chosen = BALANCERS["oversample"](make_train(low, low, positive_class=2), np.random.default_rng(0)).index
    times = np.bincount(chosen, minlength=low.size)
    assert (times[low < 2] == 1).all()
    assert (times[low >= 2] >= 1).all()
    assert (low[chosen] >= 2).sum() == 3600


def test_class_weights_are_those_of_the_field(make_train):
    low = known_windows(list(SWAN_SF_PARTITION_1.values()))
    weight = BALANCERS["class_weights"](
        make_train(low, low, positive_class=3), np.random.default_rng(0)
    ).weight
    assert np.unique(weight[low >= 3]) == pytest.approx(73_492 / (2 * 1_254), rel=1e-6)  # 29.3
    assert np.unique(weight[low < 3]) == pytest.approx(73_492 / (2 * 72_238), rel=1e-6)  # 0.51
    assert weight.sum(dtype=np.float64) == pytest.approx(low.size, rel=1e-5)


@pytest.mark.parametrize("name", ["undersample", "oversample"])
def test_a_window_that_may_be_either_is_not_drawn(name, make_train):
    low, high = with_unknown()
    either = (low < 2) & (high >= 2)
    chosen = BALANCERS[name](make_train(low, high, positive_class=2), np.random.default_rng(0)).index
    assert either.any()
    assert not either[chosen].any()


def test_a_window_that_may_be_either_weighs_between_the_sides_by_their_shares(make_train):
    low, high = with_unknown()
    weight = BALANCERS["class_weights"](
        make_train(low, high, positive_class=2), np.random.default_rng(0)
    ).weight
    light, heavy = weight[high < 2][0], weight[low >= 2][0]
    natural = class_priors(low, high, np.ones(low.size), 4)
    share = natural[2] / (natural[1] + natural[2])
    either = (low == 1) & (high == 2)
    np.testing.assert_allclose(weight[either], share * heavy + (1 - share) * light, rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), positive_class=st.integers(1, 3), ratio=st.floats(0.1, 10))
def test_weights_tilt_the_prior_of_every_class_by_exactly_its_sides_weight(
    seed, positive_class, ratio, make_train
):
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 4, 300)
    high = np.minimum(low + rng.choice([0, 0, 0, 0, 1, 3], 300), 3)
    low[:4] = high[:4] = np.arange(4)
    weight = BALANCERS["class_weights"](
        make_train(low, high, positive_class=positive_class), rng, ratio=ratio
    ).weight
    sides = np.where(np.arange(4) < positive_class, weight[0], weight[3])
    tilted = class_priors(low, high, np.ones(300), 4) * sides
    np.testing.assert_allclose(class_priors(low, high, weight, 4), tilted / tilted.sum(), atol=2e-6)


@pytest.mark.parametrize("positive_class", [0, 3])
@pytest.mark.parametrize("name", ["undersample", "oversample", "class_weights"])
def test_without_events_or_without_quiet_windows_a_remedy_says_so(name, positive_class, make_train):
    low = known_windows([50, 30, 20])
    with pytest.raises(
        FlarecastError, match=r"with and without an event, got (100 with and 0|0 with and 100)"
    ):
        BALANCERS[name](make_train(low, low, positive_class=positive_class), np.random.default_rng(0))


@pytest.mark.parametrize("ratio", [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("name", ["undersample", "oversample", "class_weights"])
def test_a_ratio_that_is_no_positive_number_is_refused(name, ratio, make_train):
    low = known_windows()
    with pytest.raises(FlarecastError, match="ratio: expected a number above 0"):
        BALANCERS[name](make_train(low, low, positive_class=2), np.random.default_rng(0), ratio=ratio)


@pytest.mark.parametrize("name", ["undersample", "oversample"])
def test_where_events_are_the_majority_nothing_is_drawn_away_or_repeated(name, make_train):
    low = known_windows([20, 80])
    chosen = BALANCERS[name](make_train(low, low, positive_class=1), np.random.default_rng(0)).index
    np.testing.assert_array_equal(chosen, np.arange(100))

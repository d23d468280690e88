"""Lagged, summed and decayed series: what they are, what they read, and what a gap does to them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from flarecast import features

SERIES = {
    "trailing_sum": (lambda values: features.trailing_sum(values, 7), 7),
    "trailing_mean": (lambda values: features.trailing_mean(values, 5), 5),
    "decayed_sum": (lambda values: features.decayed_sum(values, 3.0, 9), 9),
    "lagged": (lambda values: features.lagged(values, 4), 5),
    "change": (lambda values: features.change(values, 2), 3),
    "steps_since": (lambda values: features.steps_since(values, 6), 6),
}


def counts_with_gaps(n_steps=60, seed=3):
    """Counts a day, some of them missing."""
    rng = np.random.default_rng(seed)
    values = rng.poisson(0.7, n_steps).astype(float)
    values[rng.random(n_steps) < 0.15] = np.nan
    return values


@pytest.mark.parametrize("name", SERIES)
def test_data_older_than_the_memory_change_no_digit(name):
    make, memory = SERIES[name]
    values = counts_with_gaps()
    step = 40
    before = values.copy()
    before[: step - memory + 1] = np.linspace(1e12, 5, step - memory + 1)

    np.testing.assert_array_equal(make(values)[step], make(before)[step])


@pytest.mark.parametrize("name", SERIES)
def test_a_later_step_changes_nothing_before_it(name):
    make, _ = SERIES[name]
    values = counts_with_gaps()
    later = values.copy()
    later[30:] = 99.0

    np.testing.assert_array_equal(make(values)[:30], make(later)[:30])


@pytest.mark.parametrize("name", SERIES)
def test_the_oldest_step_of_the_memory_is_read(name):
    make, memory = SERIES[name]
    values = np.zeros(20)
    values[10] = 4.0

    assert make(values)[10 + memory - 1] != make(np.zeros(20))[10 + memory - 1]


@pytest.mark.parametrize("name", SERIES)
def test_columns_are_series_of_their_own(name):
    make, _ = SERIES[name]
    first, second = counts_with_gaps(seed=1), counts_with_gaps(seed=2)

    both = make(np.stack([first, second], axis=1))

    np.testing.assert_allclose(both, np.stack([make(first), make(second)], axis=1), rtol=1e-12)


def test_a_decayed_sum_halves_with_every_half_life_until_its_memory_ends():
    values = np.zeros(12)
    values[0] = 8.0

    decayed = features.decayed_sum(values, half_life=2.0, memory=7, least_known=0.0)

    np.testing.assert_allclose(decayed[[6]], 1.0)
    np.testing.assert_array_equal(decayed[7:], 0.0)
    np.testing.assert_allclose(
        features.decayed_sum(np.ones(12), 2.0, 7)[-1], (0.5 ** (np.arange(7) / 2)).sum()
    )


def test_missing_steps_count_like_the_others():
    values = np.array([2.0, np.nan, 4.0, np.nan])

    np.testing.assert_allclose(features.trailing_sum(values, 4)[-1], 12.0)
    np.testing.assert_allclose(features.trailing_mean(values, 4)[-1], 3.0)


def test_a_sum_of_which_too_little_is_known_is_missing():
    values = np.array([np.nan, np.nan, np.nan, 5.0])

    assert np.isnan(features.trailing_sum(values, 4, least_known=0.5)[-1])
    np.testing.assert_allclose(features.trailing_sum(values, 4, least_known=0.25)[-1], 20.0)
    assert np.isnan(features.trailing_sum(np.full(9, np.nan), 4, least_known=0.0)).all()


def test_steps_since_counts_from_the_step_itself_and_stops_at_the_memory():
    occurred = np.array([np.nan, 1.0, 0.0, np.nan, 0.0, 0.0, 2.0])

    np.testing.assert_array_equal(features.steps_since(occurred, 4), [np.nan, 0, 1, 2, 3, 4, 0])


def test_lags_and_changes_reach_back_by_steps():
    values = np.array([1.0, 4.0, 9.0])

    np.testing.assert_array_equal(features.lagged(values, 1), [np.nan, 1, 4])
    np.testing.assert_array_equal(features.change(values, 1), [np.nan, 3, 5])


def test_a_memory_of_no_step_is_refused():
    with pytest.raises(ValueError, match="at least 1 step"):
        features.trailing_sum(np.ones(3), 0)


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.integers(0, 20), min_size=1, max_size=40),
    half_life=st.floats(0.5, 30),
    memory=st.integers(1, 30),
)
def test_a_decayed_sum_without_gaps_is_its_definition(values, half_life, memory):
    series = np.array(values, dtype=float)
    padded = np.concatenate([np.zeros(memory - 1), series])

    decayed = features.decayed_sum(series, half_life, memory)

    whole = slice(memory - 1, None)
    weights = 0.5 ** (np.arange(memory) / half_life)
    expected = [padded[step : step + memory][::-1] @ weights for step in range(series.size)]
    np.testing.assert_allclose(decayed[whole], expected[whole], rtol=1e-12)


def gathered(n=7, n_steps=9, n_features=3, missing=0.2, seed=5, size=1.0):
    rng = np.random.default_rng(seed)
    steps = (size * rng.normal(2, 1, (n, n_steps, n_features))).astype(np.float32)
    steps[rng.random(steps.shape) < missing] = np.nan
    return steps


def one_series(values):
    """All statistics of one series of the window, by NumPy and SciPy."""
    wide = values.astype(np.float64)
    known = np.flatnonzero(~np.isnan(wide))
    here, clock = wide[known], np.linspace(0, 1, wide.size)[known]
    final = wide.size - 1

    def at(step):
        before = known[known <= step]
        return wide[before[-1]] if before.size else np.nan

    found = {
        "last": at(final),
        "mean": here.mean(),
        "std": here.std(),
        "min": here.min(),
        "max": here.max(),
        "slope": np.polyfit(clock, here, 1)[0] if known.size > 1 else 0.0,
        "skewness": stats.skew(here) if known.size > 1 else 0.0,
        "kurtosis": stats.kurtosis(here) if known.size > 1 else 0.0,
        "missing_share": 1 - known.size / wide.size,
    }
    for name, share in features.CHANGES.items():
        found[name] = at(final) - at(final - min(final, max(1, round(share * final))))
    return [found[name] for name in features.STATISTICS]


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("n_steps", [1, 2, 9, 60])
def test_window_statistics_are_those_of_numpy_and_scipy_series_by_series(n_steps, missing):
    steps = gathered(n_steps=n_steps, missing=missing)
    steps[0, -1] = 1.0  # so that some series has a value
    got = features.window_statistics(steps)
    for window, feature in np.ndindex(steps.shape[0], steps.shape[2]):
        series = steps[window, :, feature]
        if not np.isnan(series).all():
            np.testing.assert_allclose(got[window, :, feature], one_series(series), rtol=1e-7, atol=1e-9)


def test_a_feature_that_is_missing_throughout_has_no_statistic_but_a_missing_share_of_one():
    steps = gathered(missing=0.0)
    steps[2, :, 1] = np.nan
    got = features.window_statistics(steps)[2, :, 1]
    share = features.STATISTICS.index("missing_share")
    assert got[share] == 1
    assert np.isnan(np.delete(got, share)).all()
    assert np.isfinite(np.delete(features.window_statistics(steps)[2], 1, axis=1)).all()


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_statistics_of_the_largest_parameters_do_not_overflow(missing):
    small, large = gathered(n_steps=30, missing=missing), gathered(n_steps=30, missing=missing, size=1e37)
    scaled = features.window_statistics(large)
    plain = features.window_statistics(small)
    for place, name in enumerate(features.STATISTICS):
        unit = 1.0 if name in ("skewness", "kurtosis", "missing_share") else 1e37
        np.testing.assert_allclose(scaled[:, place] / unit, plain[:, place], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_a_constant_series_has_no_spread_and_no_shape_to_the_digit(missing):
    steps = np.where(np.isnan(gathered(missing=missing)), np.nan, np.float32(0.1)).astype(np.float32)
    names = ("std", "slope", "skewness", "kurtosis", "change_all")
    got = features.window_statistics(steps, names)
    assert (got[~np.isnan(got)] == 0).all()
    np.testing.assert_array_equal(
        features.window_statistics(steps, ("mean",))[0, 0], np.float64(np.float32(0.1))
    )


def test_window_statistics_are_in_the_order_asked_for_and_leave_the_steps_as_they_were():
    steps = gathered()
    before = steps.copy()
    got = features.window_statistics(steps, ("max", "last"))
    everything = features.window_statistics(steps)
    np.testing.assert_array_equal(steps, before)
    for place, name in enumerate(("max", "last")):
        np.testing.assert_array_equal(got[:, place], everything[:, features.STATISTICS.index(name)])


def test_a_windows_statistics_do_not_depend_on_its_neighbours(monkeypatch):
    steps = gathered(n=20)
    expected = features.window_statistics(steps)
    monkeypatch.setattr(features, "BLOCK_BYTES", 1)
    np.testing.assert_array_equal(features.window_statistics(steps), expected)


def test_an_unknown_statistic_and_a_window_without_steps_are_refused():
    with pytest.raises(ValueError, match="median"):
        features.window_statistics(gathered(), ("median",))
    with pytest.raises(ValueError, match="no step"):
        features.window_statistics(np.zeros((2, 0, 3), np.float32))

import numpy as np
import pytest

from flarecast import scale
from flarecast.errors import FlarecastError


@pytest.fixture
def rows():
    """Rows with sizes from 1e-3 to 1e25, zeros, gaps, a constant, and a column that is missing throughout."""
    rng = np.random.default_rng(0)
    size = np.exp(rng.normal(size=2000))
    values = np.stack([size * 1e25, size * 1e-3, -size, np.full(2000, 3.7), np.full(2000, np.nan)], axis=1)
    values[:500, 1] = 0.0
    values[::7, 2] = np.nan
    return values.astype(np.float32)


def test_standard_scaling_gives_mean_zero_and_deviation_one_even_where_float32_squares_overflow(rows):
    scaled = scale.fit(rows, "standard").apply(rows)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(np.nanmean(scaled[:, :3].astype(float), axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.nanstd(scaled[:, :3].astype(float), axis=0), 1, rtol=1e-5)


def test_signed_log_bends_at_the_median_size_of_what_is_not_zero(rows):
    scaler = scale.fit(rows, "signed_log")
    column = rows[:, 1].astype(np.float64)
    size = np.median(column[column != 0])
    bent = np.log1p(column / size)
    assert scaler.size[1] == size
    np.testing.assert_allclose(
        scaler.apply(rows)[:, 1], (bent - bent.mean()) / bent.std(), rtol=1e-5, atol=1e-6
    )


def test_signed_log_is_odd_before_it_is_centred():
    scaler = scale.fit(np.array([[-2.0], [2.0]]), "signed_log")
    assert scaler.centre[0] == 0
    got = scaler.apply(np.array([[-5.0], [0.0], [5.0]]))[:, 0]
    assert got[0] == -got[2]
    assert got[1] == 0


@pytest.mark.parametrize("name", scale.SCALES)
def test_missing_stays_missing_and_nothing_else_is_lost(rows, name):
    scaled = scale.fit(rows, name).apply(rows)
    np.testing.assert_array_equal(np.isnan(scaled), np.isnan(rows))


@pytest.mark.parametrize("name", ["standard", "signed_log"])
def test_a_constant_feature_becomes_zero_and_an_absent_one_keeps_spread_one(rows, name):
    scaler = scale.fit(rows, name)
    np.testing.assert_allclose(scaler.apply(rows)[:, 3], 0, atol=1e-6)
    assert scaler.spread[3] == scaler.spread[4] == 1
    assert scaler.centre[4] == 0


def test_infinite_values_count_as_missing():
    scaler = scale.fit(np.array([[1.0], [3.0], [np.inf]]), "standard")
    assert (scaler.centre[0], scaler.spread[0]) == (2, 1)
    assert np.isnan(scaler.apply(np.array([[-np.inf]]))).all()


def test_none_leaves_values_as_they_are(rows):
    np.testing.assert_array_equal(scale.fit(rows, "none").apply(rows), rows)


def test_any_shape_is_scaled_along_its_last_axis(rows):
    scaler = scale.fit(rows)
    windows = rows[:600].reshape(20, 30, 5)
    np.testing.assert_array_equal(scaler.apply(windows).reshape(600, 5), scaler.apply(rows[:600]))


def test_rows_beyond_one_block_are_scaled_too():
    values = np.arange(150_000.0)[:, None]
    scaled = scale.fit(values, "standard").apply(values)
    np.testing.assert_allclose(scaled[[0, -1], 0], [-np.sqrt(3), np.sqrt(3)], rtol=1e-4)


def test_an_unknown_scaling_lists_those_there_are():
    with pytest.raises(FlarecastError, match="expected one of none, signed_log, standard, got 'minmax'"):
        scale.fit(np.zeros((2, 1)), "minmax")

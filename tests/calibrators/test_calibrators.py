"""What every calibrator promises."""

import json

import numpy as np
import pytest

from flarecast.calibrators import CALIBRATORS, CURVES, RANGES, conditional_share, nest

CASES = {
    "overconfident": lambda rng: (p := rng.beta(0.3, 2, 400), rng.random(400) < p**1.5),
    "all probabilities equal": lambda rng: (np.full(400, 0.1), rng.random(400) < 0.3),
    "separable": lambda rng: (np.linspace(0, 1, 400), np.arange(400) >= 300),
    "separable the wrong way round": lambda rng: (np.linspace(0, 1, 400), np.arange(400) < 100),
    "only 0 and 1": lambda rng: (np.repeat([0.0, 1.0], 200), rng.random(400) < np.repeat([0.05, 0.9], 200)),
    "few events": lambda rng: (np.linspace(0, 0.1, 400), np.arange(400) >= 395),
    "no events": lambda rng: (np.linspace(0, 0.1, 400), np.zeros(400, dtype=bool)),
    "events only": lambda rng: (np.linspace(0, 0.1, 400), np.ones(400, dtype=bool)),
    "nothing": lambda rng: (np.empty(0), np.empty(0, dtype=bool)),
}


def test_every_calibrator_has_a_curve():
    assert set(CALIBRATORS) == set(CURVES)
    assert set(RANGES) <= set(CURVES)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", CALIBRATORS)
def test_a_calibrator_is_finite_monotone_and_made_of_plain_numbers(name, case):
    probability, occurred = CASES[case](np.random.default_rng(5))
    numbers = CALIBRATORS[name](probability, occurred)
    kept = json.loads(json.dumps(numbers, allow_nan=False))
    assert kept == numbers

    grid = np.concatenate([[0, 1e-300, 1e-12], np.linspace(1e-6, 1 - 1e-6, 501), [1 - 1e-12, 1]])
    mended = CURVES[name](grid, numbers)
    assert np.isfinite(mended).all()
    assert mended.min() >= 0
    assert mended.max() <= 1
    assert (np.diff(mended) >= 0).all()
    np.testing.assert_array_equal(mended, CURVES[name](grid, kept))
    np.testing.assert_array_equal(np.isnan(CURVES[name](np.array([0.2, np.nan]), numbers)), [False, True])
    assert "reason" in numbers


@pytest.mark.parametrize("name", CALIBRATORS)
def test_a_calibrator_leaves_its_input_alone_and_repeats_itself(name):
    probability, occurred = CASES["overconfident"](np.random.default_rng(6))
    before = probability.copy()
    first = CALIBRATORS[name](probability, occurred)
    CURVES[name](probability, first)[:] = 0.5
    np.testing.assert_array_equal(probability, before)
    assert CALIBRATORS[name](probability, occurred) == first


@pytest.mark.parametrize("name", CALIBRATORS)
def test_curves_fitted_event_by_event_stay_nested_after_the_running_minimum(name):
    rng = np.random.default_rng(7)
    probability = np.sort(rng.beta(0.5, 2, (600, 3)), axis=1)[:, ::-1]
    occurred = rng.random((600, 1)) < probability
    mended = np.stack(
        [
            CURVES[name](probability[:, j], CALIBRATORS[name](probability[:, j], occurred[:, j]))
            for j in range(3)
        ],
        axis=1,
    )
    assert (np.diff(nest(mended), axis=1) <= 0).all()
    assert (nest(mended) <= mended).all()


def test_a_running_minimum_passes_over_what_is_not_forecast():
    rows = np.array([[0.5, 0.7, 0.2], [0.3, np.nan, 0.4], [np.nan, 0.1, 0.2], [0.3, 0.2, 0.1]])
    expected = np.array([[0.5, 0.5, 0.2], [0.3, np.nan, 0.3], [np.nan, 0.1, 0.1], [0.3, 0.2, 0.1]])
    np.testing.assert_array_equal(nest(rows), expected)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", RANGES)
def test_a_range_holds_the_probability_rises_with_it_and_is_a_point_where_nothing_was_fitted(name, case):
    numbers = CALIBRATORS[name](*CASES[case](np.random.default_rng(5)))
    grid = np.append(np.linspace(0, 1, 301), np.nan)
    mended, (lower, upper) = CURVES[name](grid, numbers), RANGES[name](grid, numbers)
    for ends in (lower, upper):
        np.testing.assert_array_equal(np.isnan(ends), np.isnan(grid))
        assert (np.diff(ends[:-1]) >= 0).all()
    assert (lower[:-1] <= mended[:-1]).all()
    assert (mended[:-1] <= upper[:-1]).all()
    assert ((lower[:-1] >= 0) & (upper[:-1] <= 1)).all()
    if numbers["reason"] is not None:
        np.testing.assert_array_equal(lower, grid)
        np.testing.assert_array_equal(upper, grid)


@pytest.mark.parametrize("name", sorted(set(CALIBRATORS) - {"none", "prior"}))
def test_with_too_few_events_nothing_is_changed_and_the_reason_is_told(name):
    numbers = CALIBRATORS[name](*CASES["few events"](np.random.default_rng(5)))
    grid = np.linspace(0, 1, 11)
    np.testing.assert_array_equal(CURVES[name](grid, numbers), grid)
    assert numbers["reason"] == "5 events in calibration, 20 needed: only the prior is corrected"


@pytest.mark.parametrize("name", sorted(set(CALIBRATORS) - {"none", "prior", "temperature"}))
def test_a_biased_forecast_is_brought_to_the_base_rate(name):
    """Temperature cannot: it has no intercept."""
    rng = np.random.default_rng(8)
    chance = rng.beta(0.5, 4, 20_000)
    occurred = rng.random(20_000) < chance
    odds = 8 * chance / (1 - chance)  # as class weights would make it
    said = odds / (1 + odds)
    mended = CURVES[name](said, CALIBRATORS[name](said, occurred))
    assert abs(said.mean() - chance.mean()) > 0.15
    assert abs(mended.mean() - chance.mean()) < 0.01
    assert np.abs(mended - chance).mean() < 0.015


def test_the_chance_of_an_event_given_the_one_below():
    rows = np.array([[0.5, 0.2], [0.0, 0.0], [0.3, 0.6], [np.nan, 0.1], [0.1, np.nan]])
    np.testing.assert_array_equal(conditional_share(rows, 1), [0.4, 0.0, 1.0, np.nan, np.nan])

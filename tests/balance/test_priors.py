"""Shares of the exclusive classes."""

import numpy as np
import pytest

from flarecast.balance import class_priors
from flarecast.errors import FlarecastError


def test_known_classes_give_their_weighted_frequencies():
    classes = np.array([0, 0, 0, 1, 1, 3])
    weight = np.array([1, 1, 1, 2, 2, 3.0])
    np.testing.assert_allclose(class_priors(classes, classes, weight, 4), [0.3, 0.4, 0, 0.3], atol=1e-12)


def test_windows_between_two_classes_are_shared_out_like_the_known_ones():
    low = np.repeat([0, 1, 2, 1], [60, 30, 10, 20])
    high = np.repeat([0, 1, 2, 2], [60, 30, 10, 20])
    expected = np.array([60, 30 + 15, 10 + 5]) / 120
    np.testing.assert_allclose(class_priors(low, high, np.ones(120), 3), expected, atol=1e-12)


def test_wholly_unknown_windows_change_nothing():
    low = np.array([0, 0, 0, 1, 0, 0])
    high = np.array([0, 0, 0, 1, 1, 1])
    np.testing.assert_allclose(class_priors(low, high, np.ones(6), 2), [0.75, 0.25], atol=1e-12)


def test_classes_that_only_appear_together_share_alike():
    low, high = np.array([0, 0, 1, 1]), np.array([0, 0, 2, 2])
    np.testing.assert_allclose(class_priors(low, high, np.ones(4), 3), [0.5, 0.25, 0.25], atol=1e-12)


def test_shares_sum_to_one_and_fit_the_windows_best():
    rng = np.random.default_rng(0)
    low = rng.integers(0, 4, 500)
    high = np.minimum(low + rng.integers(0, 3, 500), 3)
    shares = class_priors(low, high, np.ones(500), 4)

    def likelihood(candidate):
        mass = np.concatenate([[0], np.cumsum(candidate)])
        return np.log(mass[high + 1] - mass[low]).sum()

    assert shares.sum() == pytest.approx(1)
    for other in rng.dirichlet(np.ones(4), 200):
        assert likelihood(0.9 * shares + 0.1 * other) <= likelihood(shares) + 1e-9


@pytest.mark.parametrize("size", [0, 5])
def test_without_a_known_outcome_there_are_no_priors(size):
    with pytest.raises(FlarecastError, match=f"known outcomes, got {size} windows without"):
        class_priors(np.zeros(size, dtype=np.int64), np.full(size, 2), np.ones(size), 3)

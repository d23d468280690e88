"""Windows put in each other's places: those of other regions, neighbours with neighbours."""

import numpy as np
import pytest

from flarecast.errors import FlarecastError
from flarecast.explain.swaps import swap_regions


def test_every_window_is_given_once_to_a_window_of_another_region_and_neighbours_to_neighbours():
    rng = np.random.default_rng(0)
    length = rng.integers(1, 40, size=25)
    region = np.repeat([f"SIM {number}" for number in range(25)], length).astype(object)
    issue = np.concatenate([np.arange(n) for n in length])
    shuffled = rng.permutation(region.size)
    for _ in range(20):
        donor = swap_regions(region[shuffled], issue[shuffled], rng)
        assert sorted(donor) == list(range(region.size))
        assert (region[shuffled][donor] != region[shuffled]).all()
        given = np.empty(region.size, dtype=int)
        given[shuffled] = shuffled[donor]  # in the order of time
        together = (region[1:] == region[:-1]).sum()
        kept = ((np.diff(given) == 1) & (region[1:] == region[:-1])).sum()
        assert kept >= together - 25


def test_regions_are_swapped_in_another_order_each_time():
    region = np.repeat([f"SIM {number}" for number in range(12)], 5).astype(object)
    first, second = (swap_regions(region, np.arange(60), np.random.default_rng(seed)) for seed in (0, 1))
    assert (first != second).mean() > 0.5
    np.testing.assert_array_equal(first, swap_regions(region, np.arange(60), np.random.default_rng(0)))


def test_nothing_can_be_swapped_where_one_region_is_most_of_the_windows():
    region = np.array(["SIM 1"] * 6 + ["SIM 2"] * 5, dtype=object)
    with pytest.raises(FlarecastError, match=r"several regions .* got 2 with 6 of 11 windows in one"):
        swap_regions(region, np.arange(11), np.random.default_rng(0))

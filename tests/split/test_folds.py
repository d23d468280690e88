"""Strategies that make folds: every span, or every region, is tested on once."""

from itertools import pairwise

import numpy as np
import pytest

from flarecast import cycles
from flarecast.split import linked_regions, make_split

DAY = 86_400
UNUSED, TRAIN, VALIDATION, CALIBRATION, TEST = range(5)


def rng():
    return np.random.default_rng(7)


def folds_of(windows, strategy, **options):
    return make_split(windows, strategy, rng(), options=options)["role"].values


@pytest.mark.parametrize("train", ["expanding", "sliding"])
def test_roles_of_a_rolling_origin_follow_each_other_in_time(train, disk):
    role, time = folds_of(disk, "rolling_origin", train=train), disk["issue_time"].values
    for fold in role:
        spans = [(time[fold == kind].min(), time[fold == kind].max()) for kind in range(TRAIN, TEST + 1)]
        for (_, stop), (start, _) in pairwise(spans):
            assert start - stop >= 55 * DAY
    np.testing.assert_array_equal((role == TEST).sum(axis=0), time >= time[role[0] == TEST].min())


def test_an_expanding_fold_begins_with_the_record_and_a_sliding_one_keeps_its_length(disk):
    time = disk["issue_time"].values
    expanding = folds_of(disk, "rolling_origin")
    sliding = folds_of(disk, "rolling_origin", train="sliding")
    assert {time[fold == TRAIN].min() for fold in expanding} == {time[0]}
    assert (np.diff((expanding == TRAIN).sum(axis=1)) > 0).all()
    np.testing.assert_allclose((sliding == TRAIN).sum(axis=1), (sliding[0] == TRAIN).sum(), atol=1)
    np.testing.assert_array_equal(expanding == TEST, sliding == TEST)


def test_the_first_test_of_a_rolling_origin_may_be_a_date(disk):
    role = folds_of(disk, "rolling_origin", first_test="2008-12", folds=2)
    assert disk["issue_time"].values[role[0] == TEST].min() == cycles.seconds("2008-12")


def test_k_fold_time_tests_every_window_once_and_learns_from_both_sides(disk):
    split = make_split(disk, "k_fold_time", rng(), options={"folds": 4})
    role, time = split["role"].values, disk["issue_time"].values
    assert ((role == TEST).sum(axis=0) == 1).all()
    tested = time[role[1] == TEST]
    assert time[role[1] == TRAIN].min() < tested.min()
    assert time[role[1] == TRAIN].max() > tested.max()
    assert split.attrs["fold_names"].splitlines()[0].startswith("test 1996-01-28 to 2002-")


def test_k_fold_region_tests_every_region_once_and_spreads_the_rare_class(regions):
    role, region = folds_of(regions, "k_fold_region"), linked_regions(regions)
    flares = regions["peak_flux"].values > 1e-4
    assert ((role == TEST).sum(axis=0) == 1).all()
    for fold in role:
        pairs = np.unique(np.stack([region, fold]), axis=1)
        assert pairs.shape[1] == 300, "a region has one role"
        assert [(fold[flares] == kind).sum() for kind in range(TRAIN, TEST + 1)] == [18, 3, 3, 6]

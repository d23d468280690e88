"""Mistakes are named in one sentence with the way out."""

import numpy as np
import pytest

from flarecast import cycles
from flarecast.errors import FlarecastError
from flarecast.split import make_split

DAY = 86_400
UNUSED, TRAIN, VALIDATION, CALIBRATION, TEST = range(5)


def rng():
    return np.random.default_rng(7)


def days(start, stop, step=1):
    return np.arange(cycles.seconds(start), cycles.seconds(stop), step * DAY)


REFUSED = {
    "unknown option": ("by_cycle", {"cycles": [23]}, r"split.options: expected some of .*train_cycles"),
    "not a list": ("by_cycle", {"train_cycles": 23}, r"train_cycles: expected a list .* got 23"),
    "no cycle": ("by_cycle", {"test_cycles": []}, r"test_cycles: expected a list"),
    "unknown cycle": ("by_cycle", {"test_cycles": [31]}, r"solar cycle: expected one of 21, .* got 31"),
    "cycle without data": (
        "by_cycle",
        {"test_cycles": [21]},
        r"windows in solar cycle 21, .* of cycle 22, 23, 24",
    ),
    "cycle twice": ("by_cycle", {"train_cycles": [23, 24]}, r"in common, got \[23, 24\] and \[24\]"),
    "short blocks": (
        "by_cycle",
        {"block_rotations": 5},
        r"at least 6 rotations \(2.5 embargoes of 1,320 h are 137.5 d\), got 5 \(135 d\)",
    ),
    "odd blocks": ("by_cycle", {"block_rotations": 2.5}, r"block_rotations: expected a whole number .* 2.5"),
    "long blocks": ("by_cycle", {"block_rotations": 60}, r"holds the pattern 'ttvttc' .* block_rotations"),
    "odd letter": ("by_cycle", {"pattern": "ttx"}, r"split.pattern: expected letters .* got 'ttx'"),
    "no training": ("by_time", {"pattern": "vc"}, r"split.pattern: .* at least one t, got 'vc'"),
    "no pair": ("by_time", {"train": [0.5]}, r"split.train: expected a start and an end, .* got \[0.5\]"),
    "no date": (
        "by_time",
        {"train": ["soon", 0.5]},
        r"split\.train: date: expected an ISO date .* got 'soon'",
    ),
    "no fraction": ("by_time", {"train": [0.0, 1.5]}, r"split.train: .* a fraction from 0 to 1, got 1.5"),
    "truth value": ("by_time", {"train": [False, 0.5]}, r"split.train: .* got False"),
    "backwards": ("by_time", {"train": ["2004-01", "2001-01"]}, r"before its end, got 2004-01 and 2001-01"),
    "overlap": (
        "by_time",
        {"train": [0.0, 0.6], "test": [0.5, 1.0]},
        r"train and test apart, got train \[0.0, 0.6\] and test \[0.5, 1.0\]",
    ),
    "overlap inside": (
        "by_time",
        {"validation": [0.1, 0.3], "calibration": [0.2, 0.4]},
        r"validation and calibration apart",
    ),
    "no data there": (
        "by_time",
        {"test": ["2030-01", "2031-01"]},
        r"split.test: expected windows from 2030-01",
    ),
    "all carved out": ("by_time", {"train": [0.1, 0.3], "validation": [0.0, 0.4]}, r"split.train: expected"),
    "disk by region": ("by_region", {}, r"windows of regions for by_region, got 8,739 of the disk"),
    "unknown phase": ("by_phase", {"train": ["peak"]}, r"one of minimum, rise, maximum, decline, .* 'peak'"),
    "phase of no cycle": ("by_phase", {"test": ["31 rise"]}, r"solar cycle: expected one of 21, .* got 31"),
    "phase without data": (
        "by_phase",
        {"test": ["25 rise"]},
        r"in 25 rise, got none; the file has 22 ",
    ),
    "no phase": ("by_phase", {"test": []}, r"split.test: expected a list of phases"),
    "phase twice": ("by_phase", {"test": ["23 rise"]}, r"without a phase in common, got .* \['23 rise'\]"),
    "no partitions": ("by_partition", {}, r"partitions with windows, got 1; the file has no partition"),
    "no pair of partitions": (
        "by_partition",
        {"pairs": "next"},
        r"two partitions in a row, got no partition",
    ),
    "lists and pairs": ("by_partition", {"pairs": "all", "test": [3]}, r"pairs or lists of partitions"),
    "partitions no list": ("by_partition", {"train": 1}, r"train: expected a list of partitions .* got 1"),
    "one fold": ("k_fold_time", {"folds": 1}, r"split.folds: expected from 2 to 100 folds, got 1"),
    "origin outside": ("rolling_origin", {"first_test": "2030-01"}, r"inside the data \(1996-01-28 to 2019"),
    "no train left": ("rolling_origin", {"validation": 0.5, "calibration": 0.5}, r"leave time for train"),
    "no validation": ("rolling_origin", {"validation": 0.0}, r"validation: .* between 0 and 1, got 0.0"),
    "odd train": ("rolling_origin", {"train": "all"}, r"expected expanding or sliding, got 'all'"),
    "short parts": (
        "rolling_origin",
        {"calibration": 0.01},
        r"validation windows|calibration windows of fold 0",
    ),
    "disk by k regions": ("k_fold_region", {}, r"regions for k_fold_region, got 8,739 of the disk"),
    "no letter": ("blocks", {"pattern": "ttz"}, r"expected letters t, v, c and x with"),
    "bad sum": ("random_windows", {"test": 0.3}, r"add up to 1, got train 0.6, .* test 0.3"),
    "bad fraction": ("random_windows", {"test": -0.2, "train": 1.0}, r"fractions from 0 to 1, got .*-0.2"),
}


@pytest.mark.parametrize(("strategy", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_options_that_cannot_be_are_refused_in_one_sentence(strategy, options, message, disk):
    with pytest.raises(FlarecastError, match=message) as caught:
        make_split(disk, strategy, rng(), options=options)
    assert "\n" not in str(caught.value)


def test_an_unknown_strategy_and_a_misplaced_or_odd_embargo_are_refused(disk, regions):
    with pytest.raises(FlarecastError, match=r"strategy: expected one of blocks, by_cycle, .* got 'by_luck'"):
        make_split(disk, "by_luck", rng())
    with pytest.raises(FlarecastError, match=r"embargo_hours: expected none for by_region, .* got 12.0"):
        make_split(regions, "by_region", rng(), embargo_hours=12.0)
    for odd in (-1.0, float("nan"), True):
        with pytest.raises(FlarecastError, match=r"embargo_hours: expected hours from 0 up"):
            make_split(disk, "by_cycle", rng(), embargo_hours=odd)


def test_an_embargo_longer_than_the_data_is_refused(disk):
    options = {"train": ("1996-08", "1997-01"), "test": ("1997-01", 1.0), "pattern": "t"}
    with pytest.raises(FlarecastError, match=r"expected train windows outside the embargo of 9,000 h"):
        make_split(disk, "by_time", rng(), embargo_hours=9000.0, options=options)


def test_partitions_that_do_not_exist_are_refused(regions):
    with pytest.raises(FlarecastError, match=r"with windows, got 7; the file has partition 1, 2, 3, 4, 5"):
        make_split(regions, "by_partition", rng(), options={"test": [7]})
    with pytest.raises(FlarecastError, match=r"each partition in one list, got 2 in train and test"):
        make_split(regions, "by_partition", rng(), options={"train": [1, 2], "test": [2]})


def test_too_few_regions_for_k_folds_are_refused(regions):
    few = regions.isel(window=slice(40))
    with pytest.raises(FlarecastError, match=r"at least 5 regions for 5 folds, got 4; ask for fewer folds"):
        make_split(few, "k_fold_region", rng())


def test_a_strategy_with_folds_of_its_own_takes_no_out_of_fold_folds(regions):
    with pytest.raises(FlarecastError, match=r'expected "calibration" for a strategy that makes folds'):
        make_split(regions, "k_fold_region", rng(), out_of_fold=3)


def test_fewer_regions_than_roles_and_no_windows_at_all_are_refused(make_windows):
    times = days("2001-01", "2001-02")
    windows = make_windows([("HARP 1", "", times, times)])
    with pytest.raises(FlarecastError, match=r"at least 4 regions, one a role, got 1"):
        make_split(windows, "by_region", rng())
    with pytest.raises(FlarecastError, match="expected windows to split"):
        make_split(windows.isel(window=slice(0)), "by_time", rng())

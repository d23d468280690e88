"""Out-of-fold folds: one model of the whole span, and every window of it held out once."""

import numpy as np
import pytest

from flarecast import cycles, schema
from flarecast.audit import audit
from flarecast.errors import FlarecastError
from flarecast.split import linked_regions, make_split

DAY, HOUR = 86_400, 3600
UNUSED, TRAIN, VALIDATION, CALIBRATION, TEST = range(5)


def rng():
    return np.random.default_rng(7)


@pytest.fixture(scope="module")
def disk(make_windows):
    """A daily record of cycles 22 to 24 with an embargo of 55 days."""
    times = np.arange(cycles.seconds("1987-01"), cycles.seconds("2020-01"), DAY)
    return make_windows([("disk", "", times, times[27:])], n_steps=27, memory=648.0)


@pytest.fixture(scope="module")
def regions(short_lived):
    """200 regions, without partitions."""
    return short_lived(200, "HARP {}")


SPANS = {"train": ("1996-08", "2004-01"), "validation": ("2004-01", "2005-01"), "test": ("2005-01", 1.0)}


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize(("strategy", "options"), [("by_cycle", {}), ("by_time", SPANS)])
def test_every_window_of_the_training_span_is_held_out_once_and_fold_0_trains_on_all(
    n, strategy, options, disk
):
    split = make_split(disk, strategy, rng(), options=options, out_of_fold=n)
    role = split["role"].values
    assert role.shape == (n + 1, disk.sizes["window"])
    assert split.attrs["out_of_fold"] == n
    assert split["fold_use"].values.tolist() == [0] + [1] * n
    assert set(role[0]) == {UNUSED, TRAIN, TEST}
    held_out = (role[1:] == CALIBRATION).sum(axis=0)
    np.testing.assert_array_equal(held_out, role[0] == TRAIN)
    for fold in role[1:]:
        assert set(fold) == {UNUSED, TRAIN, VALIDATION, CALIBRATION}
    assert (role[1:, role[0] == TEST] == UNUSED).all()
    parts = ("n_outside", "n_straddling_windows_unused", "n_embargoed")
    assert (role == UNUSED).sum() == sum(split.attrs[part] for part in parts)


def test_the_final_model_gets_back_what_inner_borders_took_and_keeps_away_from_test(disk):
    plain = make_split(disk, "by_cycle", rng())["role"].values[0]
    split = make_split(disk, "by_cycle", rng(), out_of_fold=5)
    final, time = split["role"].values[0], disk["issue_time"].values
    np.testing.assert_array_equal(final == TEST, plain == TEST)
    assert set(plain[final == TRAIN]) == {UNUSED, TRAIN, VALIDATION, CALIBRATION}
    inside = cycles.cycle_of(time) == 23
    near = time >= cycles.span(23)[1] - split.attrs["embargo_hours"] * HOUR + DAY
    np.testing.assert_array_equal(final == TRAIN, inside & ~near)


def test_inner_folds_keep_the_embargo_and_their_blocks_outlast_two_and_a_half(disk):
    split = make_split(disk, "by_cycle", rng(), embargo_hours=1600.0, out_of_fold=4)
    time = disk["issue_time"].values
    for role in split["role"].values[1:]:
        for one in (TRAIN, VALIDATION):
            mine, others = time[role == one], time[role > one]
            assert np.abs(mine[:, None] - others[None, :]).min() >= 1600 * HOUR
        held = time[role == CALIBRATION]
        ends = np.flatnonzero(np.append(np.diff(held) > DAY, True))
        starts = np.append(0, ends[:-1] + 1)
        lengths = held[ends] - held[starts] + DAY
        assert (lengths[:-1] >= 2.5 * 1600 * HOUR).all()
    assert "blocks of 7 rotations" in split.attrs["out_of_fold_parts"]


@pytest.mark.parametrize("n", [2, 3, 5])
def test_out_of_fold_keeps_the_audit_quiet(n, disk, regions):
    for windows, strategy in ((disk, "by_cycle"), (regions, "by_time"), (regions, "by_region")):
        split = make_split(windows, strategy, rng(), out_of_fold=n)
        assert not audit(windows, split).leaks


def test_whole_regions_are_held_out_where_the_strategy_deals_out_regions(regions):
    split = make_split(regions, "by_region", rng(), out_of_fold=5)
    role, region = split["role"].values, linked_regions(regions)
    flaring = np.unique(region[regions["peak_flux"].values > 1e-4])
    np.testing.assert_array_equal((role[1:] == CALIBRATION).sum(axis=0), role[0] == TRAIN)
    for fold in role[1:]:
        for kind in (VALIDATION, CALIBRATION):
            mine = np.unique(region[fold == kind])
            assert not np.isin(region[fold != kind], mine).any(), "a region has one role"
            assert mine.size == 32, "a fifth of the 160 regions that are not test"
            assert np.isin(mine, flaring).sum() in (3, 4), "16 of them flare"


def test_a_region_on_the_border_of_two_blocks_is_held_out_by_its_larger_side(make_windows):
    times = np.arange(cycles.seconds("2001-01"), cycles.seconds("2010-01"), DAY)
    tracks = [(f"HARP {day}", "", times[day : day + 20], times[day : day + 20]) for day in range(0, 3200, 5)]
    windows = make_windows(tracks, n_steps=1)
    split = make_split(windows, "by_time", rng(), embargo_hours=0.0, out_of_fold=3)
    role = split["role"].values
    held_out = (role[1:] == CALIBRATION).sum(axis=0)
    assert set(held_out) == {0, 1}
    assert ((role[0] == TRAIN) & (held_out == 0)).sum() > 0
    assert split.attrs["n_straddling_windows_unused"] > 0
    region = linked_regions(windows)
    for fold in role:
        pairs = np.unique(np.stack([region, fold])[:, fold > UNUSED], axis=1)
        assert np.unique(pairs[0]).size == pairs.shape[1]


def test_gaps_in_the_record_do_not_empty_a_fold(make_windows):
    # Test takes every fifth stretch; blocks are numbered among those with windows, or fold 1 would be empty.
    times = np.arange(cycles.seconds("1996-08"), cycles.seconds("2010-01"), DAY)
    block = (cycles.rotation_of(times) - cycles.rotation_of(times[0]) - 1) // 6
    windows = make_windows([("disk", "", times, times[block % 5 != 0])], n_steps=1)
    role = make_split(
        windows, "by_time", rng(), options={"train": (0.0, 0.9), "test": (0.9, 1.0)}, out_of_fold=5
    )
    counts = (role["role"].values[1:] == CALIBRATION).sum(axis=1)
    assert counts.min() > 0.4 * counts.max()


def test_a_split_without_out_of_fold_folds_says_that_its_folds_are_scored(disk):
    split = make_split(disk, "by_cycle", rng())
    assert split["fold_use"].values.tolist() == [0]
    assert split.attrs["out_of_fold"] == 0
    schema.check(split.drop_vars("fold_use"), schema.SPLIT)


def test_out_of_fold_that_cannot_be_is_refused_in_one_sentence(disk, make_windows):
    times = np.arange(cycles.seconds("2001-01"), cycles.seconds("2001-11"), DAY)
    few = make_windows([(f"HARP {day}", "", times[day:], times[day : day + 1]) for day in range(6)])
    short = make_windows([("disk", "", times, times)], n_steps=30)
    cases = [
        (disk, "by_cycle", 1, r"calibrate.folds: expected from 2 to 100 folds, got 1"),
        (disk, "by_cycle", -3, r"calibrate.folds: expected from 2 to 100 folds, got -3"),
        (disk, "random_windows", 5, r'fit_on: expected "calibration" for random_windows'),
        (short, "by_time", 5, r"fills 5 folds, got 2 blocks of 3 rotations .*fit_on = \"calibration\""),
        (few, "by_region", 7, r"fills 7 folds, got 5 regions in 7 parts and no .* in fold"),
    ]
    for windows, strategy, n, message in cases:
        options = {"pattern": "t"} if strategy == "by_time" else {}
        with pytest.raises(FlarecastError, match=message) as caught:
            make_split(windows, strategy, rng(), options=options, out_of_fold=n)
        assert "\n" not in str(caught.value)

"""What splits promise: roles where they belong, phases for all, borders kept, mistakes named."""

import json
from itertools import pairwise

import numpy as np
import pytest

from flarecast import cycles, schema
from flarecast.errors import FlarecastError
from flarecast.split import STRATEGIES, embargo_hours, linked_regions, make_split
from flarecast.split.blocks import blocks, interleave
from flarecast.split.regions import is_disk

DAY = 86_400
UNUSED, TRAIN, VALIDATION, CALIBRATION, TEST = range(5)


def rng():
    return np.random.default_rng(7)


def days(start, stop, step=1):
    return np.arange(cycles.seconds(start), cycles.seconds(stop), step * DAY)


@pytest.fixture(scope="module")
def disk(make_windows):
    """A daily record of cycles 23 and 24: 27 days of history, 27 days of memory, 24 h ahead."""
    times = days("1996-01", "2020-01")
    return make_windows([("disk", "", times, times[27:])], n_steps=27, memory=648.0)


@pytest.fixture(scope="module")
def regions(make_windows):
    """300 regions that live ten days each, one every 20 days from 1997; every tenth has an X flare."""
    tracks, flux = [], []
    for number in range(300):
        times = cycles.seconds("1997-01") + (20 * number + np.arange(10)) * DAY
        tracks.append((f"NOAA {10000 + number}", str(10000 + number), times, times))
        flux += [2e-4 if number % 10 == 0 and day == 3 else 0.0 for day in range(10)]
    return make_windows(tracks, n_steps=2, flux=flux)


OPTIONS = {
    "by_cycle": {"train_cycles": (23,), "test_cycles": (24,)},
    "by_time": {"train": (0.0, 0.6), "test": (0.6, 1.0)},
    "by_region": {},
    "random_windows": {},
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_makes_a_legal_split_whose_counts_add_up(strategy, regions):
    split = make_split(regions, strategy, rng(), options=OPTIONS[strategy], windows_sha256="abc")
    schema.check(split, schema.SPLIT)
    role = split["role"].values[0]
    assert role.size == regions.sizes["window"]
    assert set(np.unique(role)) >= {TRAIN, VALIDATION, CALIBRATION, TEST}
    parts = ("n_outside", "n_straddling_windows_unused", "n_embargoed")
    assert (role == UNUSED).sum() == sum(split.attrs[part] for part in parts)
    assert split.attrs["windows_sha256"] == "abc"
    assert split.attrs["strategy"] == strategy
    assert json.loads(split.attrs["options"]).keys() >= OPTIONS[strategy].keys()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_repeats_itself_and_survives_a_file(strategy, regions, tmp_path):
    first, again = (make_split(regions, strategy, rng(), options=OPTIONS[strategy]) for _ in range(2))
    schema.save(first, tmp_path / "split.nc", schema.SPLIT)
    read = schema.open_file(tmp_path / "split.nc", schema.SPLIT)
    np.testing.assert_array_equal(first["role"], again["role"])
    np.testing.assert_array_equal(first["role"], read["role"])


def test_the_embargo_is_span_plus_memory_plus_lead_plus_horizon(make_windows):
    times = days("2001-01", "2001-03")
    windows = make_windows(
        [("disk", "", times, times)], n_steps=5, cadence_hours=6, memory=100.0, lead=24.0, horizon=12.0
    )
    assert embargo_hours(windows) == 30 + 100 + 24 + 12


@pytest.mark.parametrize("role", [TRAIN, VALIDATION, CALIBRATION])
def test_by_cycle_lets_every_role_see_every_phase(disk, role):
    split = make_split(disk, "by_cycle", rng())
    mine = split["role"].values[0] == role
    phase = cycles.phase_of(disk["issue_time"].values[mine])
    assert set(phase) == set(range(len(cycles.PHASES)))


def test_by_cycle_blocks_are_whole_rotations_in_the_pattern_and_outlast_the_embargo(disk):
    split = make_split(disk, "by_cycle", rng(), embargo_hours=0.0)
    role, time = split["role"].values[0], disk["issue_time"].values
    inside = cycles.cycle_of(time) == 23
    role, time = role[inside], time[inside]
    borders = np.flatnonzero(np.diff(role)) + 1
    lengths = np.diff(time[borders]) / DAY
    assert set(lengths) == {162.0, 324.0}
    rotation = cycles.rotation_of(time)
    assert (rotation[borders] == rotation[borders - 1] + 1).all()
    assert "vttctt" in split.attrs["blocks"]
    order = [role[0], *role[borders]]
    assert order[:8] == [VALIDATION, TRAIN, CALIBRATION, TRAIN, VALIDATION, TRAIN, CALIBRATION, TRAIN]


def test_no_block_is_shorter_than_two_and_a_half_embargoes(disk):
    split = make_split(disk, "by_cycle", rng(), embargo_hours=1560.0)
    assert split.attrs["blocks"].startswith("7 rotations")
    role, time = split["role"].values[0], disk["issue_time"].values
    for kind in (VALIDATION, CALIBRATION):
        mine = time[role == kind]
        starts = np.concatenate([[0], np.flatnonzero(np.diff(mine) > DAY) + 1, [mine.size]])
        for first, after in pairwise(starts):
            near_test = mine[after - 1] > cycles.span(23)[1] - 2 * 1560 * 3600
            assert near_test or mine[after - 1] - mine[first] + DAY >= 2.5 * 1560 * 3600


@pytest.mark.parametrize(("extra_days", "n_left_over"), [(50, 0), (52, 52)])
def test_what_is_left_over_is_a_block_only_if_it_outlasts_two_and_a_half_embargoes(extra_days, n_left_over):
    start = cycles.seconds("1832-02-08") + 2300 * 27 * DAY
    time = start + DAY * np.arange(4 * 54 + extra_days)
    role, _ = interleave(time, blocks(2, "tvc", embargo=20.0 * 24))  # 2.5 embargoes are 50 d
    lengths = np.diff([0, *np.flatnonzero(np.diff(role)) + 1, role.size]).tolist()
    assert lengths == ([54] * 4 + [n_left_over] if n_left_over else [54] * 3 + [54 + extra_days])


def test_a_begun_rotation_joins_the_first_block():
    start = cycles.seconds("1832-02-08") + 2300 * 27 * DAY
    time = start + DAY * np.arange(20, 7 * 27)
    role, _ = interleave(time, blocks(2, "tvc", embargo=0.0))
    assert np.diff([0, *np.flatnonzero(np.diff(role)) + 1, role.size]).tolist() == [7 + 54, 54, 54]


def test_by_cycle_keeps_cycles_apart_and_leaves_others_unused(disk):
    role = make_split(disk, "by_cycle", rng())["role"].values[0]
    cycle = cycles.cycle_of(disk["issue_time"].values)
    assert set(cycle[role == TEST]) == {24}
    assert set(cycle[(role > UNUSED) & (role < TEST)]) == {23}
    assert (role[(cycle != 23) & (cycle != 24)] == UNUSED).all()
    assert (role[cycle == 24] == TEST).all(), "test loses nothing to the embargo"


def test_by_cycle_can_test_on_an_earlier_cycle(disk):
    options = {"train_cycles": (24,), "test_cycles": (23,)}
    split = make_split(disk, "by_cycle", rng(), options=options)
    role, time = split["role"].values[0], disk["issue_time"].values
    assert time[role == TEST].max() < time[(role > UNUSED) & (role < TEST)].min()
    gap = time[(role > UNUSED) & (role < TEST)].min() - time[role == TEST].max()
    assert gap >= split.attrs["embargo_hours"] * 3600


def test_cycles_around_the_test_cycle_have_a_calendar_each(make_windows):
    times = days("1987-01", "2019-06", 3)
    windows = make_windows([("disk", "", times, times)], n_steps=2, cadence_hours=72)
    options = {"train_cycles": (22, 24), "test_cycles": (23,)}
    split = make_split(windows, "by_cycle", rng(), options=options)
    assert split.attrs["blocks"].count("rotations each") == 2


def test_the_training_side_of_a_border_loses_the_windows(make_windows):
    times = days("2001-01-01", "2001-07-20")
    windows = make_windows([("disk", "", times, times)], n_steps=3)
    spans = {
        "train": ("2001-01", "2001-04"),
        "validation": ("2001-04", "2001-05"),
        "calibration": ("2001-05", "2001-06"),
        "test": ("2001-06", "2001-08"),
    }
    split = make_split(windows, "by_time", rng(), options=spans)
    embargo_days = 4  # 3 d span + 24 h horizon: issue times may differ by 4 d, so 3 windows go
    kept = np.bincount(split["role"].values[0], minlength=5)
    assert embargo_hours(windows) == embargo_days * 24
    assert kept.tolist() == [9, 90 - 3, 30 - 3, 31 - 3, 30 + 19]
    assert split.attrs["n_embargoed"] == 9


def test_validation_inside_the_training_span_costs_train_windows_on_both_sides(make_windows):
    times = days("2001-01-01", "2001-12-01")
    windows = make_windows([("disk", "", times, times)], n_steps=3)
    options = {
        "train": ("2001-01", "2001-09"),
        "validation": ("2001-04", "2001-05"),
        "test": ("2001-10", 1.0),
        "pattern": "t",
    }
    split = make_split(windows, "by_time", rng(), options=options)
    role, time = split["role"].values[0], windows["issue_time"].values
    assert (role == VALIDATION).sum() == 30
    assert (role == CALIBRATION).sum() == 0
    train, held = time[role == TRAIN], time[role == VALIDATION]
    assert np.abs(train[:, None] - held).min() == 4 * DAY
    assert split.attrs["n_embargoed"] == 6


def test_a_straddling_region_goes_where_it_has_more_windows(make_windows):
    early = days("2001-01-01", "2001-03-01")
    late = days("2001-04-01", "2001-06-01")
    mostly_before, mostly_after = days("2001-03-20", "2001-04-05"), days("2001-03-28", "2001-04-10")
    even = days("2001-03-30", "2001-04-03")
    tracks = [
        ("HARP 1", "", early, early),
        ("HARP 2", "", mostly_before, mostly_before),
        ("HARP 3", "11001", mostly_after[:6], mostly_after[:6]),
        ("NOAA 11001", "11001", mostly_after[6:], mostly_after[6:]),
        ("HARP 4", "", even, even),
        ("HARP 5", "", late, late),
    ]
    windows = make_windows(tracks, n_steps=1)
    options = {"train": ("2001-01", "2001-04"), "test": ("2001-04", "2001-07"), "pattern": "t"}
    split = make_split(windows, "by_time", rng(), embargo_hours=0.0, options=options)
    role, region = split["role"].values[0], windows["region"].values
    assert np.bincount(role[region == "HARP 2"], minlength=5).tolist() == [4, 12, 0, 0, 0]
    together = (region == "HARP 3") | (region == "NOAA 11001")
    assert np.bincount(role[together], minlength=5).tolist() == [4, 0, 0, 0, 9]
    assert np.bincount(role[region == "HARP 4"], minlength=5).tolist() == [2, 0, 0, 0, 2], (
        "a tie: the later role"
    )
    assert split.attrs["n_straddling_regions"] == 3
    assert split.attrs["n_straddling_windows_unused"] == 10


def test_regions_that_share_a_noaa_number_are_one_whatever_their_names(make_windows):
    tracks = [
        (name, numbers, [time], [time])
        for name, numbers, time in [
            ("HARP 1", "11001,11002", 0),
            ("HARP 2", "11002, 11003", 1),
            ("NOAA 11003", "", 2),
            ("HARP 3", "11004", 3),
            ("HARP 4", "", 4),
            ("disk", "11001", 5),
            ("disk", "", 6),
        ]
    ]
    windows = make_windows(tracks)
    group = linked_regions(windows)
    assert group[0] == group[1] == group[2]
    assert group[5] == group[6]
    assert len(set(group)) == 4
    assert set(group) == set(range(4))
    assert is_disk(windows).tolist() == [False] * 5 + [True] * 2


def test_by_region_keeps_regions_whole_and_spreads_the_rare_class(regions):
    split = make_split(regions, "by_region", rng())
    role, region = split["role"].values[0], regions["region"].values
    flaring = set(region[regions["peak_flux"].values > 1e-4])
    seen = {name: set(role[region == name]) for name in np.unique(region)}
    assert all(len(roles) == 1 for roles in seen.values())
    for kind, expected, rare in ((TRAIN, 180, 18), (VALIDATION, 30, 3), (CALIBRATION, 30, 3), (TEST, 60, 6)):
        mine = {name for name, roles in seen.items() if roles == {kind}}
        assert len(mine) == expected
        assert len(mine & flaring) == rare
    assert split.attrs["embargo_hours"] == 0


def test_by_region_gives_every_role_one_of_a_handful_of_rare_regions(regions):
    few = regions.copy()
    flux = np.zeros(regions.sizes["window"])
    for number in range(6):
        flux[number * 30 : number * 30 + 5] = 3e-4
    few["peak_flux"] = ("window", flux)
    role = make_split(few, "by_region", rng())["role"].values[0]
    assert set(role[flux > 0]) == {TRAIN, VALIDATION, CALIBRATION, TEST}


def test_by_region_depends_on_its_generator_alone(regions):
    one, other = (
        make_split(regions, "by_region", np.random.default_rng(seed))["role"].values for seed in (1, 2)
    )
    assert not np.array_equal(one, other)


def test_random_windows_has_the_fractions_asked_for(regions):
    options = {"train": 0.5, "validation": 0.0, "calibration": 0.25, "test": 0.25}
    role = make_split(regions, "random_windows", rng(), options=options)["role"].values[0]
    assert np.bincount(role, minlength=5).tolist() == [0, 1500, 0, 750, 750]


def test_by_time_takes_dates_fractions_and_both(disk):
    time = disk["issue_time"].values
    for bound in (0.5, cycles.iso(int((time[0] + time[-1]) // 2)).replace("Z", "")):
        options = {"train": (0.0, bound), "test": (bound, 1.0)}
        role = make_split(disk, "by_time", rng(), options=options)["role"].values[0]
        assert (role == TEST).sum() == pytest.approx(time.size / 2, abs=1)
        assert role[-1] == TEST, "the end 1.0 takes the last window"


def test_by_time_interleaves_what_is_not_given(disk):
    options = {
        "train": ("1996-08", "2006-01"),
        "validation": ("2006-01", "2007-01"),
        "test": ("2008-01", 1.0),
    }
    split = make_split(disk, "by_time", rng(), options=options)
    role, time = split["role"].values[0], disk["issue_time"].values
    assert time[role == VALIDATION].min() >= cycles.seconds("2006-01")
    assert time[role == CALIBRATION].max() < cycles.seconds("2006-01")
    assert "v" not in split.attrs["blocks"].split("turn ")[1].split()[0]


def test_folds_with_a_rolling_origin_can_be_made_of_dates(disk):
    time = disk["issue_time"].values
    for year in range(2000, 2008):
        options = {
            "train": ("1996-08", f"{year - 1}-01"),
            "validation": (f"{year - 1}-01", f"{year}-01"),
            "test": (f"{year}-01", f"{year + 1}-01"),
            "pattern": "t",
        }
        role = make_split(disk, "by_time", rng(), options=options)["role"].values[0]
        ends = [time[role == kind].max() for kind in (TRAIN, VALIDATION)]
        starts = [time[role == kind].min() for kind in (VALIDATION, TEST)]
        assert all(start - end >= embargo_hours(disk) * 3600 for end, start in zip(ends, starts, strict=True))


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
    "no date": ("by_time", {"train": ["soon", 0.5]}, r"date: expected an ISO date .* got 'soon'"),
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
    "bad sum": ("random_windows", {"test": 0.3}, r"add up to 1, got train 0.6, .* test 0.3"),
    "bad fraction": ("random_windows", {"test": -0.2, "train": 1.0}, r"fractions from 0 to 1, got .*-0.2"),
}


@pytest.mark.parametrize(("strategy", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_options_that_cannot_be_are_refused_in_one_sentence(strategy, options, message, disk):
    with pytest.raises(FlarecastError, match=message) as caught:
        make_split(disk, strategy, rng(), options=options)
    assert "\n" not in str(caught.value)


def test_an_unknown_strategy_and_a_misplaced_or_odd_embargo_are_refused(disk, regions):
    with pytest.raises(FlarecastError, match=r"split.strategy: expected one of by_cycle, .* got 'by_luck'"):
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


def test_fewer_regions_than_roles_and_no_windows_at_all_are_refused(make_windows):
    times = days("2001-01", "2001-02")
    windows = make_windows([("HARP 1", "", times, times)])
    with pytest.raises(FlarecastError, match=r"at least 4 regions, one a role, got 1"):
        make_split(windows, "by_region", rng())
    with pytest.raises(FlarecastError, match="expected windows to split"):
        make_split(windows.isel(window=slice(0)), "by_time", rng())

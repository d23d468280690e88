"""Regions keep to one role, whatever they are called."""

import numpy as np

from flarecast import cycles
from flarecast.split import linked_regions, make_split
from flarecast.split.regions import is_disk

DAY = 86_400
UNUSED, TRAIN, VALIDATION, CALIBRATION, TEST = range(5)


def rng():
    return np.random.default_rng(7)


def days(start, stop, step=1):
    return np.arange(cycles.seconds(start), cycles.seconds(stop), step * DAY)


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

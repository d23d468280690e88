"""A region that comes back after a rotation under a new number is known by its place on the Sun."""

import numpy as np
import pytest

from flarecast import cycles
from flarecast.audit import audit
from flarecast.errors import FlarecastError
from flarecast.split import link_returning, linked_regions, make_split

DAY = 86_400
TRAIN, VALIDATION, CALIBRATION, TEST = range(1, 5)


def rng():
    return np.random.default_rng(7)


def passage(places, make_windows):
    """Windows of regions that cross the disk: (name, day of the central meridian, latitude) each."""
    tracks, latitudes, longitudes = [], [], []
    for name, day, latitude in places:
        times = cycles.seconds("2012-01") + DAY * (day + np.arange(-5, 6))
        tracks.append((name, "", times, times))
        latitudes += [latitude] * times.size
        longitudes += (13.2 * np.arange(-5, 6)).tolist()
    windows = make_windows(tracks, n_steps=1)
    values = windows["values"].values.copy()
    values[:, 0] = latitudes
    windows = windows.assign_coords(feature=["latitude", "decayed"]).assign(
        values=(("row", "feature"), values)
    )
    return windows.assign(longitude=("row", np.array(longitudes, dtype=np.float32)))


@pytest.fixture
def cross(make_windows):
    return lambda *places: passage(places, make_windows)


@pytest.mark.parametrize(
    ("day", "latitude", "same"),
    [
        (27, 15.0, True),
        (27, 11.0, True),
        (27, 8.0, False),
        (27, -15.0, False),
        (28, 15.0, False),
        (26, 15.0, False),
        (25, 15.0, False),
        (54, 15.0, False),
    ],
)
def test_a_region_returns_at_its_latitude_and_longitude_after_one_rotation(day, latitude, same, cross):
    windows = cross(("NOAA 11001", 0, 15.0), ("NOAA 11050", day, latitude))
    assert (np.unique(linked_regions(link_returning(windows))).size == 1) == same
    assert np.unique(linked_regions(windows)).size == 2, "a new one unless asked for"


def test_regions_far_from_the_equator_return_later(cross):
    for latitude, day in ((5.0, 27), (35.0, 28)):
        windows = cross(("NOAA 11001", 0, latitude), ("NOAA 11050", day, latitude))
        assert np.unique(linked_regions(link_returning(windows))).size == 1


def test_a_region_that_stays_for_three_rotations_is_one(cross):
    places = [(f"HARP {turn}", 27 * turn, 15.0) for turn in range(4)]
    assert np.unique(linked_regions(link_returning(cross(*places)))).size == 1


def test_of_two_that_may_have_returned_the_nearer_counts(cross):
    windows = cross(("HARP 1", 0, 15.0), ("HARP 2", 0, 18.5), ("HARP 3", 27, 18.0))
    group = linked_regions(link_returning(windows)).reshape(3, -1)[:, 0]
    assert group[2] == group[1] != group[0]


def test_a_returning_region_keeps_to_one_role_where_it_is_the_same(cross):
    places = [(f"HARP {number}", 60 * number, 15.0) for number in range(40)]
    places += [(f"HARP {number + 1000}", 60 * number + 27, 15.0) for number in range(40)]
    windows = cross(*places)
    roles = {}
    for returning in ("new", "same"):
        split = make_split(windows, "by_region", rng(), returning=returning)
        assert split.attrs["returning"] == returning
        roles[returning] = split["role"].values[0].reshape(80, -1)[:, 0]
    np.testing.assert_array_equal(roles["same"][:40], roles["same"][40:])
    assert (roles["new"][:40] != roles["new"][40:]).any()
    assert not audit(windows, split).leaks


def test_windows_that_do_not_say_where_regions_are_cannot_tell(regions):
    with pytest.raises(FlarecastError, match='for "same", got no longitude from test; choose "new"'):
        make_split(regions, "by_region", rng(), returning="same")
    placed = regions.assign(longitude=("row", np.zeros(regions.sizes["row"], dtype=np.float32)))
    with pytest.raises(FlarecastError, match="got no latitude from test"):
        make_split(placed, "by_time", rng(), returning="same")
    with pytest.raises(FlarecastError, match="returning: expected new or same, got 'maybe'"):
        make_split(regions, "by_region", rng(), returning="maybe")

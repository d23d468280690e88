"""Windows as slices of rows: cut and gather against plain loops."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from flarecast import schema
from flarecast.errors import FlarecastError
from flarecast.windows import cut, feature_columns, gather, open_windows, step_rows

FEATURES = ("a", "b", "c")


def random_tracks(rng, n_tracks, cadence):
    """Rows of tracks on a jittered grid with gaps; times of different tracks overlap."""
    time, track = [], []
    for number in np.sort(rng.choice(50, n_tracks, replace=False)):
        grid = int(rng.integers(-100, 100)) * cadence // 3 + np.arange(rng.integers(1, 40)) * cadence
        kept = grid[rng.random(grid.size) < 0.8]
        jittered = np.unique(kept + rng.integers(-cadence // 2, cadence // 2 + 1, kept.size))
        time.append(jittered)
        track.append(np.full(jittered.size, number))
    empty = np.empty(0, dtype=np.int64)
    return np.concatenate([empty, *time]), np.concatenate([empty, *track])


def windows_of(time, track, issue_time, window_track, n_steps, cadence, rng=None):
    """The part of a windows file that gather reads."""
    first, count = cut(time, track, issue_time, window_track, n_steps * cadence)
    values = (rng or np.random.default_rng(0)).normal(size=(time.size, len(FEATURES))).astype(np.float32)
    return xr.Dataset(
        {
            "values": (("row", "feature"), values),
            "time": ("row", time),
            "track": ("row", track),
            "first_row": ("window", first),
            "n_rows": ("window", count.astype(np.int32)),
            "issue_time": ("window", issue_time),
        },
        {"feature": list(FEATURES)},
        {"n_steps": n_steps, "cadence_minutes": cadence / 60},
    )


def gather_by_loops(values, time, track, issue_time, window_track, n_steps, cadence):
    """The definition, row by row: step = n_steps - 1 - floor((issue_time - time) / cadence)."""
    out = np.full((issue_time.size, n_steps, values.shape[1]), np.nan, dtype=np.float32)
    for window in range(issue_time.size):
        for row in range(time.size):
            age = issue_time[window] - time[row]
            if track[row] == window_track[window] and 0 <= age < n_steps * cadence:
                out[window, n_steps - 1 - int(np.floor(age / cadence))] = values[row]
    return out


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_tracks=st.integers(0, 5),
    n_steps=st.integers(1, 12),
    cadence=st.sampled_from([60, 720, 5400]),
)
def test_cut_and_gather_do_what_plain_loops_do(seed, n_tracks, n_steps, cadence):
    rng = np.random.default_rng(seed)
    time, track = random_tracks(rng, n_tracks, cadence)
    n_windows = int(rng.integers(0, 30))
    issue_time = rng.integers(-60, 120, n_windows) * cadence + rng.integers(0, 2, n_windows) * 7
    window_track = rng.choice(np.append(track, [0, 49, 50]), n_windows)
    windows = windows_of(time, track, issue_time, window_track, n_steps, cadence, rng)
    expected = gather_by_loops(
        windows["values"].values, time, track, issue_time, window_track, n_steps, cadence
    )
    found = gather(windows)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)

    first, count = windows["first_row"].values, windows["n_rows"].values
    for window in range(n_windows):
        age = issue_time[window] - time
        mine = np.flatnonzero((track == window_track[window]) & (age >= 0) & (age < n_steps * cadence))
        assert list(range(first[window], first[window] + count[window])) == mine.tolist()


@pytest.fixture
def windows():
    rng = np.random.default_rng(4)
    time, track = random_tracks(rng, 3, 720)
    issue_time = np.arange(20) * 1440
    return windows_of(time, track, issue_time, np.resize(np.unique(track), 20), 6, 720, rng)


def test_a_window_begins_after_its_span_and_ends_with_its_issue_time():
    time = np.array([0, 60, 120, 180, 240])
    first, count = cut(
        time, np.zeros(5, dtype=np.int64), np.array([180, 181, 239]), np.zeros(3, dtype=np.int64), 120
    )
    # Rows in (60, 180], (61, 181] and (119, 239]: 0 is too old, 240 not yet known.
    assert (first.tolist(), count.tolist()) == ([2, 2, 2], [2, 2, 2])


def test_absent_steps_are_nan_at_their_place_and_not_moved_up():
    issue = np.array([300])
    windows = windows_of(
        np.array([60, 300]), np.zeros(2, dtype=np.int64), issue, np.zeros(1, dtype=np.int64), 6, 60
    )
    present = ~np.isnan(gather(windows)[0, :, 0])
    assert present.tolist() == [False, True, False, False, False, True]


def test_a_step_that_is_missing_in_the_file_stays_missing():
    issue = np.array([60])
    windows = windows_of(
        np.array([0, 60]), np.zeros(2, dtype=np.int64), issue, np.zeros(1, dtype=np.int64), 2, 60
    )
    windows["values"].values[0, 1] = np.nan
    np.testing.assert_array_equal(np.isnan(gather(windows)[0]), [[False, True, False], [False, False, False]])


def test_of_two_rows_in_one_step_the_later_is_taken():
    issue = np.array([120])
    windows = windows_of(
        np.array([70, 110]), np.zeros(2, dtype=np.int64), issue, np.zeros(1, dtype=np.int64), 2, 60
    )
    assert step_rows(windows).tolist() == [[-1, 1]]


def test_rows_of_another_track_are_never_taken():
    time, track = np.array([0, 60, 0, 60]), np.array([1, 1, 2, 2])
    windows = windows_of(time, track, np.array([60, 60, 60]), np.array([2, 1, 3]), 2, 60)
    assert step_rows(windows).tolist() == [[2, 3], [0, 1], [-1, -1]]


def test_some_windows_are_gathered_as_they_are_among_all(windows):
    whole = gather(windows)
    index = np.array([7, 0, 7, 19])
    np.testing.assert_array_equal(gather(windows, index), whole[index])
    np.testing.assert_array_equal(gather(windows, slice(3, 9)), whole[3:9])
    assert gather(windows, np.empty(0, dtype=np.int64)).shape == (0, 6, 3)


def test_features_are_taken_by_name_in_the_order_asked_for(windows):
    np.testing.assert_array_equal(gather(windows, features=("c", "a")), gather(windows)[:, :, [2, 0]])
    assert feature_columns(windows, ["b"]).tolist() == [1]


def test_a_feature_that_is_not_there_is_named(windows):
    with pytest.raises(FlarecastError, match="expected a, d, e, got a windows file without d, e"):
        gather(windows, features=("a", "d", "e"))


def test_gathering_changes_no_row(windows):
    before = windows.copy(deep=True)
    gather(windows)[:] = 0
    xr.testing.assert_identical(windows, before)


def test_without_rows_every_step_is_absent():
    nothing = np.empty(0, dtype=np.int64)
    windows = windows_of(nothing, nothing, np.array([0, 60]), np.array([1, 2]), 3, 60)
    assert windows["n_rows"].values.tolist() == [0, 0]
    assert np.isnan(gather(windows)).all()
    assert gather(windows).shape == (2, 3, 3)


def saved(path, attributes=None, **changes):
    """A windows file of two regions with three rows each and one window each, changed."""
    arrays = {
        "values": np.ones((6, 1)),
        "feature": ["a"],
        "feature_unit": ["1"],
        "feature_memory_hours": [0.0],
        "time": [3600, 7200, 10800, 3600, 7200, 10800],
        "track": [0, 0, 0, 1, 1, 1],
        "first_row": [0, 4],
        "n_rows": [3, 2],
        "issue_time": [10800, 10800],
        "valid_from": [10800, 10800],
        "valid_to": [97200, 97200],
        "region": ["A", "B"],
        "noaa_regions": ["", ""],
        "peak_flux": [0.0, 1e-5],
        "peak_flux_upper": [9.9e-7, 1e-5],
        "unassigned_peak_flux": [0.0, 0.0],
        "flare_start": [schema.NO_TIME] * 2,
        "flare_peak": [schema.NO_TIME] * 2,
        "flare_id": ["", ""],
        "flux_scale": [0, 0],
        "partition": [0, 0],
    } | changes
    given = {
        "n_steps": 3,
        "cadence_minutes": 60.0,
        "lead_hours": 0.0,
        "horizon_hours": 24.0,
        "latency_minutes": 0.0,
        "source": "test",
        "sampling": "natural",
        "source_files": "",
        "context_features": "",
        "history": "test",
    } | (attributes or {})
    schema.save(schema.build(schema.WINDOWS, arrays, given), path, schema.WINDOWS)
    return path


def test_a_windows_file_that_fits_itself_is_read(tmp_path):
    windows = open_windows(saved(tmp_path / "w.nc"))
    assert gather(windows).shape == (2, 3, 1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"first_row": [0, 1000]}, "rows of one track and the window's span in 1 windows"),
        ({"first_row": [-1, 4]}, "rows of one track"),
        ({"first_row": [2**62, 4]}, "rows of one track"),
        ({"n_rows": [-3, 2]}, "rows of one track"),
        ({"first_row": [2, 4]}, "rows of one track"),
        ({"issue_time": [14400, 10800]}, "rows of one track"),
        ({"issue_time": [7200, 10800]}, "rows of one track"),
        ({"time": [10800, 7200, 3600, 3600, 7200, 10800]}, "rows do not ascend by track and time"),
        ({"track": [1, 1, 1, 0, 0, 0]}, "rows do not ascend by track and time"),
        ({"valid_from": [14400, 10800]}, "valid_from is not issue_time + lead in 1 windows"),
        ({"valid_to": [97200, 10800]}, "valid_to is not valid_from + horizon in 1 windows"),
        ({"peak_flux": [2e-6, 1e-5]}, "peak_flux is not from 0 to peak_flux_upper in 1 windows"),
        ({"feature_memory_hours": [np.nan]}, "feature_memory_hours is not finite"),
        (
            {
                "values": np.ones((6, 2)),
                "feature": ["a", "a"],
                "feature_unit": ["1", "1"],
                "feature_memory_hours": [0, 0],
            },
            "2 features have 1 names",
        ),
        ({"attributes": {"n_steps": "three"}}, "attribute n_steps is 'three'"),
        ({"attributes": {"n_steps": 2.5}}, "attribute n_steps is"),
        ({"attributes": {"cadence_minutes": 0.0}}, "attribute cadence_minutes is"),
        ({"attributes": {"horizon_hours": np.nan}}, "attribute horizon_hours is"),
        ({"attributes": {"lead_hours": -1.0}}, "attribute lead_hours is"),
        ({"attributes": {"sampling": "some"}}, "attribute sampling is 'some'"),
    ],
)
def test_a_windows_file_that_contradicts_itself_is_refused_in_one_sentence(changes, says, tmp_path):
    path = saved(tmp_path / "w.nc", **changes)
    with pytest.raises(FlarecastError) as told:
        open_windows(path)
    assert says in str(told.value)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)

"""Windows made to order, for the tests of splits."""

import numpy as np
import pytest
from made_windows import quiet_windows

from flarecast import cycles

HOUR, DAY = 3600, 86_400


def build_windows(tracks, *, n_steps=4, cadence_hours=24, memory=0.0, lead=0.0, horizon=24.0, flux=None):
    """Windows Dataset of some tracks: (region, NOAA numbers, row times, issue times) each."""
    rows = [np.asarray(times) for _, _, times, _ in tracks]
    issues = [np.asarray(times) for _, _, _, times in tracks]
    row_time, issue = np.concatenate(rows), np.concatenate(issues)
    row_track = np.repeat(np.arange(len(tracks)), [times.size for times in rows])
    track = np.repeat(np.arange(len(tracks)), [times.size for times in issues])
    return quiet_windows(
        (np.zeros((row_time.size, 2)), row_time, row_track),
        (issue, track),
        n_steps=n_steps,
        cadence_hours=cadence_hours,
        lead_hours=lead,
        horizon_hours=horizon,
        feature=["now", "decayed"],
        feature_memory_hours=[0.0, memory],
        region=[tracks[number][0] for number in track],
        noaa_regions=[tracks[number][1] for number in track],
        peak_flux=0.0 if flux is None else flux,
    )


@pytest.fixture(scope="session")
def make_windows():
    return build_windows


@pytest.fixture(scope="session")
def disk(make_windows):
    """A daily record of cycles 23 and 24: 27 days of history, 27 days of memory, 24 h ahead."""
    times = np.arange(cycles.seconds("1996-01"), cycles.seconds("2020-01"), DAY)
    return make_windows([("disk", "", times, times[27:])], n_steps=27, memory=648.0)


@pytest.fixture(scope="session")
def short_lived(make_windows):
    """`short_lived(n, name)`: regions of ten days each, one every 20 days from 1997; a tenth flares once."""

    def make(n, name):
        tracks, flux = [], []
        for number in range(n):
            times = cycles.seconds("1997-01") + (20 * number + np.arange(10)) * DAY
            tracks.append((name.format(number), str(10000 + number), times, times))
            flux += [2e-4 if number % 10 == 0 and day == 3 else 0.0 for day in range(10)]
        return make_windows(tracks, n_steps=2, flux=flux)

    return make


@pytest.fixture(scope="session")
def regions(short_lived):
    """300 regions, of which 60 are a partition."""
    windows = short_lived(300, "NOAA 1{:04d}")
    windows["partition"] = windows["partition"].copy(data=np.repeat(np.arange(1, 6, dtype=np.int8), 600))
    return windows

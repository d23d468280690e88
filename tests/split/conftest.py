"""Windows made to order, for the tests of splits."""

import numpy as np
import pytest

from flarecast import cycles, schema
from flarecast.windows import cut

HOUR, DAY = 3600, 86_400


def build_windows(tracks, *, n_steps=4, cadence_hours=24, memory=0.0, lead=0.0, horizon=24.0, flux=None):
    """Windows Dataset of some tracks: (region, NOAA numbers, row times, issue times) each."""
    rows = [np.asarray(times) for _, _, times, _ in tracks]
    issues = [np.asarray(times) for _, _, _, times in tracks]
    row_time, issue = np.concatenate(rows), np.concatenate(issues)
    row_track = np.repeat(np.arange(len(tracks)), [times.size for times in rows])
    track = np.repeat(np.arange(len(tracks)), [times.size for times in issues])
    first_row, n_rows = cut(row_time, row_track, issue, track, n_steps * cadence_hours * HOUR)
    peak = np.zeros(issue.size) if flux is None else np.asarray(flux)
    start = issue + round(lead * HOUR)
    arrays = {
        "values": np.zeros((row_time.size, 2)),
        "feature": ["now", "decayed"],
        "feature_unit": ["1", "1"],
        "feature_memory_hours": [0.0, memory],
        "time": row_time,
        "track": row_track,
        "first_row": first_row,
        "n_rows": n_rows,
        "issue_time": issue,
        "valid_from": start,
        "valid_to": start + round(horizon * HOUR),
        "region": [tracks[number][0] for number in track],
        "noaa_regions": [tracks[number][1] for number in track],
        "peak_flux": peak,
        "peak_flux_upper": np.where(peak > 0, peak, 9.9e-7),
        "unassigned_peak_flux": np.zeros(issue.size),
        "flare_start": np.full(issue.size, schema.NO_TIME),
        "flare_peak": np.full(issue.size, schema.NO_TIME),
        "flare_id": [""] * issue.size,
        "flux_scale": np.zeros(issue.size),
        "partition": np.zeros(issue.size),
    }
    attributes = {
        "n_steps": n_steps,
        "cadence_minutes": cadence_hours * 60,
        "lead_hours": lead,
        "horizon_hours": horizon,
        "latency_minutes": 0,
        "source": "test",
        "sampling": "natural",
        "source_files": "",
        "context_features": "",
        "history": "made for a test",
    }
    return schema.build(schema.WINDOWS, arrays, attributes)


@pytest.fixture(scope="session")
def make_windows():
    return build_windows


@pytest.fixture(scope="session")
def disk(make_windows):
    """A daily record of cycles 23 and 24: 27 days of history, 27 days of memory, 24 h ahead."""
    times = np.arange(cycles.seconds("1996-01"), cycles.seconds("2020-01"), DAY)
    return make_windows([("disk", "", times, times[27:])], n_steps=27, memory=648.0)


@pytest.fixture(scope="session")
def regions(make_windows):
    """300 regions of ten days each, one every 20 days from 1997; every tenth flares; 60 are a partition."""
    tracks, flux = [], []
    for number in range(300):
        times = cycles.seconds("1997-01") + (20 * number + np.arange(10)) * DAY
        tracks.append((f"NOAA {10000 + number}", str(10000 + number), times, times))
        flux += [2e-4 if number % 10 == 0 and day == 3 else 0.0 for day in range(10)]
    windows = make_windows(tracks, n_steps=2, flux=flux)
    windows["partition"] = windows["partition"].copy(data=np.repeat(np.arange(1, 6, dtype=np.int8), 600))
    return windows

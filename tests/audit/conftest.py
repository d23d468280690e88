"""Windows, roles and findings made to order, for the tests of the audit."""

from collections import Counter

import numpy as np
import pytest

from flarecast import cycles, schema
from flarecast.windows import cut

DAY = 86_400
START = cycles.seconds("2011-01-01")


def build_windows(tracks, flux=0.0, scale=0, memory=0.0):
    """Windows with two days of history and a horizon of a day: (region, numbers, issue times [d]) each."""
    issue = np.concatenate([START + np.round(np.asarray(days) * DAY) for _, _, days in tracks]).astype(int)
    track = np.repeat(np.arange(len(tracks)), [len(days) for _, _, days in tracks])
    first_row, n_rows = cut(issue, track, issue, track, 2 * DAY)
    peak = np.broadcast_to(np.asarray(flux, dtype=float), issue.shape)
    n = issue.size
    arrays = {
        "values": np.zeros((n, 1)),
        "feature": ["area"],
        "feature_unit": ["1"],
        "feature_memory_hours": [memory],
        "time": issue,
        "track": track,
        "first_row": first_row,
        "n_rows": n_rows,
        "issue_time": issue,
        "valid_from": issue,
        "valid_to": issue + DAY,
        "region": [tracks[number][0] for number in track],
        "noaa_regions": [tracks[number][1] for number in track],
        "peak_flux": peak,
        "peak_flux_upper": np.where(peak > 0, peak, 9.9e-7),
        "unassigned_peak_flux": np.zeros(n),
        "flare_start": np.full(n, schema.NO_TIME),
        "flare_peak": np.full(n, schema.NO_TIME),
        "flare_id": [""] * n,
        "flux_scale": np.broadcast_to(scale, issue.shape),
        "partition": np.zeros(n),
    }
    attributes = {
        "n_steps": 2,
        "cadence_minutes": 1440,
        "lead_hours": 0.0,
        "horizon_hours": 24.0,
        "latency_minutes": 0,
        "source": "test",
        "sampling": "natural",
        "source_files": "",
        "context_features": "",
        "history": "made for a test",
    }
    return schema.build(schema.WINDOWS, arrays, attributes)


def build_roles(*folds, windows_sha256="abc", inner=()):
    """A split of some folds; `inner` says of each whether it is an out-of-fold fold."""
    attributes = {
        "windows_sha256": windows_sha256,
        "strategy": "by hand",
        "embargo_hours": 0.0,
        "history": "",
    }
    split = schema.build(schema.SPLIT, {"role": np.array(folds, dtype=np.int8)}, attributes)
    return split.assign(fold_use=("fold", np.array(inner, dtype=np.int8))) if inner else split


@pytest.fixture(scope="session")
def make_windows():
    return build_windows


@pytest.fixture(scope="session")
def make_roles():
    return build_roles


@pytest.fixture(scope="session")
def crowd():
    """Regions of one window each, ten days apart, so that no warning about few blocks is due."""
    return lambda prefix, n, first=0: [
        (f"{prefix} {number}", "", [first + 10 * number]) for number in range(n)
    ]


@pytest.fixture(scope="session")
def kinds():
    """Kinds of the findings of a level, in order."""
    return lambda found, level="leak": [finding.kind for finding in found.findings if finding.level == level]


@pytest.fixture(scope="session")
def tally():
    """How often each kind of a level is found."""
    return lambda found, level="leak": Counter(
        finding.kind for finding in found.findings if finding.level == level
    )


@pytest.fixture
def write(tmp_path):
    """Write a text file and give its path."""

    def write_file(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file

"""Windows, roles and findings made to order, for the tests of the audit."""

from collections import Counter

import numpy as np
import pytest
from made_windows import quiet_windows

from flarecast import cycles, schema

DAY = 86_400
START = cycles.seconds("2011-01-01")


def build_windows(tracks, flux=0.0, scale=0, memory=0.0):
    """Windows with two days of history and a horizon of a day: (region, numbers, issue times [d]) each."""
    issue = np.concatenate([START + np.round(np.asarray(days) * DAY) for _, _, days in tracks]).astype(int)
    track = np.repeat(np.arange(len(tracks)), [len(days) for _, _, days in tracks])
    return quiet_windows(
        (np.zeros((issue.size, 1)), issue, track),
        (issue, track),
        n_steps=2,
        cadence_hours=24,
        feature=["area"],
        feature_memory_hours=[memory],
        region=[tracks[number][0] for number in track],
        noaa_regions=[tracks[number][1] for number in track],
        peak_flux=flux,
        flux_scale=np.broadcast_to(scale, issue.shape),
    )


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

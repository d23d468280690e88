from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from made_windows import quiet_windows

from flarecast import schema
from flarecast.config import Config, parse_config
from flarecast.windows import cut

HOUR = 3600
REGIONS, WINDOWS_PER_REGION, N_STEPS, CADENCE = 60, 8, 6, 2 * HOUR
PEAKS = np.array([0.0, 3e-6, 3e-5, 3e-4])
UPPER = np.array([9.9e-7, 3e-6, 3e-5, 3e-4])

SMALL: dict[str, dict[str, Any]] = {
    "lstm": {"hidden": 8, "layers": 1, "dropout": 0.1},
    "gru": {"hidden": 8, "layers": 1, "dropout": 0.1},
    "cnn": {"channels": [8, 8], "kernel": 3},
    "resnet": {"channels": [8, 8], "kernel": 3, "stochastic_depth": 0.2},
    "inception_time": {"filters": 4, "kernels": [5, 3], "depth": 4, "stochastic_depth": 0.2},
    "cnn_lstm": {"channels": [8], "kernel": 3, "hidden": 8},
    "transformer": {"size": 16, "heads": 2, "layers": 2, "stochastic_depth": 0.2},
}
"""Options of small networks."""


def _rows(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Rows of all regions: activity shown in TOTFX-like numbers, a noisy copy with zeros and gaps, noise."""
    per_region = N_STEPS * (WINDOWS_PER_REGION + 1)
    track = np.repeat(np.arange(REGIONS), per_region)
    time = (np.arange(REGIONS)[:, None] * 20 * HOUR + np.arange(per_region) * CADENCE).ravel()
    level = np.repeat(rng.normal(size=REGIONS), per_region) + 0.3 * np.sin(time / (30 * HOUR))
    copied = np.where(level < -0.5, 0.0, level + rng.normal(0, 0.3, level.size))
    values = np.stack([1e25 * np.exp(2 * level), copied, rng.normal(size=level.size)], axis=1)
    values[rng.random(values.shape) < 0.1] = np.nan
    there = rng.random(level.size) > 0.1
    # The first region is silent: its windows have rows but no value.
    values[track == 0] = np.nan
    return {"values": values[there], "track": track[there], "time": time[there], "level": level[there]}


@pytest.fixture(scope="session")
def windows() -> xr.Dataset:
    """Sixty regions whose activity decides their flares; some outcomes are unknown in part or whole."""
    rng = np.random.default_rng(7)
    rows = _rows(rng)
    window_track = np.repeat(np.arange(REGIONS), WINDOWS_PER_REGION)
    nth = np.tile(np.arange(1, WINDOWS_PER_REGION + 1), REGIONS)
    issue = window_track * 20 * HOUR + nth * N_STEPS * CADENCE
    first, count = cut(rows["time"], rows["track"], issue, window_track, N_STEPS * CADENCE)
    level = rows["level"][first + count - 1]
    flare = np.digitize(level + rng.normal(0, 0.1, level.size), [-0.3, 0.4, 1.1])
    n = issue.size
    peak, upper = PEAKS[flare], UPPER[flare]
    unknown = rng.random(n)
    peak, upper = np.where(unknown < 0.05, 0.0, peak), np.where(unknown < 0.1, np.inf, upper)
    return quiet_windows(
        (rows["values"], rows["time"], rows["track"]),
        (issue, window_track),
        n_steps=N_STEPS,
        cadence_hours=CADENCE / HOUR,
        feature=["TOTFX", "R_VALUE", "noise"],
        feature_unit=["dyn", "Mx", "1"],
        longitude=np.linspace(-90, 90, rows["time"].size),
        region=[f"SIM {number}" for number in window_track],
        peak_flux=peak,
        peak_flux_upper=upper,
        flare_start=np.where(flare > 0, issue + np.where(nth == 1, -HOUR, HOUR), schema.NO_TIME),
        flare_peak=np.where(flare > 0, issue + 2 * HOUR, schema.NO_TIME),
        truth_C=np.full(n, 0.5),
        truth_M=np.full(n, 0.2),
        source="toy",
    )


@pytest.fixture(scope="session")
def split(windows: xr.Dataset) -> xr.Dataset:
    """Regions in turn: five train, two validation, one calibration, two test."""
    region = np.array([int(name.split()[1]) for name in windows["region"].values])
    role = np.array([1, 1, 1, 1, 1, 2, 2, 3, 4, 4])[region % 10]
    attributes = {"windows_sha256": "", "strategy": "by_region", "embargo_hours": 0.0, "history": "toy"}
    return schema.build(schema.SPLIT, {"role": role[None]}, attributes)


@pytest.fixture(scope="session")
def configure() -> Callable[..., Config]:
    """Configuration of a small training: `configure(model, train={...}, ...)`, other sections as given."""

    def make(name: str = "lstm", /, train: dict[str, Any] | None = None, **sections: Any) -> Config:
        settings = {"epochs": 8, "batch_size": 32, "learning_rate": 0.02, "threads": 1} | (train or {})
        chosen = {"name": name, "options": SMALL.get(name, {})} | sections.pop("model", {})
        return parse_config({"model": chosen, "train": settings, **sections})

    return make

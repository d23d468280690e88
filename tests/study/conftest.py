"""Regions that tell nothing about their flares but who they are: whoever knows a copy knows the outcome."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from made_windows import quiet_windows

from flarecast import schema

HOUR = 3600
REGIONS, PER_REGION, N_FEATURES = 80, 10, 4


def make_windows() -> xr.Dataset:
    """Ten windows of one row each of eighty regions with a signature; half of them flare, at random."""
    rng = np.random.default_rng(3)
    n = REGIONS * PER_REGION
    region = np.repeat(np.arange(REGIONS), PER_REGION)
    issue = region * 400 * HOUR + np.tile(np.arange(PER_REGION), REGIONS) * 6 * HOUR
    signature = rng.normal(size=(REGIONS, N_FEATURES))
    flares = (rng.random(REGIONS) < 0.5)[region] & (rng.random(n) < 0.8)
    peak = np.where(
        flares, np.where(rng.random(n) < 0.2, 2e-4, 2e-5), np.where(rng.random(n) < 0.3, 2e-6, 0.0)
    )
    return quiet_windows(
        (signature[region] + rng.normal(0, 0.02, (n, N_FEATURES)), issue, region),
        (issue, region),
        n_steps=1,
        cadence_hours=1.0,
        region=[f"SIM {number}" for number in region],
        peak_flux=peak,
        peak_flux_upper=np.where(peak > 0, peak, 9.9e-8),
        flare_start=np.where(peak > 0, issue + HOUR, schema.NO_TIME),
        flare_peak=np.where(peak > 0, issue + 2 * HOUR, schema.NO_TIME),
        source="toy",
    )


@pytest.fixture(scope="session")
def windows_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """windows.nc of the toy."""
    path = tmp_path_factory.mktemp("study") / "windows.nc"
    schema.save(make_windows(), path, schema.WINDOWS)
    return path

"""Windows from which little can be learned: every model still gives a forecast that is one."""

import numpy as np
import pytest
import xarray as xr

from flarecast.forecast import forecast
from flarecast.models import MODELS
from flarecast.train import train


@pytest.fixture(scope="module")
def poor(windows: xr.Dataset) -> xr.Dataset:
    """A constant feature, one that is missing everywhere, and no X flare at all."""
    values = windows["values"].values.copy()
    values[:, 1], values[:, 2] = 3.0, np.nan
    peak, upper = (np.minimum(windows[name].values, 9e-5) for name in ("peak_flux", "peak_flux_upper"))
    return windows.assign(
        values=(windows["values"].dims, values), peak_flux=("window", peak), peak_flux_upper=("window", upper)
    )


@pytest.mark.parametrize("name", MODELS)
def test_constant_and_missing_features_an_absent_class_and_a_batch_larger_than_the_data(
    name, poor, split, configure, tmp_path
):
    if name == "minirocket":
        pytest.importorskip("aeon", reason="aeon, of the extra rocket, is not installed")
    config = configure(name, train={"epochs": 2, "batch_size": 10_000})
    model = train(poor, split, config, folder=tmp_path, device="cpu")
    said = forecast(poor, model, device="cpu")["probability"].values
    there = ~np.isnan(said[:, 0])
    assert there.sum() > 100
    assert np.isfinite(said[there]).all()
    assert ((said[there] >= 0) & (said[there] <= 1)).all()
    assert (np.diff(said[there], axis=1) <= 0).all()
    assert said[there, 2].max() < 0.2, "nobody has seen an X flare"

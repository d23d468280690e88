"""Files and served minutes of GOES X-rays made to order, for tests."""

import numpy as np
import xarray as xr
from made_windows import quiet_windows

from flarecast.cycles import seconds

START = seconds("2017-09-10")
EPOCH_2000 = seconds("2000-01-01T12:00")
MEANINGS = "good_data eclipse particle_spike saturated"
MASKS = np.array([65535, 1, 2, 4], dtype=np.uint16)
VALUES = np.array([0, 1, 2, 4], dtype=np.uint16)
FLAGGED = {"flag_meanings": MEANINGS, "flag_masks": MASKS, "flag_values": VALUES}


def goes_r(path, flux, flags=None, start=START, step=60.0, platform="g16", flag="xrsb_flag", **extra):
    """A file of GOES-R averages: channel B as given, A a tenth of it."""
    n = len(flux)
    time = start - EPOCH_2000 + step * np.arange(n)
    flags = np.zeros(n, dtype=np.uint16) if flags is None else np.array(flags, dtype=np.uint16)
    variables = {
        "time": ("time", time, {"units": "seconds since 2000-01-01 12:00:00 UTC", "_FillValue": -9999.0}),
        "xrsa_flux": ("time", np.array(flux, dtype=np.float32) / 10, {"_FillValue": np.float32(-9999)}),
        "xrsb_flux": ("time", np.array(flux, dtype=np.float32), {"_FillValue": np.float32(-9999)}),
        flag: ("time", flags, FLAGGED),
        **{name: ("time", np.array(values), attributes) for name, (values, attributes) in extra.items()},
    }
    write(path, variables, {"platform": platform})
    return path


def write(path, variables, attributes=None, engine="h5netcdf", **options):
    data = xr.Dataset({name: (dims, values) for name, (dims, values, _) in variables.items()})
    for name, (_, _, attrs) in variables.items():
        data[name].attrs = dict(attrs)
        data[name].encoding = {"_FillValue": data[name].attrs.pop("_FillValue", None)}
    data.attrs = attributes or {}
    data.to_netcdf(path, engine=engine, **options)


def live(minute, flux, energy="0.1-0.8nm", **fields):
    return {
        "time_tag": f"2023-05-29T17:{minute:02d}:00Z",
        "satellite": 16,
        "flux": flux,
        "electron_contaminaton": False,
        "energy": energy,
    } | fields


def windows(times):
    """Windows of one track, one feature, a row at each time."""
    n = len(times)
    track = np.zeros(n)
    return quiet_windows(
        (np.ones((n, 1)), times, track),
        (times, track),
        n_steps=1,
        cadence_hours=24,
        feature=["f107"],
        feature_memory_hours=[24.0],
        first_row=np.arange(n),
        n_rows=np.ones(n),
        flux_scale=np.ones(n),
        source_files=["abc 2012_DSD.txt"],
    )

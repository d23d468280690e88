"""Damaged X-ray files: minutes, or a FlarecastError; never anything else."""

import numpy as np
import pytest
import xarray as xr
from damaging import damage

from flarecast import served
from flarecast.errors import FlarecastError
from flarecast.ingest.xrs.live import read_live
from flarecast.ingest.xrs.netcdf import read_netcdf

LIVE = """{"_cached_at": "x", "data": [
{"time_tag": "2023-05-29T17:32:00Z", "satellite": 16, "flux": 4.673266928989506e-08, "observed_flux": 6.8e-08,
"electron_correction": 2.2055258952491386e-08, "electron_contaminaton": false, "energy": "0.05-0.4nm"},
{"time_tag": "2023-05-29T17:32:00Z", "satellite": 16, "flux": 1.3882091707273503e-06, "observed_flux": 1e-06,
"electron_correction": 7.162228143897664e-08, "electron_contaminaton": false, "energy": "0.1-0.8nm"},
{"time_tag": "2023-05-29T17:33:00Z", "satellite": 16, "flux": null, "energy": "0.1-0.8nm"}]}
"""
CHARACTERS = b"0123456789,:{}[]\"'.-+eE \t\n\rnulltrue\x00\xff\xc3\\"


def check(piece):
    assert piece.flux.shape == (piece.minute.size, 2)
    assert (np.diff(piece.minute) > 0).all()
    assert not np.isinf(piece.flux).any()


@pytest.mark.parametrize("n_mutants", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_json_gives_minutes_or_one_sentence(tmp_path, n_mutants):
    rng = np.random.default_rng(20230529)
    path = tmp_path / "xrays-6-hour.json"
    n_read = 0
    for _ in range(n_mutants):
        path.write_bytes(damage(LIVE, CHARACTERS, rng))
        try:
            pieces = read_live(path, served.Served())
        except FlarecastError:
            continue
        for piece in pieces:
            check(piece)
        n_read += bool(pieces)
    assert n_mutants / 20 < n_read < n_mutants


TIME = {"units": "seconds since 2000-01-01 12:00:00"}
FLAGS = {
    "flag_meanings": "good_data eclipse",
    "flag_masks": np.array([255, 1], dtype=np.int16),
    "flag_values": np.array([0, 1], dtype=np.int16),
}
N = 120


def made(path, engine="h5netcdf", changes=None):
    """A file of GOES-R averages, with some variables (dims, values, attributes) in place of its own."""
    variables = {
        "time": ("time", 5.583e8 + 60.0 * np.arange(N), TIME),
        "xrsa_flux": ("time", np.full(N, 1e-8, dtype=np.float32), {"units": "W/m2"}),
        "xrsb_flux": ("time", np.full(N, 1e-6, dtype=np.float32), {"valid_max": np.float32(0.2)}),
        "xrsb_flag": ("time", np.zeros(N, dtype=np.int16), FLAGS),
    }
    data = xr.Dataset(variables | (changes or {}), attrs={"platform": "g16"})
    data.to_netcdf(path, engine=engine)
    return path.read_bytes()


def read_or_refused(path):
    try:
        piece = read_netcdf(path)
    except FlarecastError:
        return 0
    check(piece)
    return 1


@pytest.mark.parametrize("n_mutants", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_netcdf_3_gives_minutes_or_one_sentence(tmp_path, n_mutants):
    rng = np.random.default_rng(20170910)
    path = tmp_path / "xrs.nc"
    good = made(path, "scipy")
    n_read = 0
    for number in range(n_mutants):
        content = bytearray(good)
        reach = (
            len(content) if number % 2 else min(2000, len(content))
        )  # every second one in what comes first
        for place in rng.integers(reach, size=rng.integers(1, 6)).tolist():
            content[place] = int(rng.integers(256))
        if number % 10 == 0:
            del content[int(rng.integers(len(content))) :]
        path.write_bytes(bytes(content))
        n_read += read_or_refused(path)
    assert n_mutants / 20 < n_read < n_mutants


def test_netcdf_4_cut_short_anywhere_is_one_sentence(tmp_path):
    """Only cut, as transfers are: a byte changed inside can keep the HDF5 library itself busy for ever."""
    path = tmp_path / "xrs.nc"
    good = made(path)
    for end in np.linspace(0, len(good) - 1, 200).astype(int).tolist():
        path.write_bytes(good[:end])
        assert read_or_refused(path) == 0, f"{end} of {len(good)} bytes were read"


def odd_variable(rng):
    """A variable with values, a type, a length and attributes that it should not have."""
    n = int(rng.choice([N, N, N, 0, 1, 7]))
    values = [
        np.full(n, rng.choice([np.nan, np.inf, -np.inf, 1e300, -9999.0, 0.0])),
        rng.integers(-(2**15), 2**15, n).astype(rng.choice(["i2", "i4", "u2", "f4"])),
        rng.normal(size=(n, 2)),
        np.array(["a"] * n, dtype=object),
        np.array(rng.normal()),
        5.583e8 + rng.normal(size=n) * 10 ** rng.uniform(0, 12),
    ][rng.integers(6)]
    choices = {
        "units": ["", "seconds", "seconds since 2000-13-45 99:00:00", "days since 1970-01-01", "W/m2", 7],
        "valid_min": [np.nan, 1e9, "low", np.array([1.0, 2.0])],
        "valid_max": [-1.0, np.nan, "high"],
        "missing_value": [0.0, "none", np.array([1.0, 2.0])],
        "flag_meanings": ["", "good_data", "good_data eclipse spike", 5],
        "flag_masks": [np.array([1], dtype="i2"), "1 2", np.array([255, -1])],
        "flag_values": [np.array([0, 0]), "0", np.array([np.nan, 1.0])],
    }
    names = rng.choice(list(choices), size=rng.integers(0, 4), replace=False)
    attributes = {str(name): choices[name][rng.integers(len(choices[name]))] for name in names}
    if values.ndim == 1 and rng.integers(2):
        attributes.setdefault("units", TIME["units"])
    dims = (
        ("time",)
        if values.shape == (N,)
        else tuple(f"d{place}_{size}" for place, size in enumerate(values.shape))
    )
    return dims, values, attributes


@pytest.mark.parametrize("n_mutants", [300, pytest.param(3_000, marks=pytest.mark.slow)])
def test_netcdf_4_with_odd_variables_gives_minutes_or_one_sentence(tmp_path, n_mutants):
    rng = np.random.default_rng(20170911)
    path = tmp_path / "xrs.nc"
    names = ("time", "xrsa_flux", "xrsb_flux", "xrsb_flag", "electron_correction_flag", "xrsb_flux_electrons")
    n_read = 0
    for _ in range(n_mutants):
        changed = rng.choice(names, size=rng.integers(1, 3), replace=False)
        path.unlink(missing_ok=True)
        try:
            made(path, changes={str(name): odd_variable(rng) for name in changed})
        except (ValueError, TypeError):  # xarray does not write such a file
            continue
        n_read += read_or_refused(path)
    assert n_mutants / 20 < n_read < n_mutants

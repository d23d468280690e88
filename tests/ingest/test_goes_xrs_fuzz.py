"""Damaged X-ray files: minutes, or a FlarecastError; never anything else."""

import numpy as np
import pytest
import xarray as xr

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


def mutant(content, rng):
    """A file with a few bytes changed, put in, doubled or cut, as files get damaged."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        place = int(rng.integers(len(content))) if content else 0
        kind = rng.integers(4)
        if kind == 0:
            content[place : place + 1] = bytes([int(rng.integers(256))])
        elif kind == 1:
            content[place : place + 1] = bytes([CHARACTERS[rng.integers(len(CHARACTERS))]])
        elif kind == 2:
            del content[place : place + int(rng.integers(1, 30))]
        else:
            content[place:place] = content[max(0, place - int(rng.integers(1, 60))) : place]
    if rng.integers(20) == 0:
        del content[int(rng.integers(len(content) + 1)) :]
    return bytes(content)


@pytest.mark.parametrize("n_mutants", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_json_gives_minutes_or_one_sentence(tmp_path, n_mutants):
    rng = np.random.default_rng(20230529)
    path = tmp_path / "xrays-6-hour.json"
    n_read = 0
    for _ in range(n_mutants):
        path.write_bytes(mutant(LIVE.encode(), rng))
        try:
            pieces = read_live(path, served.Served())
        except FlarecastError:
            continue
        for piece in pieces:
            check(piece)
        n_read += bool(pieces)
    assert n_mutants / 20 < n_read < n_mutants


def content_of(path, engine):
    n = 120
    time = {"units": "seconds since 2000-01-01 12:00:00"}
    flags = {
        "flag_meanings": "good_data eclipse",
        "flag_masks": np.array([255, 1], dtype=np.int16),
        "flag_values": np.array([0, 1], dtype=np.int16),
    }
    data = xr.Dataset(
        {
            "time": ("time", 5.583e8 + 60.0 * np.arange(n), time),
            "xrsa_flux": ("time", np.full(n, 1e-8, dtype=np.float32), {"units": "W/m2"}),
            "xrsb_flux": ("time", np.full(n, 1e-6, dtype=np.float32), {"valid_max": np.float32(0.2)}),
            "xrsb_flag": ("time", np.zeros(n, dtype=np.int16), flags),
        },
        attrs={"platform": "g16"},
    )
    data.to_netcdf(path, engine=engine)
    return path.read_bytes()


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
@pytest.mark.parametrize("n_mutants", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_damaged_netcdf_gives_minutes_or_one_sentence(tmp_path, engine, n_mutants):
    rng = np.random.default_rng(20170910)
    path = tmp_path / "xrs.nc"
    good = content_of(path, engine)
    n_read = 0
    for number in range(n_mutants):
        # Bytes in place and the end cut off: what transfers do. Every second one in what comes first.
        content = bytearray(good)
        reach = len(content) if number % 2 else min(3000, len(content))
        for place in rng.integers(reach, size=rng.integers(1, 6)).tolist():
            content[place] = int(rng.integers(256))
        if number % 10 == 0:
            del content[int(rng.integers(len(content))) :]
        path.write_bytes(bytes(content))
        try:
            piece = read_netcdf(path)
        except FlarecastError:
            continue
        check(piece)
        n_read += 1
    assert n_mutants / 20 < n_read < n_mutants

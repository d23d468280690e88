"""Files of GOES X-rays of every generation, their flags and scales, and minutes served."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from xrs_files import START, goes_r, live, windows, write

from flarecast import served
from flarecast.cycles import seconds
from flarecast.errors import FlarecastError
from flarecast.ingest.goes_xrs import join_goes_xrs
from flarecast.ingest.xrs.live import read_live
from flarecast.ingest.xrs.minutes import Minutes, averaged, merged
from flarecast.ingest.xrs.netcdf import find_netcdf, read_netcdf, satellite_of

DATA = Path(__file__).parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not (DATA / "goes_nc").is_dir(), reason="../shared/data is not there")


def test_samples_with_a_bad_flag_are_left_out_and_saturated_ones_stay(tmp_path):
    path = goes_r(tmp_path / "xrs.nc", [1e-6, 2e-6, 3e-6, 4e-6, -9999], flags=[0, 1, 2, 4, 0])
    read = read_netcdf(path)
    np.testing.assert_allclose(read.flux[:, 1], [1e-6, np.nan, np.nan, 4e-6, np.nan], rtol=1e-6)
    assert (read.n_samples, read.n_flagged, read.satellite) == (5, 2, 16)


def test_a_flag_without_meanings_is_bad_where_it_is_not_zero(tmp_path):
    path = tmp_path / "xrs.nc"
    goes_r(path, [1e-6] * 3, odd_flag=([0, 0, 0], {}))
    data = xr.load_dataset(path, engine="h5netcdf", decode_cf=False)
    data["xrsb_flag"] = ("time", np.array([0, 16, 0], dtype=np.uint16))
    path.unlink()
    data.to_netcdf(path, engine="h5netcdf")
    assert np.isnan(read_netcdf(path).flux[:, 1]).tolist() == [False, True, False]


def test_electrons_are_left_out_by_flag_and_by_the_files_own_estimate(tmp_path):
    correction = {
        "flag_meanings": "no_correction correction_valid electron_contamination",
        "flag_masks": np.array([255, 1, 2], dtype=np.uint16),
        "flag_values": np.array([0, 1, 2], dtype=np.uint16),
    }
    path = goes_r(
        tmp_path / "xrs.nc",
        [1e-6] * 4,
        electron_correction_flag=(np.array([0, 1, 2, 1], dtype=np.uint16), correction),
        xrsb_flux_observed=(np.full(4, 2e-6), {}),
        xrsb_flux_electrons=(np.array([0, 1e-7, 1e-7, 1.5e-6]), {}),
    )
    read = read_netcdf(path)
    assert np.isnan(read.flux[:, 1]).tolist() == [False, False, True, True]
    assert read.n_contaminated == 2


def test_files_as_operated_are_brought_to_the_true_scale(tmp_path):
    time = (
        "t",
        (START + 60 * np.arange(3)) * 1000.0,
        {"units": "milliseconds since 1970-01-01 00:00:00.0 UTC"},
    )
    for names in (("A_AVG", "B_AVG"), ("A_FLUX", "B_FLUX")):
        path = tmp_path / f"g15_xrs_{names[1]}_20170910_20170930.nc"
        variables = {
            "time_tag": time,
            names[0]: ("t", np.array([0.85e-7, -99999, 0.85e-7], dtype=np.float32), {}),
            names[1]: ("t", np.array([0.7e-6, 0.7e-6, 0.7e-6], dtype=np.float32), {}),
            "B_QUAL_FLAG": ("t", np.array([0, 0, 1], dtype=np.int32), {}),
        }
        write(path, variables, engine="scipy", format="NETCDF3_CLASSIC")
        read = read_netcdf(path)
        assert (read.satellite, read.scale, read.minute[0]) == (15, "operational", START // 60)
        np.testing.assert_allclose(read.flux, [[1e-7, 1e-6], [np.nan, 1e-6], [1e-7, np.nan]], rtol=1e-6)


@pytest.mark.parametrize(
    ("platform", "name", "number"),
    [
        ("g16", "x.nc", 16),
        ("GOES-8", "x.nc", 8),
        (" ", "sci_gxrs-l2-irrad_g15_d20170910_v0-0-0.nc", 15),
        ("", "goes_13_leap_second.nc", 13),
        ("", "g15_xrs_1m_20150601_20150630.nc", 15),
        ("", "dn_xrsf-l2-avg1m_g18_d20250101_v2-2-0.nc", 18),
        ("", "xrs.nc", 0),
    ],
)
def test_the_satellite_is_told_by_the_file_or_its_name(platform, name, number):
    assert satellite_of({"platform": platform}, name) == number


def test_a_file_whose_clock_is_wrong_by_a_year_is_refused(tmp_path):
    for name, start in (("a_xrs_g16_d20170910_v1.nc", "2016-09-10"), ("xrs_g16_y2017_v1.nc", "2018-03-01")):
        path = goes_r(tmp_path / name, [1e-6] * 5, start=seconds(start))
        with pytest.raises(FlarecastError, match=r"expected times of 2017.* as its name says, got 201[68]-"):
            read_netcdf(path)


def test_what_is_no_x_ray_file_is_refused_in_one_sentence(tmp_path):
    good = goes_r(tmp_path / "xrs.nc", [1e-6] * 100).read_bytes()
    bad = {
        "page.nc": (b"<!DOCTYPE html>", "got a web page"),
        "half.nc": (good[: len(good) // 2], "cannot be read"),
        "text.nc": (b"time,flux\n", "cannot be read"),
        "empty.nc": (b"", "cannot be read"),
        "netcdf3.nc": (b"CDF\x01\x00\x00", "cannot be read"),
    }
    for name, (content, sentence) in bad.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FlarecastError, match=sentence) as caught:
            read_netcdf(tmp_path / name)
        assert name in str(caught.value)
    write(tmp_path / "other.nc", {"flux": ("x", np.zeros(3), {})})
    with pytest.raises(FlarecastError, match=r"expected variables time, xrsa_flux, xrsb_flux; .*got x, flux"):
        read_netcdf(tmp_path / "other.nc")
    with pytest.raises(FlarecastError, match="cannot be read"):
        read_netcdf(tmp_path / "none.nc")


def test_files_are_found_by_name_and_other_products_are_passed_over(tmp_path):
    for name in (
        "sci_xrsf-l2-avg1m_g16_y2017.nc",
        "dn_xrsf-l2-flsum_g16_d20171010.nc",
        "windows.nc",
        "goes.nc",
    ):
        (tmp_path / name).touch()
    assert [path.name for path in find_netcdf(tmp_path)] == ["goes.nc", "sci_xrsf-l2-avg1m_g16_y2017.nc"]


def test_seconds_are_averaged_to_minutes():
    time = np.array([0.3, 59.9, 60.0, 125.0])
    minute, flux = averaged(time, np.array([[1.0], [3.0], [np.nan], [5.0]]))
    assert minute.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(flux[:, 0], [2, np.nan, 5])


def test_of_several_satellites_the_one_preferred_counts_and_others_fill_its_gaps():
    def piece(satellite, values, archived=True):
        flux = np.array([values, values], dtype=np.float32).T
        return Minutes(np.arange(len(values)), flux, satellite, archived)

    nan = np.nan
    pieces = [
        piece(15, [1, 1, 1, nan]),
        piece(16, [2, nan, 2, nan]),
        piece(16, [3, 3, nan, 3], archived=False),
    ]
    series, used = merged(pieces, 0, 5, ())
    np.testing.assert_array_equal(series[:, 1], [2, 3, 2, 3, nan])
    assert used == {16: 4}
    series, used = merged(pieces, 0, 5, (15,))
    np.testing.assert_array_equal(series[:, 1], [1, 1, 1, 3, nan])
    assert used == {15: 3, 16: 1}


def test_served_minutes_are_read_and_contaminated_ones_are_left_out(tmp_path):
    records = [
        live(1, 1e-6),
        live(1, 1e-8, "0.05-0.4nm"),
        live(2, 5e-6, electron_contaminaton=True),
        live(3, None),
        live(4, 1e-6, "XUV"),
        live(5, 1e-6, time_tag=None),
        live(6, "much"),
        live(7, 1e-6, time_tag="2022-05-29T17:07:00Z"),
    ]
    path = tmp_path / "xrays-6-hour.json"
    path.write_text(json.dumps({"_cached_at": 1, "data": records}))
    tally = served.Served()
    (piece,) = read_live(path, tally)
    np.testing.assert_allclose(piece.flux, [[1e-8, 1e-6], [np.nan, np.nan]], rtol=1e-6)
    assert (piece.satellite, piece.n_contaminated, piece.archived) == (16, 1, False)
    assert tally.reasons() == "a time far from the others of its file 1, no channel 1, no flux 2, no time 1"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("<html>", "got a web page"),
        ('[{"time_tag": "2023', "got half of it"),
        ('[{"time_tag": null, "flux": 1, "energy": "0.1-0.8nm"}]', "expected a time_tag"),
    ],
)
def test_a_bad_served_file_is_one_sentence(tmp_path, content, sentence):
    (tmp_path / "xrays.json").write_text(content)
    with pytest.raises(FlarecastError, match=sentence):
        join_goes_xrs(windows([START]), tmp_path)


def test_an_empty_served_file_is_of_no_time(tmp_path):
    (tmp_path / "xrays.json").write_text("[]")
    with pytest.raises(FlarecastError, match="got files of other times"):
        join_goes_xrs(windows([START]), tmp_path)


@needs_data
def test_real_files_of_both_generations_are_read():
    found = {path.name: read_netcdf(path) for path in find_netcdf(DATA / "goes_nc")}
    satellites = {piece.satellite: piece for piece in found.values()}
    assert sorted(satellites) == [13, 15, 16]
    assert {number: piece.n_samples for number, piece in satellites.items()} == {13: 100, 15: 3517, 16: 7200}
    assert {number: piece.n_flagged for number, piece in satellites.items()} == {13: 0, 15: 0, 16: 146}
    assert int(satellites[13].minute[0]) * 60 == seconds("2015-06-30T23:56")
    assert int(satellites[16].minute[0]) * 60 == seconds("2017-09-10T15:30")


@needs_data
def test_the_x8_flare_of_2017_has_the_true_flux_in_both_generations():
    """Operational X8.2 of GOES-15 on 2017-09-10 at 16:06 is 8.2e-4 / 0.7 = 1.17e-3 W m-2 in truth."""
    peaks = {}
    for path in find_netcdf(DATA / "goes_nc"):
        piece = read_netcdf(path)
        if piece.satellite > 13:
            place = int(np.nanargmax(piece.flux[:, 1]))
            peaks[piece.satellite] = float(piece.flux[place, 1])
            assert int(piece.minute[place]) * 60 == seconds("2017-09-10T16:06")
    assert peaks[15] == pytest.approx(8.2e-4 / 0.7, rel=0.03)
    assert peaks[16] == pytest.approx(peaks[15], rel=0.1)


@needs_data
def test_served_x_rays_of_2023_are_read_whole():
    tally = served.Served()
    (piece,) = read_live(DATA / "swpc_json/xrays-6-hour_20230529.json", tally)
    assert (tally.n_records, tally.reasons(), piece.minute.size, piece.satellite) == (716, "", 358, 16)
    assert piece.flux[0].tolist() == pytest.approx([4.673266928989506e-08, 1.3882091707273503e-06])

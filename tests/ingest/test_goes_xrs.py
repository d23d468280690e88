"""GOES X-rays as context: files of every generation, flags, and features that know nothing of the future."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from made_windows import quiet_windows

from flarecast import schema, served
from flarecast.chain import check_parts, run_ingest
from flarecast.cli import main
from flarecast.config import parse_config
from flarecast.cycles import seconds
from flarecast.errors import FlarecastError
from flarecast.ingest.goes_xrs import join_goes_xrs
from flarecast.ingest.xrs.features import LOWEST, xrs_features
from flarecast.ingest.xrs.live import read_live
from flarecast.ingest.xrs.minutes import Minutes, averaged, merged
from flarecast.ingest.xrs.netcdf import find_netcdf, read_netcdf, satellite_of
from flarecast.windows import open_windows

DATA = Path(__file__).parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not (DATA / "goes_nc").is_dir(), reason="../shared/data is not there")

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


def column(joined, name):
    return joined["values"].values[:, joined["feature"].values.tolist().index(name)]


# --- features


def features(flux, time, latency=0.0, first=0):
    series = np.stack([np.asarray(flux) / 10, np.asarray(flux)], axis=1).astype(np.float32)
    return xrs_features(series, first, np.asarray(time), latency)


def brute(flux, stop):
    """The features of channel B by their definitions, for one row that knows the minutes before `stop`."""
    flux = np.asarray(flux, dtype=np.float64)

    def recent(length):
        values = flux[max(stop - length, 0) : stop]
        return values[~np.isnan(values)] if (~np.isnan(values)).sum() >= 0.25 * length else np.array([np.nan])

    latest = flux[max(stop - 60, 0) : stop]
    latest = latest[~np.isnan(latest)]
    medians = []
    for hour in range(max(stop // 60 - 24, 0), stop // 60):
        values = flux[60 * hour : 60 * hour + 60]
        if (~np.isnan(values)).sum() >= 30:
            medians.append(np.nanmedian(values))
    return {
        "latest": latest[-1] if latest.size else np.nan,
        "background_24h": min(medians) if len(medians) >= 6 else np.nan,
        "mean_24h": recent(1440).mean(),
        **{f"peak_{name}": recent(n).max() for name, n in (("1h", 60), ("6h", 360), ("24h", 1440))},
    }


def test_features_are_what_their_definitions_say():
    rng = np.random.default_rng(5)
    flux = 10 ** rng.uniform(-7, -4, 3 * 1440)
    flux[rng.random(flux.size) < 0.5] = np.nan
    flux[2000:2600] = np.nan
    stops = np.r_[0, 1, 59, 60, 61, 360, rng.integers(0, flux.size + 1, 60), flux.size]
    found = features(flux, stops * 60 + rng.integers(0, 60, stops.size))
    for place, stop in enumerate(stops.tolist()):
        for name, value in brute(flux.astype(np.float32), stop).items():
            np.testing.assert_allclose(
                found[f"log10_xrsb_{name}"][0][place], np.log10(value), rtol=1e-6, err_msg=f"{name} at {stop}"
            )


def test_channel_a_has_the_same_features_of_its_own_flux():
    found = features(np.full(3000, 1e-6), [3000 * 60])
    for name in ("latest", "background_24h", "peak_1h", "peak_6h", "peak_24h", "mean_24h"):
        np.testing.assert_allclose(found[f"log10_xrsa_{name}"][0], -7, rtol=1e-6)
        np.testing.assert_allclose(found[f"log10_xrsb_{name}"][0], -6, rtol=1e-6)
    assert len(found) == 12


def test_a_minute_counts_once_it_is_over_and_the_latency_has_passed():
    flux = np.full(1500, 1e-7)
    flux[1400] = 1e-4  # from 84,000 to 84,060 s
    for latency, known in ((0.0, 84_060), (5.0, 84_360), (0.5, 84_090)):
        found = features(flux, [known - 1, known], latency)["log10_xrsb_peak_24h"][0]
        np.testing.assert_allclose(found, [-7, -4], rtol=1e-6)


def test_less_flux_than_the_noise_counts_as_noise():
    for value in (-1e-8, 0.0, 1e-12):
        found = features(np.full(1500, value), [1500 * 60])
        np.testing.assert_allclose(found["log10_xrsb_latest"][0], np.log10(LOWEST[1]), rtol=1e-6)


@pytest.mark.parametrize("latency", [0.0, 5.0, 37.5])
def test_no_feature_of_a_row_reads_what_is_later_or_older_than_its_memory(latency):
    rng = np.random.default_rng(3)
    first, row_time = 0, 3 * 86_400 + 1234
    flux = 10 ** rng.uniform(-7, -4, 5 * 1440)
    before = features(flux, [row_time], latency, first)
    changed = flux.copy()
    changed[row_time // 60 - int(latency) :] = 1e-3
    after = features(changed, [row_time], latency, first)
    for name, (values, _, _) in before.items():
        np.testing.assert_array_equal(values, after[name][0], err_msg=name)
    for name, (values, _, memory) in before.items():
        older = flux.copy()
        older[: int((row_time - memory * 3600) // 60)] = 1e-9
        np.testing.assert_array_equal(
            values, features(older, [row_time], latency, first)[name][0], err_msg=name
        )


def test_changing_x_rays_after_a_rows_time_changes_no_value_of_that_row(tmp_path):
    rng = np.random.default_rng(8)
    flux = 10 ** rng.uniform(-7, -4, 3 * 1440)
    rows = START + np.array([12 * 3600, 86_400, 86_400 + 43_000, 2 * 86_400])
    joined = join_goes_xrs(windows(rows), goes_r(tmp_path / "xrs.nc", flux).parent)
    changed = flux.copy()
    changed[(rows[2] - START) // 60 - 5 :] = 5e-4  # the last minute known at row 2 is six minutes before
    again = join_goes_xrs(windows(rows), goes_r(tmp_path / "xrs.nc", changed).parent)
    np.testing.assert_array_equal(joined["values"].values[:3], again["values"].values[:3])
    assert (joined["values"].values[3] != again["values"].values[3]).sum() > 6


# --- joining


def test_joined_windows_name_their_context_memory_latency_scale_and_files(tmp_path):
    rows = START + 86_400 * np.arange(1, 3)
    path = goes_r(tmp_path / "sci_xrsf-l2-avg1m_g16_y2017_v2-1-0.nc", np.full(2 * 1440, 1e-6))
    joined = join_goes_xrs(windows(rows), tmp_path, latency_minutes=3)
    schema.check(joined, schema.WINDOWS)
    context = joined.attrs["context_features"].split("\n")
    assert joined["feature"].values.tolist() == ["f107", *context]
    assert len(context) == 12
    memory = dict(zip(joined["feature"].values, joined["feature_memory_hours"].values, strict=True))
    assert memory["f107"] == 24
    assert memory["log10_xrsb_peak_6h"] == pytest.approx(6 + 4 / 60)
    assert memory["log10_xrsb_background_24h"] == pytest.approx(25 + 4 / 60)
    assert joined.attrs["goes_xrs_latency_minutes"] == 3
    assert joined.attrs["goes_xrs_scale"] == "true"
    assert joined.attrs["source_files"].split("\n")[1].endswith(path.name)
    assert joined.attrs["history"] == "made for a test; context goes-xrs: 1 files"
    assert "GOES-16 2,880 minutes" in joined.attrs["goes_xrs"]
    assert "2 of 2 rows have a background" in joined.attrs["goes_xrs"]
    np.testing.assert_allclose(column(joined, "log10_xrsb_background_24h"), -6, rtol=1e-6)
    assert (joined["values"].values[:, 0] == 1).all()


def test_rows_without_x_rays_have_no_value(tmp_path):
    goes_r(tmp_path / "xrs.nc", np.full(1440, 1e-6))
    joined = join_goes_xrs(windows(START + 86_400 * np.arange(1, 5)), tmp_path)
    known = ~np.isnan(column(joined, "log10_xrsb_peak_24h"))
    assert known.tolist() == [True, False, False, False]


def test_the_context_joins_any_source_by_the_config(tmp_path):
    lines = [f"2017 09 {day:02d}  130  61  810  0  -999  B4.4  2 0 0  2 0 0 0" for day in range(1, 13)]
    (tmp_path / "2017_DSD.txt").write_text("\n".join(lines) + "\n")
    goes_r(tmp_path / "xrs.nc", np.full(2 * 1440, 1e-6))
    content = {
        "ingest": {
            "source": "noaa-disk",
            "options": {"history_days": 3},
            "context": ["goes-xrs"],
            "context_options": {"goes-xrs": {"latency_minutes": 10}},
        }
    }
    config = parse_config(content)
    check_parts(config)
    run_ingest(config, tmp_path, tmp_path / "out.nc")
    joined = open_windows(tmp_path / "out.nc")
    assert joined.attrs["goes_xrs_latency_minutes"] == 10
    day = np.flatnonzero(joined["time"].values == seconds("2017-09-11"))[0]
    assert column(joined, "log10_xrsb_peak_24h")[day] == pytest.approx(-6)


def test_the_command_joins_a_context_and_says_what_it_is_made_of(tmp_path):
    lines = [f"2017 09 {day:02d}  130  61  810  0  -999  B4.4  2 0 0  2 0 0 0" for day in range(1, 13)]
    (tmp_path / "2017_DSD.txt").write_text("\n".join(lines) + "\n")
    goes_r(tmp_path / "xrs.nc", np.full(2 * 1440, 1e-6))
    arguments = ["ingest", "noaa-disk", str(tmp_path), "--set", 'ingest.context=["goes-xrs"]']
    arguments += ["--set", "ingest.options.history_days=3", "-o", str(tmp_path / "out.nc")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "goes_xrs: GOES-16 2,880 minutes" in result.output


@pytest.mark.parametrize(
    ("ingest", "sentence"),
    [
        ({"context": ["goes"]}, "ingest.context: expected one of goes-xrs, got 'goes'"),
        ({"context_options": {"goes-xrs": {}}}, "expected contexts named in context, got goes-xrs"),
        (
            {"context": ["goes-xrs"], "context_options": {"goes-xrs": {"lag": 1}}},
            "unknown key lag; known here: folder, latency_minutes, satellites",
        ),
    ],
)
def test_a_wrong_context_is_told_before_any_stage_starts(ingest, sentence):
    with pytest.raises(FlarecastError, match=sentence):
        check_parts(parse_config({"ingest": ingest}))


def test_a_context_without_raw_files_or_of_other_times_is_one_sentence(tmp_path):
    rows = windows(START + 86_400 * np.arange(1, 3))
    with pytest.raises(FlarecastError, match="expected a folder with GOES X-rays, got none; name it as RAW"):
        join_goes_xrs(rows, None)
    with pytest.raises(FlarecastError, match="expected GOES X-rays named like"):
        join_goes_xrs(rows, tmp_path)
    with pytest.raises(FlarecastError, match="expected a folder with GOES X-rays, found none"):
        join_goes_xrs(rows, tmp_path, folder="goes")
    with pytest.raises(FlarecastError, match="latency_minutes: expected 0 to 10080, got -1"):
        join_goes_xrs(rows, tmp_path, latency_minutes=-1)
    goes_r(tmp_path / "xrs.nc", np.full(10, 1e-6), start=START + 400 * 86_400)
    with pytest.raises(FlarecastError, match="got files of other times"):
        join_goes_xrs(rows, tmp_path)


def test_a_context_is_not_joined_twice(tmp_path):
    goes_r(tmp_path / "xrs.nc", np.full(1440, 1e-6))
    joined = join_goes_xrs(windows(START + 86_400 * np.arange(1, 3)), tmp_path)
    with pytest.raises(FlarecastError, match=r"log10_xrsa_background_24h.* a second time"):
        join_goes_xrs(joined, tmp_path)


# --- files


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


# --- live


def live(minute, flux, energy="0.1-0.8nm", **fields):
    return {
        "time_tag": f"2023-05-29T17:{minute:02d}:00Z",
        "satellite": 16,
        "flux": flux,
        "electron_contaminaton": False,
        "energy": energy,
    } | fields


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


def test_served_minutes_join_like_archived_ones(tmp_path):
    records = [live(minute, 1e-5) for minute in range(60)]
    (tmp_path / "xrays-1-day.json").write_text(json.dumps(records))
    joined = join_goes_xrs(windows([seconds("2023-05-29T18:10")]), tmp_path)
    assert column(joined, "log10_xrsb_peak_1h") == pytest.approx(-5)
    assert "GOES-16 60 minutes" in joined.attrs["goes_xrs"]


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


# --- real files


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

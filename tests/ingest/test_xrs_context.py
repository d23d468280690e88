"""GOES X-rays as context: features that know nothing of the future, joined to windows."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from xrs_files import START, goes_r, live, windows

from flarecast import schema
from flarecast.chain import check_parts, run_ingest
from flarecast.cli import main
from flarecast.config import parse_config
from flarecast.cycles import seconds
from flarecast.errors import FlarecastError
from flarecast.ingest.goes_xrs import join_goes_xrs
from flarecast.ingest.xrs.features import LOWEST, xrs_features
from flarecast.windows import open_windows


def column(joined, name):
    return joined["values"].values[:, joined["feature"].values.tolist().index(name)]


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


def test_served_minutes_join_like_archived_ones(tmp_path):
    records = [live(minute, 1e-5) for minute in range(60)]
    (tmp_path / "xrays-1-day.json").write_text(json.dumps(records))
    joined = join_goes_xrs(windows([seconds("2023-05-29T18:10")]), tmp_path)
    assert column(joined, "log10_xrsb_peak_1h") == pytest.approx(-5)
    assert "GOES-16 60 minutes" in joined.attrs["goes_xrs"]

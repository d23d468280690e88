"""The presets of configs/sources read the published tables they are for, to the last count."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from flarecast import goes
from flarecast.cycles import iso
from flarecast.ingest.table import ingest_table
from flarecast.schema import NO_TIME
from flarecast.windows import gather

DATA = Path(__file__).parents[2] / "../shared/data"
PRESETS = Path(__file__).parents[2] / "configs/sources"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")


def read(preset, path, **options):
    """Windows of a real file by a preset."""
    mapping = str(PRESETS / f"{preset}.toml")
    return ingest_table(DATA / path, np.random.default_rng(0), mapping=mapping, **options)


def letters(windows):
    """Windows by the letter of their class, N = quiet."""
    names = ["N" if low == 0 else goes.format_class(low)[0] for low in windows["peak_flux"].values]
    return {name: names.count(name) for name in sorted(set(names))}


def n_regions(windows):
    return len(set(windows["region"].values))


def skipped(windows):
    return windows.attrs["skipped"]


def test_ar_days_are_read_with_their_flares():
    windows = read("ar_days", "ar_days")

    assert windows.sizes["window"] == windows.sizes["row"] == 25_857
    assert skipped(windows) == ""
    assert [int((goes.events(windows, f"{letter}1.0") == 1).sum()) for letter in "CMX"] == [4620, 944, 100]
    assert not (goes.events(windows, "C1.0") < 0).any()
    assert windows.attrs["sampling"] == "natural"
    table = pd.read_csv(DATA / "ar_days/AR_flare_ml_23_24_evol.csv", index_col=0)
    assert n_regions(windows) == table["noaa_ar"].nunique()
    assert iso(windows["issue_time"].values.min()) == "1996-08-01T00:00:00Z"
    assert iso(windows["issue_time"].values.max()) == "2012-12-31T00:00:00Z"
    now = gather(windows, features=["area", "mcintosh_z", "mcintosh_p", "mcintosh_c", "mount_wilson"])[:, -1]
    assert_allclose(np.sort(now[:, 0]), np.sort(table["AREA"].to_numpy(dtype=np.float32)))
    assert not np.isnan(now).any()
    assert np.isnan(windows["values"].values).sum() == 2 * table["pre_area"].isna().sum() == 2 * 4082


def test_the_day_before_of_ar_days_is_the_last_row_but_one():
    windows = read("ar_days", "ar_days")
    steps = gather(windows, features=["area", "area_day_before"])
    before, said = steps[:, -2, 0], steps[:, -1, 1]
    assert_array_equal(before, said)


@pytest.mark.parametrize(
    ("preset", "name", "n_repeated", "counts"),
    [
        ("sharp_hed", "SHARP parameters.csv", 124, {"C": 109, "M": 49, "X": 10}),
        ("sharp_hed_area", "HED parameters.csv", 210, {"C": 107, "M": 48, "X": 10}),
    ],
)
def test_sharp_hed_has_a_window_of_40_rows_for_every_region(preset, name, n_repeated, counts):
    windows = read(preset, "sharp_hed")

    assert letters(windows) == counts
    assert windows.sizes["window"] == n_regions(windows) == sum(counts.values())
    assert windows.attrs["n_value_lines"] == 40 * sum(counts.values())
    assert windows.attrs["n_repeated_rows"] == n_repeated
    assert windows.attrs["n_conflicting_rows"] == 0
    assert skipped(windows) == ""
    assert windows.attrs["sampling"] == "case-control"
    table = pd.read_csv(DATA / "sharp_hed" / name)
    last = table.groupby("AR").last().iloc[:, 2:]
    regions = [f"NOAA {number}" for number in last.index]
    order = [windows["region"].values.tolist().index(region) for region in regions]
    assert_allclose(gather(windows)[order, -1], last.to_numpy(dtype=np.float32), rtol=1e-6)


def test_sharp_blocks_are_541_sequences_with_six_broken_rows():
    windows = read("sharp_blocks", "sharp_blocks/blocks_raw.csv")

    assert windows.sizes["window"] == 541
    assert letters(windows) == {"C": 216, "M": 63, "N": 250, "X": 12}
    assert windows.attrs["n_value_lines"] == 541 * 40
    assert skipped(windows) == "no number 1, other region in a block 5"
    assert "line 9881: R_VALUE: expected a number, got '2.939.1'" in windows.attrs["first_skipped"]
    assert (windows["region"].values == "NOAA unknown").sum() == 3
    table = pd.read_csv(DATA / "sharp_blocks/blocks_raw.csv", header=None)
    last = table[39::40]
    whole = windows["n_rows"].values == 40
    seen = {float(value) for value in gather(windows, features=["USFLUX"])[whole, -1, 0]}
    assert seen <= {float(np.float32(value)) for value in last[9]}
    # T_REC is TAI; 34 s ahead of UTC before July 2012.
    assert iso(windows["time"].values[0]) == "2010-05-03T00:11:26Z"


def test_sharp_timepoints_are_24_hourly_rows_before_an_event():
    windows = read("sharp_timepoints", "sharp_timepoints")

    # 1 163 events; six C flares are in the file twice and stored once.
    assert letters(windows) == {"B": 400, "C": 109, "M": 333, "N": 288, "X": 27}
    assert windows.attrs["n_repeated_rows"] == 6 * 24
    assert windows.attrs["n_value_lines"] == 1163 * 24
    assert skipped(windows) == ""
    assert (windows["n_rows"].values == 24).all()
    assert windows.attrs["sampling"] == "case-control"
    flared = windows["peak_flux"].values > 0
    start, issue = windows["flare_start"].values, windows["issue_time"].values
    assert_array_equal(start[flared] - issue[flared], 3600)
    assert (windows["flare_peak"].values[~flared] == NO_TIME).all()
    hour = pd.read_csv(DATA / "sharp_timepoints/singh_nbcmx_data_1h_timepoint.csv", index_col=0)
    now = gather(windows, features=["USFLUX"])[:, -1, 0]
    assert set(now.tolist()) == set(hour["USFLUX"].to_numpy(dtype=np.float32).tolist())


@pytest.mark.parametrize(
    ("hours", "lead", "n", "counts"),
    [
        (12, 0.0, 5328, {"B": 1759, "C": 3191, "M": 349, "X": 29}),
        # one row is in the file twice
        (24, 12.0, 5148, {"B": 1685, "C": 3101, "M": 339, "X": 23}),
    ],
)
def test_sharp_flares_are_one_row_a_flare(hours, lead, n, counts):
    windows = read("sharp_flares", f"sharp_flares/arflares{hours}h.csv", window={"lead_hours": lead})

    assert windows.sizes["window"] == n
    assert letters(windows) == counts
    assert skipped(windows) == ""
    assert windows.attrs["n_value_lines"] - windows.attrs["n_repeated_rows"] == n
    assert windows.attrs["sampling"] == "case-control"
    assert (windows["valid_from"].values - windows["issue_time"].values == lead * 3600).all()
    assert np.abs(windows["longitude"].values).max() < 91


def test_the_daily_trap_gives_its_label_away_by_the_hour():
    windows = read("sharp_daily_trap", "sharp_daily_trap")

    assert windows.sizes["window"] == 4594
    occurred = goes.events(windows, "M1.0")
    assert [int((occurred == value).sum()) for value in (1, 0, -1)] == [174, 4420, 0]
    assert skipped(windows) == ""
    late = (windows["time"].values + 34) % 86_400 // 3600 == 23
    assert late[occurred == 0].mean() > 0.9
    assert late[occurred == 1].mean() < 0.3


def test_swan_sf_features_are_one_row_an_instance():
    windows = read("swan_sf_features", "swan_sf")

    assert letters(windows) == {"B": 10, "C": 224, "M": 58, "N": 1723, "X": 15}
    assert n_regions(windows) == 173
    assert all(str(region).startswith("HARP ") for region in windows["region"].values)
    assert skipped(windows) == ""
    values = windows["values"].values
    assert np.isfinite(values).all()
    column = windows["feature"].values.tolist().index
    spread, variance = (values[:, column(f"TOTPOT_{name}")].astype(np.float64) for name in ("stddev", "var"))
    assert_allclose(variance * 1e44, spread**2, rtol=1e-5)
    assert iso(windows["issue_time"].values.min())[:10] == "2013-10-08"


def test_liu_2019_rows_are_hourly_and_their_labels_agree():
    windows = read("liu_2019", "scored/lstm_demo")

    assert windows.sizes["window"] == 185
    assert int((goes.events(windows, "C1.0") == 1).sum()) == 84
    assert windows.sizes["feature"] == 14
    assert set(windows["region"].values) == {"HARP 6972"}
    assert set(windows["noaa_regions"].values) == {"12644"}
    assert skipped(windows) == ""
    step = np.diff(windows["time"].values)
    # Fractions of a second do not show; two rows lie off the hour.
    assert ((step % 3600) != 0).sum() <= 2
    assert (gather(windows, features=["USFLUX"])[-1, :, 0] > -9).sum() >= 8
    assert read("liu_2019", "scored/lstm_demo/C_output.csv").drop_attrs().equals(windows.drop_attrs())

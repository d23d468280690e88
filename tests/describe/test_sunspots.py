"""Monthly sunspot numbers: of SILSO's files, or of windows that have them, with whose they are."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from flarecast import cycles
from flarecast.describe import plot, plot_split
from flarecast.describe.sunspots import find_sunspots, read_sunspots
from flarecast.errors import FlarecastError
from flarecast.ingest.noaa_disk import ingest_noaa_disk
from flarecast.schema import WINDOWS, save
from flarecast.split import make_split

SILSO = Path(__file__).parents[2] / "../shared/data/silso"
MONTH = "2012;03;2012.1;  80; 1.0;  9;1\n"


@pytest.fixture
def days(windows):
    """Windows whose rows are the ends of the days of March and April 2012, the number that of the month."""
    time = cycles.seconds("2012-03-02") + 86_400 * np.arange(61)
    number = np.where(time <= cycles.seconds("2012-04-01"), 70.0, 100.0)
    number[3], number[40] = np.nan, 160.0
    rows = windows.isel(row=np.arange(61))
    values = np.stack([np.zeros(61), number, np.zeros(61)], axis=1).astype(np.float32)
    found = rows.assign(time=("row", time), values=(("row", "feature"), values))
    found = found.assign_coords(feature=np.array(["a", "sunspot_number", "b"], dtype=object))
    return found.assign_attrs(source="noaa-disk")


def test_sunspots_are_monthly_means_without_the_missing(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text(
        "2012;03;01;2012.1;  80; 1.0;  9;1\n2012;03;02;2012.1; 100; 1.0;  9;1\n2012;04;01;2012.2; -1;-1;0;1"
    )
    sunspots = read_sunspots(path)
    assert_array_equal(sunspots.month, [cycles.seconds("2012-03-15")])
    assert_array_equal(sunspots.number, [90])
    for text in (
        "2012;13;2012.1;80;1;9;1",
        "2012;03;2012.1;nan;1;9;1",
        "x",
        "2012;03;2012.1;9000;1;9;1",
        "\xe9",
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(FlarecastError, match=r"sunspot|expected year"):
            read_sunspots(path)
    path.write_text("")
    with pytest.raises(FlarecastError, match="got none"):
        read_sunspots(path)


@pytest.mark.skipif(not SILSO.is_dir(), reason="../shared/data/silso is not there")
def test_the_daily_and_the_monthly_sunspot_numbers_agree():
    both = (read_sunspots(SILSO / f"SN_{way}_tot_V2.0.csv") for way in "dm")
    daily, monthly = (dict(zip(one.month, one.number, strict=True)) for one in both)
    recent = [month for month in daily if cycles.seconds("1996-01") < month < cycles.seconds("2020-01")]
    assert len(recent) == 288
    assert max(abs(daily[month] - monthly[month]) for month in recent) < 0.1


def test_windows_give_their_own_number_a_month_and_say_whose_it_is(days):
    found = find_sunspots(None, days)
    assert_array_equal(found.month, [cycles.seconds("2012-03-15"), cycles.seconds("2012-04-15")])
    assert_allclose(found.number, [70, 102])
    assert found.credit == "Sunspot number: NOAA SWPC, daily solar data"


def test_a_day_that_several_tracks_have_counts_once(days):
    time = days["time"].values.copy()
    time[1:30] = time[0]
    assert find_sunspots(None, days.assign(time=("row", time))).number[0] == 70


def test_a_file_that_is_named_goes_before_the_windows(days, tmp_path):
    (tmp_path / "m.csv").write_text(MONTH)
    assert "SILSO" in find_sunspots(tmp_path / "m.csv", days).credit


def test_windows_without_a_number_draw_none(days, windows):
    assert find_sunspots(None, windows) is None
    assert find_sunspots(None, None) is None
    assert find_sunspots(None, days.assign(values=days["values"] * np.nan)) is None


def test_pictures_of_the_daily_record_draw_its_own_number(tmp_path):
    first = np.datetime64("2012-01-01")
    dates = [str(first + day).replace("-", " ") for day in range(90)]
    lines = [
        f"{day}  100  61  200  0  -999  B4.4  3  {nth % 3 == 0:d}  0  2  0  0  0"
        for nth, day in enumerate(dates)
    ]
    (tmp_path / "2012_DSD.txt").write_text("\n".join(["# Date", *lines]) + "\n")
    disk = ingest_noaa_disk(tmp_path, np.random.default_rng(0), history_days=5)
    save(disk, tmp_path / "disk.nc", WINDOWS)
    plot(tmp_path / "disk.nc", tmp_path / "classes.svg")
    split = make_split(disk, "random_windows", np.random.default_rng(0))
    plot_split(disk, split, tmp_path / "split.svg")
    for name in ("classes.svg", "split.svg"):
        drawn = (tmp_path / name).read_text(encoding="utf-8")
        assert "NOAA SWPC" in drawn
        assert "SILSO" not in drawn

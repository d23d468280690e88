"""The audit on other people's data: the traps are found, splits by region pass."""

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from flarecast import cycles, schema
from flarecast.audit import audit, audit_tables, read_tables
from flarecast.cli import main
from flarecast.ingest.noaa_regions import ingest_noaa_regions
from flarecast.ingest.swan_sf import ingest_swan_sf
from flarecast.ingest.table import ingest_table
from flarecast.split import make_split

DATA = Path(__file__).parents[2] / "../shared/data"
PRESETS = Path(__file__).parents[2] / "configs/sources"
EVENTS = ("C1.0", "M1.0", "X1.0")

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")


def an_hour_later(match):
    return f"{np.datetime64(match[0]) + np.timedelta64(1, 'h')}".replace("T", " ")


def read(preset, path):
    mapping = str(PRESETS / f"{preset}.toml")
    return ingest_table(DATA / path, np.random.default_rng(0), mapping=mapping)


def test_the_hour_of_day_is_found_in_the_trap():
    windows = read("sharp_daily_trap", "sharp_daily_trap")
    for seed in range(3):
        split = make_split(windows, "by_region", np.random.default_rng(seed))
        leaks = audit(windows, split, EVENTS).leaks
        assert [leak.kind for leak in leaks] == ["hour of day"]
        assert "the hour of day alone tells M1.0 in train" in leaks[0].message


@pytest.mark.parametrize(
    ("preset", "path"), [("sharp_blocks", "sharp_blocks"), ("swan_sf_features", "swan_sf")]
)
def test_a_random_split_fails_and_one_by_region_passes(preset, path):
    windows = read(preset, path)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        mixed = audit(windows, make_split(windows, "random_windows", rng), EVENTS)
        assert {"shared region", "overlapping history or outcome"} <= {leak.kind for leak in mixed.leaks}
        assert audit(windows, make_split(windows, "by_region", rng), EVENTS).leaks == ()


def test_regions_of_training_are_found_in_the_test_list_of_others():
    folder = DATA / "scored/cnn_harp/split"
    found = audit_tables(*read_tables(folder / "train.csv", folder / "test2.csv"))
    shared = next(leak for leak in found.leaks if leak.kind == "shared region")
    assert shared.count == 1089
    assert "HARP 401" in shared.message
    assert "3,040 of 3,091 test rows (98 %)" in shared.message
    assert any(leak.kind == "near times" for leak in found.leaks)


def test_a_leak_in_tables_of_others_is_exit_1():
    folder = DATA / "scored/cnn_harp/split"
    arguments = ["audit", "--train", str(folder / "train.csv"), "--test", str(folder / "test2.csv")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.output.startswith("leak: 1,089 regions appear in both train and test")


def test_windows_under_two_region_numbers_are_found():
    windows = read("sharp_timepoints", "sharp_timepoints")
    split = make_split(windows, "by_region", np.random.default_rng(1))
    kinds = {leak.kind for leak in audit(windows, split, ("M1.0",)).leaks}
    assert kinds == {"same window"}


def test_a_window_that_ends_in_its_flare_is_in_progress(make_roles, tmp_path):
    latest = max((DATA / "swan_sf/official_instances/FL").iterdir(), key=lambda path: path.name[-23:])
    assert latest.name.endswith("_s2012-03-06T11:24:00_e2012-03-06T23:12:00.csv")
    name = latest.name.replace("06T11:24", "06T12:24").replace("06T23:12", "07T00:12")
    moved = re.sub(r"2012-03-0[67] ..:..:..", an_hour_later, latest.read_text())
    (tmp_path / "partition1" / "FL").mkdir(parents=True)
    (tmp_path / "partition1" / "FL" / name).write_text(moved)
    windows = ingest_swan_sf(tmp_path, np.random.default_rng(0))
    assert [cycles.iso(time) for time in windows["issue_time"].values] == ["2012-03-07T00:12:00Z"]
    for name, moment in (("flare_start", "2012-03-07T00:02"), ("flare_peak", "2012-03-07T00:24")):
        windows[name] = ("window", np.array([cycles.seconds(moment)]), windows[name].attrs)
    found = audit(windows, make_roles([schema.ROLES.index("test")]))
    warning = next(one for one in found.warnings if one.kind == "in progress")
    assert warning.count == 1
    assert "e.g. HARP 1449 at 2012-03-07T00:12:00Z" in warning.message
    assert found.leaks == ()


def test_regions_that_return_in_another_role_are_warned_about_and_no_leak_unless_they_are_the_same():
    windows = ingest_noaa_regions(DATA / "noaa_text", np.random.default_rng(0))
    apart, together = (
        make_split(windows, "by_region", np.random.default_rng(0), returning=returning)
        for returning in ("new", "same")
    )
    found = audit(windows, apart, ("M1.0",))
    warning = next(one for one in found.warnings if one.kind == "returning region")
    assert warning.count > 50
    assert found.leaks == ()
    found = audit(windows, together, ("M1.0",))
    assert found.leaks == ()
    assert not any(one.kind == "returning region" for one in found.findings)
    promised = apart.assign_attrs(returning="same")
    assert "shared region" in {leak.kind for leak in audit(windows, promised, ("M1.0",)).leaks}

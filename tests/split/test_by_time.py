"""Roles by date: embargo, spans inside spans, fractions."""

import numpy as np
import pytest

from flarecast import cycles
from flarecast.split import embargo_hours, make_split

DAY = 86_400
UNUSED, TRAIN, VALIDATION, CALIBRATION, TEST = range(5)


def rng():
    return np.random.default_rng(7)


def days(start, stop, step=1):
    return np.arange(cycles.seconds(start), cycles.seconds(stop), step * DAY)


def test_the_embargo_is_span_plus_memory_plus_lead_plus_horizon(make_windows):
    times = days("2001-01", "2001-03")
    windows = make_windows(
        [("disk", "", times, times)], n_steps=5, cadence_hours=6, memory=100.0, lead=24.0, horizon=12.0
    )
    assert embargo_hours(windows) == 30 + 100 + 24 + 12


def test_the_training_side_of_a_border_loses_the_windows(make_windows):
    times = days("2001-01-01", "2001-07-20")
    windows = make_windows([("disk", "", times, times)], n_steps=3)
    spans = {
        "train": ("2001-01", "2001-04"),
        "validation": ("2001-04", "2001-05"),
        "calibration": ("2001-05", "2001-06"),
        "test": ("2001-06", "2001-08"),
    }
    split = make_split(windows, "by_time", rng(), options=spans)
    embargo_days = 4  # 3 d span + 24 h horizon: issue times may differ by 4 d, so 3 windows go
    kept = np.bincount(split["role"].values[0], minlength=5)
    assert embargo_hours(windows) == embargo_days * 24
    assert kept.tolist() == [9, 90 - 3, 30 - 3, 31 - 3, 30 + 19]
    assert split.attrs["n_embargoed"] == 9


def test_validation_inside_the_training_span_costs_train_windows_on_both_sides(make_windows):
    times = days("2001-01-01", "2001-12-01")
    windows = make_windows([("disk", "", times, times)], n_steps=3)
    options = {
        "train": ("2001-01", "2001-09"),
        "validation": ("2001-04", "2001-05"),
        "test": ("2001-10", 1.0),
        "pattern": "t",
    }
    split = make_split(windows, "by_time", rng(), options=options)
    role, time = split["role"].values[0], windows["issue_time"].values
    assert (role == VALIDATION).sum() == 30
    assert (role == CALIBRATION).sum() == 0
    train, held = time[role == TRAIN], time[role == VALIDATION]
    assert np.abs(train[:, None] - held).min() == 4 * DAY
    assert split.attrs["n_embargoed"] == 6


def test_by_time_takes_dates_fractions_and_both(disk):
    time = disk["issue_time"].values
    for bound in (0.5, cycles.iso(int((time[0] + time[-1]) // 2)).replace("Z", "")):
        options = {"train": (0.0, bound), "test": (bound, 1.0)}
        role = make_split(disk, "by_time", rng(), options=options)["role"].values[0]
        assert (role == TEST).sum() == pytest.approx(time.size / 2, abs=1)
        assert role[-1] == TEST, "the end 1.0 takes the last window"


def test_by_time_warns_where_base_rates_differ_by_more_than_two(make_windows):
    times = days("2001-01-01", "2004-01-01")
    flux = np.where(np.arange(times.size) % 5 == 0, 2e-5, 0.0)
    flux[700:] = np.where(np.arange(times.size - 700) % 20 == 0, 2e-5, 0.0)
    windows = make_windows([("disk", "", times, times)], n_steps=1, flux=flux)
    options = {"train": (0.0, 0.63), "test": (0.65, 1.0), "pattern": "t"}
    split = make_split(windows, "by_time", rng(), options=options)
    assert split.attrs["warning"].endswith("differ by more than 2x: C1.0 0.2 and 0.05, M1.0 0.2 and 0.05")
    even = windows.assign(peak_flux=("window", np.where(np.arange(times.size) % 5 == 0, 2e-5, 0.0)))
    assert "warning" not in make_split(even, "by_time", rng(), options=options).attrs


def test_by_time_interleaves_what_is_not_given(disk):
    options = {
        "train": ("1996-08", "2006-01"),
        "validation": ("2006-01", "2007-01"),
        "test": ("2008-01", 1.0),
    }
    split = make_split(disk, "by_time", rng(), options=options)
    role, time = split["role"].values[0], disk["issue_time"].values
    assert time[role == VALIDATION].min() >= cycles.seconds("2006-01")
    assert time[role == CALIBRATION].max() < cycles.seconds("2006-01")
    assert "v" not in split.attrs["blocks"].split("turn ")[1].split()[0]


def test_folds_with_a_rolling_origin_can_be_made_of_dates(disk):
    time = disk["issue_time"].values
    for year in range(2000, 2008):
        options = {
            "train": ("1996-08", f"{year - 1}-01"),
            "validation": (f"{year - 1}-01", f"{year}-01"),
            "test": (f"{year}-01", f"{year + 1}-01"),
            "pattern": "t",
        }
        role = make_split(disk, "by_time", rng(), options=options)["role"].values[0]
        ends = [time[role == kind].max() for kind in (TRAIN, VALIDATION)]
        starts = [time[role == kind].min() for kind in (VALIDATION, TEST)]
        assert all(start - end >= embargo_hours(disk) * 3600 for end, start in zip(ends, starts, strict=True))

"""The simulated Sun as a windows file: form, units, sizes, gaps, seeds and options."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flarecast import cycles, goes, schema
from flarecast.errors import FlarecastError
from flarecast.ingest.largest import largest
from flarecast.ingest.simulated import ingest_simulated
from flarecast.ingest.sun import emergence, flares, parameters
from flarecast.windows import gather

SWAN_SF = Path(__file__).parents[2] / "../shared/data/swan_sf"

# Plausible medians of |value| over quiet and active regions: real SWAN-SF and HMI SHARP series lie between.
MEDIAN_BETWEEN = {
    "TOTUSJH": (30, 800), "TOTBSQ": (5e8, 3e10), "TOTPOT": (2e21, 3e23), "TOTUSJZ": (5e11, 3e13),
    "ABSNJZH": (4, 200), "SAVNCPP": (2e11, 1e13), "USFLUX": (4e20, 2e22), "TOTFZ": (1e23, 5e24),
    "MEANPOT": (1e3, 1e4), "EPSZ": (0.05, 0.4), "MEANSHR": (20, 45), "SHRGT45": (8, 40),
    "MEANGAM": (30, 55), "MEANGBT": (80, 150), "MEANGBZ": (80, 150), "MEANGBH": (35, 80),
    "MEANJZH": (1e-3, 3e-2), "TOTFY": (3e22, 3e24), "MEANJZD": (0.05, 1.0), "MEANALP": (3e-3, 8e-2),
    "TOTFX": (3e22, 3e24), "EPSY": (0.02, 0.2), "EPSX": (0.03, 0.3), "R_VALUE": (0, 4),
}  # fmt: skip


@pytest.fixture(scope="module")
def sun():
    return ingest_simulated(None, np.random.default_rng(7), n_regions=300)


@pytest.fixture(scope="module")
def table(sun):
    return pd.DataFrame(sun["values"].values.astype(np.float64), columns=sun["feature"].values)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    one, two, other = (ingest_simulated(None, np.random.default_rng(s), n_regions=20) for s in (3, 3, 4))
    for name in one.variables:
        assert one[name].dtype == two[name].dtype
        assert np.asarray(one[name]).tolist().__repr__() == np.asarray(two[name]).tolist().__repr__(), name
    assert one["values"].values.tobytes() == two["values"].values.tobytes()
    assert not np.array_equal(one["issue_time"].values, other["issue_time"].values)


def test_a_saved_file_reads_back_and_keeps_the_schema(sun, tmp_path):
    path = tmp_path / "windows.nc"
    schema.save(sun, path, schema.WINDOWS)
    back = schema.open_file(path, schema.WINDOWS)
    np.testing.assert_array_equal(back["values"].values, sun["values"].values)
    assert list(back["region"].values) == list(sun["region"].values)


def test_all_24_parameters_are_there_with_units_and_no_memory(sun):
    assert len(set(sun["feature"].values)) == sun.sizes["feature"] == 24
    assert all(unit.strip() for unit in sun["feature_unit"].values)
    assert not sun["feature_memory_hours"].values.any()


@pytest.mark.parametrize("feature", MEDIAN_BETWEEN)
def test_a_parameter_has_the_order_of_magnitude_of_real_regions(table, feature):
    low, high = MEDIAN_BETWEEN[feature]
    assert low <= table[feature].abs().median() <= high


def test_real_swan_sf_windows_lie_inside_the_simulated_range(table):
    files = sorted(SWAN_SF.glob("*_instances/**/*.csv"))
    if not files:
        pytest.skip("no real SWAN-SF files beside the repository")
    # Twelve files are one of the largest regions on record: a factor of 3 beyond the 99.9 % quantile.
    reach = 3 * table.abs().quantile(0.999)
    least = table.abs().quantile(0.001) / 3
    for file in files:
        real = pd.read_csv(file, sep="\t")[list(parameters.FEATURES)].abs().median()
        assert (real <= reach).all(), real[real > reach]
        assert (real >= least).all(), real[real < least]


def test_parameters_are_correlated_like_those_of_real_regions(table):
    logs = np.log(table[["TOTUSJH", "TOTPOT", "USFLUX", "TOTUSJZ", "TOTBSQ", "ABSNJZH"]])
    assert logs.corr().to_numpy().min() > 0.7
    force = -table["EPSX"] * table["TOTBSQ"] * parameters.FORCE_PER_BSQ
    whole = table[["EPSX", "TOTBSQ", "TOTFX"]].notna().all(axis=1)
    np.testing.assert_allclose(table["TOTFX"][whole], force[whole], rtol=3e-3)


def test_rows_and_cells_are_missing_and_r_value_is_zero_for_about_half(sun, table):
    absent = table.isna()
    assert 0.01 <= absent.all(axis=1).mean() <= 0.02
    some = absent.any(axis=1) & ~absent.all(axis=1)
    assert 0 < some.mean() < 0.02
    assert 0.4 < (table["R_VALUE"] == 0).mean() < 0.7
    assert 0 < np.isnan(gather(sun, slice(0, 200))).mean() < 0.3


def test_noise_grows_towards_the_limb(sun, table):
    step = np.log(table["USFLUX"]).diff().abs()
    same = np.diff(sun["track"].values, prepend=-1) == 0
    near_limb = np.abs(sun["longitude"].values) > 75
    assert step[same & near_limb].median() > 2 * step[same & ~near_limb].median()


def test_windows_are_sorted_on_the_grid_and_their_rows_lie_in_their_span(sun):
    track, issue = sun["track"].values[sun["first_row"].values], sun["issue_time"].values
    assert (np.lexsort((issue, track)) == np.arange(track.size)).all()
    assert (issue % (12 * 3600) == 0).all()
    assert (sun["n_rows"].values >= 30).all()
    assert (sun["n_rows"].values <= 60).all()
    last = sun["first_row"].values + sun["n_rows"].values - 1
    assert (sun["time"].values[last] == issue).all()
    assert (sun["time"].values[sun["first_row"].values] > issue - 12 * 3600).all()
    assert (np.abs(sun["longitude"].values) <= 90).all()


def test_every_row_belongs_to_some_window(sun):
    edges = np.zeros(sun.sizes["row"] + 1)
    np.add.at(edges, sun["first_row"].values, 1)
    np.add.at(edges, sun["first_row"].values + sun["n_rows"].values, -1)
    assert (np.cumsum(edges)[:-1] > 0).all()


def test_outcomes_are_bounded_like_a_flare_list(sun):
    peak, upper = sun["peak_flux"].values, sun["peak_flux_upper"].values
    flared = peak > 0
    assert 0.1 < flared.mean() < 0.5
    assert (peak[flared] == upper[flared]).all()
    assert (upper[~flared] < 1e-6).all()
    assert (upper[~flared] >= 9.9e-8 * (1 - 1e-6)).all()
    moment = sun["flare_peak"].values
    assert ((moment >= sun["valid_from"].values) & (moment < sun["valid_to"].values))[flared].all()
    assert (sun["flare_start"].values < moment)[flared].all()
    assert (moment[~flared] == schema.NO_TIME).all()
    assert set(sun["flare_id"].values[~flared]) <= {""}
    assert (sun["unassigned_peak_flux"].values > 0).any()


def test_regions_come_and_go_with_the_cycle(sun):
    year = pd.to_datetime(sun["issue_time"].values, unit="s").year
    count = pd.Series(sun["region"].values).groupby(year).nunique()
    assert count.loc[2000:2002].mean() > 5 * count.reindex([2008, 2009], fill_value=0).mean()
    assert set(np.unique(cycles.cycle_of(sun["issue_time"].values))) == {23, 24, 25}


def test_flares_cluster(sun):
    flared = sun["peak_flux"].values >= 1e-6 * (1 - 1e-6)
    track = sun["track"].values[sun["first_row"].values]
    # Two windows apart the outcomes share no time, only the state.
    both = (track[2:] == track[:-2]) & flared[:-2]
    assert flared[2:][both].mean() > 2 * flared.mean()


def test_the_largest_flare_of_each_span_is_found_as_by_a_loop():
    rng = np.random.default_rng(5)
    track = np.repeat([1, 2, 4], 20)
    valid_from = np.tile(np.arange(20) * 6, 3)
    listed = rng.integers(1, 5, 50), rng.integers(-20, 160, 50), rng.integers(1, 9, 50) * 1e-6
    found = largest(track, valid_from, 24, listed)
    for window, flare in enumerate(found):
        inside = (listed[0] == track[window]) & (listed[1] >= valid_from[window])
        inside &= listed[1] < valid_from[window] + 24
        assert (flare >= 0) == inside.any()
        if inside.any():
            assert inside[flare]
            assert listed[2][flare] == listed[2][inside].max()


def test_flare_sizes_follow_their_distribution_and_have_one_decimal():
    rng = np.random.default_rng(0)
    flux = flares._one_decimal(flares._draw_flux(200_000, rng))
    for letter in "CM":
        share = goes.at_least(flux, goes.DECADES[letter]).mean()
        assert share == pytest.approx(flares.share_at_least(goes.DECADES[letter]), rel=0.1)
    assert goes.format_class(flux.max())[0] == "X"
    tenths = flux / 10.0 ** np.clip(np.floor(np.log10(flux) + 1e-9), -7, -4) * 10
    np.testing.assert_allclose(tenths, np.round(tenths), atol=1e-6)


def test_the_background_hides_small_flares_only_when_the_sun_is_active():
    quiet, active = (flares.detection_limit(cycles.seconds(date), 1e-7) for date in ("2009-01", "2001-11"))
    assert goes.format_class(float(quiet)) == "B1.0"
    assert 5e-7 < active < 1e-6
    assert flares.detection_limit(cycles.seconds("2001-11"), 1e-6) == 1e-6


def test_activity_peaks_at_the_maxima_and_rests_at_the_minima():
    top = [emergence.activity(cycles.seconds(cycles.CYCLES[c][1])) for c in (23, 24, 25)]
    rest = [emergence.activity(cycles.seconds(cycles.CYCLES[c][0])) for c in (24, 25)]
    assert top[0] == pytest.approx(1, abs=1e-3)
    assert top[1] < top[2] < top[0]
    assert max(rest) == emergence.ACTIVITY_AT_MINIMUM


def test_options_change_the_windows():
    dates = {"first_date": "2011-01", "last_date": "2013-06"}
    grid = {"stride_hours": 6, "n_steps": 10, "cadence_minutes": 60, "lead_hours": 24, "horizon_hours": 48}
    listed = {"unassigned_share": 0, "list_floor": "C1.0"}
    windows = ingest_simulated(None, np.random.default_rng(1), n_regions=40, **dates, **grid, **listed)
    assert (windows["valid_from"] - windows["issue_time"] == 24 * 3600).all()
    assert (windows["valid_to"] - windows["valid_from"] == 48 * 3600).all()
    assert windows["n_rows"].values.max() == 10
    assert not windows["unassigned_peak_flux"].values.any()
    quiet = windows["peak_flux"].values == 0
    np.testing.assert_allclose(windows["peak_flux_upper"].values[quiet], 9.9e-7)
    issue = windows["issue_time"].values
    assert issue.min() >= cycles.seconds("2011-01")
    assert issue.max() < cycles.seconds("2013-06")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("n_regions", 0), ("stride_hours", 0), ("n_steps", 0), ("cadence_minutes", 7), ("lead_hours", -1),
        ("horizon_hours", 0), ("unassigned_share", 1.0), ("list_floor", "M1.0"), ("first_date", "1990-01"),
        ("last_date", "1996-01"), ("list_floor", "Z9"),
    ],
)  # fmt: skip
def test_an_impossible_option_is_named_with_what_was_expected(option, value):
    with pytest.raises(FlarecastError, match=r"expected .*, got "):
        ingest_simulated(None, np.random.default_rng(0), **{"n_regions": 5, option: value})


def test_dates_too_short_for_a_window_say_so():
    with pytest.raises(FlarecastError, match="expected windows, got none"):
        ingest_simulated(
            None, np.random.default_rng(0), n_regions=1, first_date="2001-01-01", last_date="2001-01-01T02:00"
        )

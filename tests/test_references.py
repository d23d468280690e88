"""Reference forecasts: only outcomes known at issue time, checked against a plain loop."""

import time

import numpy as np
import pytest
import xarray as xr

from flarecast.references import (
    REFERENCE_NAMES,
    decayed_rate,
    last_known_class,
    reference_forecasts,
    trailing_rate,
)

DAY = 86_400


def windows_of(region, issue_day, lead_days=0.0, horizon_days=1.0) -> xr.Dataset:
    issue = (np.asarray(issue_day, dtype=float) * DAY).astype(np.int64)
    valid_to = issue + round((lead_days + horizon_days) * DAY)
    return xr.Dataset(
        {
            "region": ("window", np.asarray(region, dtype=object)),
            "issue_time": ("window", issue),
            "valid_to": ("window", valid_to),
        }
    )


def column(windows, occurred, role, name, rate=0.25):
    names, table = reference_forecasts(windows, np.asarray(occurred, np.int8)[:, None], role, [rate])
    assert names == REFERENCE_NAMES
    return table[:, 0, names.index(name)]


def train_role(n: int) -> np.ndarray:
    return np.ones(n, dtype=np.int8)


def test_persistence_is_the_outcome_of_the_latest_window_of_the_region_that_is_over():
    windows = windows_of(["a", "a", "a", "b", "a"], [0, 0.5, 1, 1.5, 2])
    said = column(windows, [1, 0, 0, 1, 0], train_role(5), "persistence")
    # a issued at day 1 knows the window of day 0 only; at day 2 the latest over is the one of day 1.
    assert said.tolist() == [0, 0, 1, 0, 0]


def test_a_lead_delays_what_is_known():
    windows = windows_of(["a"] * 4, [0, 1, 2, 3], lead_days=1)
    assert column(windows, [1, 0, 0, 0], train_role(4), "persistence").tolist() == [0, 0, 1, 0]


def test_an_unknown_outcome_is_passed_over():
    windows = windows_of(["a"] * 3, [0, 1, 2])
    assert column(windows, [1, -1, 0], train_role(3), "persistence").tolist() == [0, 1, 1]


def test_persistence_calibrated_is_the_training_rate_that_follows_each_state():
    windows = windows_of(["a"] * 6 + ["b"] * 2, [0, 1, 2, 3, 4, 5, 0, 1])
    occurred = [1, 1, 0, 1, 0, 0, 0, 0]
    role = np.array([1, 1, 1, 1, 1, 4, 4, 4], dtype=np.int8)
    said = column(windows, occurred, role, "persistence_calibrated")
    # After an event (windows 1, 2, 4 of the train role): 1, 0, 0; after none (3): 1; no history (0): 1.
    assert said.tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1, 1 / 3, 1, 1, 1])


def test_without_training_windows_nothing_is_calibrated():
    windows = windows_of(["a"] * 4, [0, 1, 2, 3])
    for role, outcome in ((np.zeros(4, np.int8), [1, 0, 1, 0]), (train_role(4), [-1, -1, -1, -1])):
        assert np.isnan(column(windows, outcome, role, "persistence_calibrated")).all()
        assert not np.isnan(column(windows, outcome, role, "climatology")).any()


def test_climatology_is_the_training_rate_and_recent_rates_fall_back_to_it():
    windows = windows_of(["a", "a"], [0, 100])
    assert column(windows, [1, 0], train_role(2), "climatology").tolist() == [0.25, 0.25]
    assert column(windows, [1, 0], train_role(2), "recent_27").tolist() == [0.25, 0.25]
    assert column(windows, [1, 0], train_role(2), "recent_365").tolist() == [0.25, 1]


def test_recent_rates_count_all_regions_in_a_span_open_at_its_start():
    issue = np.array([27, 28]) * DAY
    ends = np.array([0, 1, 27, 28, 28]) * DAY
    outcome = np.array([1, 1, 0, 1, -1], dtype=np.int8)
    everything = np.concatenate([issue, ends])
    padded = np.concatenate([np.full(2, -1, dtype=np.int8), outcome])
    rate = trailing_rate(everything, np.concatenate([issue + 99 * DAY, ends]), padded, 27, 0.5)
    assert rate[:2].tolist() == [1 / 2, 1 / 2]


def test_outcomes_after_issue_time_change_nothing():
    rng = np.random.default_rng(0)
    windows = windows_of(rng.choice(list("abc"), 300), np.sort(rng.uniform(0, 80, 300)))
    occurred = rng.integers(-1, 2, 300).astype(np.int8)
    role = np.where(np.arange(300) < 100, 1, 4).astype(np.int8)
    changed = occurred.copy()
    later = windows["valid_to"].values > 60 * DAY
    changed[later] = 1 - changed[later].clip(0)
    early = windows["issue_time"].values <= 60 * DAY
    for name in REFERENCE_NAMES:
        before, after = (column(windows, x, role, name)[early] for x in (occurred, changed))
        np.testing.assert_array_equal(before, after)


def test_a_plain_loop_gives_the_same_forecasts():
    rng = np.random.default_rng(1)
    n = 200
    region = rng.choice(["r1", "r10", "r2"], n)
    windows = windows_of(region, np.round(np.sort(rng.uniform(0, 60, n)), 1), lead_days=0.5)
    occurred = rng.integers(-1, 2, n).astype(np.int8)
    issue, ends = windows["issue_time"].values, windows["valid_to"].values
    recent, before = [], []
    for i in range(n):
        over = (ends <= issue[i]) & (occurred >= 0)
        inside = over & (ends > issue[i] - 27 * DAY)
        recent.append(occurred[inside].mean() if inside.any() else 0.25)
        own = np.flatnonzero(over & (region == region[i]))
        latest = own[ends[own] == ends[own].max()] if own.size else own
        before.append({0} if not own.size else set(occurred[latest].tolist()))
    np.testing.assert_allclose(column(windows, occurred, train_role(n), "recent_27"), recent)
    said = column(windows, occurred, train_role(n), "persistence")
    assert all(value in allowed for value, allowed in zip(said, before, strict=True))


def test_the_last_known_class_is_the_one_certainly_reached():
    windows = windows_of(["a"] * 5 + ["b"], [0, 1, 2, 3, 4, 4])
    low = np.array([1, 0, 2, 0, 0, 0])
    high = np.array([1, 3, 3, 0, 0, 0])
    # Window 1 may be anything and is passed over; window 2 reached class 2 at least; window 3 was quiet.
    assert last_known_class(windows, low, high).tolist() == [-1, 1, 1, 2, 0, -1]


def test_several_events_are_kept_apart():
    windows = windows_of(["a", "a"], [0, 1])
    occurred = np.array([[1, 0], [1, 1]], dtype=np.int8)
    names, table = reference_forecasts(windows, occurred, train_role(2), [0.5, 0.1])
    assert table.shape == (2, 2, len(names))
    assert table[1, :, names.index("persistence")].tolist() == [1, 0]
    assert table[0, :, names.index("climatology")].tolist() == [0.5, 0.1]


def test_thirty_thousand_windows_take_no_time():
    rng = np.random.default_rng(2)
    windows = windows_of([f"SIM {i}" for i in rng.integers(1000, size=30_000)], rng.uniform(0, 4000, 30_000))
    occurred = (rng.random((30_000, 3)) < 0.1).astype(np.int8)
    start = time.perf_counter()
    reference_forecasts(windows, occurred, train_role(30_000), [0.1, 0.1, 0.1])
    assert time.perf_counter() - start < 2


def test_climatology_by_phase_is_the_training_rate_of_the_same_phase():
    days = np.array(
        ["2001-11-01", "2001-12-01", "2008-12-01", "2009-01-01", "2014-05-01", "2019-12-01"], "M8[D]"
    )
    windows = windows_of(list("abcdef"), days.astype(int))
    role = np.array([1, 1, 1, 1, 4, 4], dtype=np.int8)
    said = column(windows, [1, 0, 0, 0, 1, 1], role, "climatology_phase")
    assert said.tolist() == [0.5, 0.5, 0, 0, 0.5, 0]
    rise = windows_of(["a"], [np.datetime64("2011-09-01", "D").astype(int)])
    both = xr.concat([windows, rise], "window")
    assert column(both, [1, 0, 0, 0, 1, 1, 1], np.append(role, 4), "climatology_phase")[-1] == 0.25


def test_the_decayed_rate_is_that_of_a_plain_loop():
    rng = np.random.default_rng(4)
    n = 150
    region = rng.integers(3, size=n)
    issue = np.sort((rng.uniform(0, 60, n).round(1) * DAY).astype(np.int64))
    ends = issue + DAY
    outcome = rng.integers(-1, 2, n).astype(np.int8)
    expected = np.full(n, np.nan)
    for i in range(n):
        known = (region == region[i]) & (ends <= issue[i]) & (outcome >= 0)
        weight = 0.5 ** ((issue[i] - ends[known]) / (4.0 * DAY))
        if known.any():
            expected[i] = (weight * outcome[known]).sum() / weight.sum()
    np.testing.assert_allclose(decayed_rate(region, issue, ends, outcome, 4.0), expected, rtol=1e-9)


def test_history_decay_says_how_often_regions_that_flared_as_much_did_in_training():
    busy, quiet = ["busy"] * 30, ["quiet"] * 30
    windows = windows_of(busy + quiet + ["new"], [*range(30), *range(30), 5])
    flares = np.random.default_rng(6).random(30) < 0.7
    occurred = [1, *flares[1:], *[0] * 30, 0]
    said = column(windows, occurred, train_role(61), "history_decay")
    assert (said[31:60] == 0).all()
    assert said[5:30].mean() > 0.5
    assert said[60] == said[0] == said[30] == pytest.approx(1 / 3)


def test_a_long_quiet_spell_is_as_good_as_no_flare():
    windows = windows_of(["once"] * 60 + ["never"] * 60, [*range(60), *range(60)])
    occurred = [1] + [0] * 119
    said = column(windows, occurred, train_role(120), "history_decay")
    assert said[50] == said[110] == 0

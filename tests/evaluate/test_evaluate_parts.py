"""Flares and days, breakdowns, and pooled scores that the years contradict."""

import numpy as np
import pytest
import xarray as xr

from flarecast import cycles
from flarecast.evaluate import evaluate
from flarecast.schema import FORECASTS, NO_TIME, build

DAY, HOUR = 86_400, 3600
START = cycles.seconds("2012-01-01")


def build_forecasts(probability, occurred, issue, region="disk", **changes) -> xr.Dataset:
    """Forecasts of M1.0 for the 24 h after issue."""
    issue = np.asarray(issue)
    names = np.full(issue.size, region, dtype=object) if isinstance(region, str) else region
    arrays = {
        "event": ["M1.0"],
        "probability": np.asarray(probability, dtype=float)[:, None],
        "occurred": np.asarray(occurred)[:, None],
        "issue_time": issue,
        "valid_from": issue,
        "valid_to": issue + DAY,
        "region": names,
        "cluster": names,
        "role": np.zeros(issue.size),
        "fold": np.zeros(issue.size),
    } | changes
    return build(FORECASTS, arrays, {"forecast_name": "m", "history": "t"})


def content_of(forecasts: xr.Dataset, **options) -> dict:
    return evaluate(forecasts, rng=np.random.default_rng(0), resamples=100, **options)


def value_of(content: dict, score: str, subset: str = "all", forecast: str = "model") -> dict:
    return next(
        one
        for one in content["records"]
        if (one["score"], one["subset"], one["forecast"]) == (score, subset, forecast)
    )


def hourly() -> xr.Dataset:
    """Six days of hourly windows of a region with three flares: M2 at 30 h, X1 at 80 h, M1 at 130 h."""
    issue = START + HOUR * np.arange(144)
    peaks = START + HOUR * np.array([30, 80, 130])
    holds = (peaks >= issue[:, None]) & (peaks < issue[:, None] + DAY)
    flux = np.where(holds, [2e-5, 1e-4, 1e-5], 0).max(axis=1)
    which = np.where(holds.any(axis=1), np.argmax(holds * np.array([2, 3, 1]), axis=1), 0)
    peak = np.where(holds.any(axis=1), peaks[which], NO_TIME)
    warned = np.isin(np.arange(144), [10, 20, 79, 81, 100])
    return build_forecasts(
        np.where(warned, 0.9, 0.1),
        holds.any(axis=1),
        issue,
        "NOAA 11429",
        peak_flux=flux,
        peak_flux_upper=flux,
        flare_peak=peak,
        in_progress=issue >= peak - HOUR,
    )


def test_a_flare_is_hit_once_by_a_warning_before_it_begins_and_its_lead_is_to_the_peak():
    content = content_of(hourly())
    recall = value_of(content, "flare_recall")
    assert (recall["value"], recall["n_occasions"]) == (pytest.approx(1 / 3), 3)
    assert value_of(content, "flare_recall_M")["value"] == 0.5
    by_x = value_of(content, "flare_recall_X")  # warned of at 79 h, when it had begun
    assert (by_x["value"], by_x["n_occasions"]) == (0, 1)
    assert value_of(content, "flare_lead_hours")["value"] == 20
    assert value_of(content, "flare_recall")["low"] is None
    assert "1 block" in value_of(content, "flare_recall")["reason"]


def test_days_count_once_as_alarmed_eventful_or_clear():
    day = np.arange(200)
    occurred = np.isin(day, [60, 61, 120])
    warned = np.isin(day, [60, 70, 71, 119])
    content = content_of(build_forecasts(np.where(warned, 0.9, 0.1), occurred, START + DAY * day))
    false_alarms = value_of(content, "false_alarm_days")
    assert false_alarms["value"] == pytest.approx(3 / 200 * 365.25)
    assert false_alarms["n_occasions"] == 200
    assert value_of(content, "all_clear_days")["value"] == pytest.approx(194 / 196)
    first = value_of(content, "first_flare_recall")  # those of day 60 and 120; 61 follows 60
    assert (first["value"], first["n_occasions"]) == (0.5, 2)
    quiet = value_of(content, "quiet_days_clear")
    long_quiet = [d for d in day if not occurred[d] and (d < 60 or 92 < d < 120 or d > 151)]
    assert quiet["n_occasions"] == len(long_quiet)
    assert quiet["value"] == pytest.approx(1 - 1 / len(long_quiet))


def test_a_score_of_flares_that_there_are_none_of_is_null_with_a_reason():
    content = content_of(build_forecasts(np.full(50, 0.1), np.zeros(50), START + DAY * np.arange(50)))
    assert value_of(content, "flare_recall")["reason"] == "no such flares"
    assert value_of(content, "flare_lead_hours")["value"] is None
    assert value_of(content, "false_alarm_days")["value"] == 0


def regions(n: int = 4000, seed: int = 0) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    issue = cycles.seconds("2008-01-01") + DAY * np.arange(n)
    p = rng.random(n) * 0.6
    names = np.array([f"NOAA {11000 + one}" for one in np.arange(n) // 8], dtype=object)
    longitude = rng.uniform(-90, 90, n)
    longitude[:10] = np.nan
    return build_forecasts(p, rng.random(n) < p, issue, names, longitude=longitude)


def test_every_division_of_the_windows_has_parts_that_add_up():
    forecasts = regions()
    content = content_of(forecasts)
    whole = value_of(content, "base_rate")
    parts: dict[str, list[dict]] = {}
    for one in content["records"]:
        if one["score"] == "base_rate" and one["forecast"] == "model" and one["subset"] != "all":
            parts.setdefault(one["subset"].split("_")[0], []).append(one)
    assert set(parts) == {"cycle", "phase", "year", "longitude", "history", "after"}
    for name, found in parts.items():
        if name != "after":
            missing = 10 if name == "longitude" else 0
            assert sum(one["n"] for one in found) == whole["n"] - missing
            assert len(found) > 1
    assert {one["subset"] for one in parts["cycle"]} == {"cycle_23", "cycle_24"}
    year = value_of(content, "bss", "year_2010")
    rows = forecasts["valid_from"].values.astype("datetime64[s]").astype("datetime64[Y]").astype(int) == 40
    p, o = forecasts["probability"].values[rows, 0], forecasts["occurred"].values[rows, 0]
    assert year["value"] == pytest.approx(1 - np.mean((p - o) ** 2) / (o.mean() * (1 - o.mean())))
    ring = value_of(content, "base_rate", "longitude_30-60")
    away = np.abs(forecasts["longitude"].values)
    assert ring["n"] == ((away >= 30) & (away < 60)).sum()


def test_a_flaring_history_is_an_event_of_the_region_over_at_issue():
    day = np.arange(100)
    occurred = day == 50
    content = content_of(build_forecasts(np.full(100, 0.3), occurred, START + DAY * day))
    flaring = value_of(content, "base_rate", "history_flaring")
    assert flaring["n"] == 31  # days 51 to 81: the span of day 50 is over on day 51
    assert value_of(content, "base_rate", "history_quiet")["n"] == 69
    assert value_of(content, "base_rate", "after_event")["n"] == 3


def years(pooled_only: bool) -> xr.Dataset:
    """Five years of different rates; a forecast that knows the year alone, or also the day."""
    rng = np.random.default_rng(4)
    n = 5 * 365
    rate = np.repeat([0.05, 0.1, 0.3, 0.6, 0.8], 365)
    skill = np.where(rng.random(n) < 0.5, 0.5, 1.5) * rate
    truth = np.clip(skill, 0, 1)
    noise = rng.choice([0.5, 1.5], n) * rate
    issue = START + DAY * np.arange(n)
    return build_forecasts(
        np.clip(noise if pooled_only else truth, 0, 1) * 0.99, rng.random(n) < truth, issue
    )


def test_a_forecast_that_knows_the_year_alone_is_warned_of_and_one_that_knows_the_day_is_not():
    warned = content_of(years(pooled_only=True))
    assert value_of(warned, "bss")["value"] > 0.1
    assert max(value_of(warned, "bss", f"year_{year}")["value"] for year in range(2012, 2016)) < 0
    sentence = next(one for one in warned["warnings"] if "knows good years from bad ones" in one)
    assert sentence.startswith("M1.0: the pooled bss of model is +0.")
    assert "not above 0 in 5 of 5 years" in sentence
    honest = content_of(years(pooled_only=False))
    assert not any("knows good years" in one for one in honest["warnings"])


def test_two_forecasts_whose_order_the_years_turn_round_are_warned_of():
    knows_year, knows_day = years(pooled_only=True), years(pooled_only=False)
    occurred = knows_day["occurred"].values[:, 0]
    rate = np.repeat([0.05, 0.1, 0.3, 0.6, 0.8], 365)
    rng = np.random.default_rng(8)
    only_day = np.where(rng.random(rate.size) < 0.5, occurred, rng.random(rate.size)) * 0.3 + 0.2
    year_alone = np.clip(rate + rng.normal(0, 0.02, rate.size), 0.01, 0.99)
    forecasts = build_forecasts(year_alone, occurred, knows_year["issue_time"].values)
    other = build_forecasts(only_day, occurred, knows_year["issue_time"].values)
    content = content_of(forecasts, references={"day": other.assign_attrs(forecast_name="day")})
    assert value_of(content, "tss")["value"] > value_of(content, "tss", forecast="day")["value"]
    for year in range(2012, 2017):
        of_year = [value_of(content, "tss", f"year_{year}", one)["value"] for one in ("model", "day")]
        assert of_year[0] < of_year[1]
    says = "M1.0: model has the higher pooled tss, but day in 5 of 5 years (Simpson's paradox)"
    assert says in content["warnings"]


def test_of_a_single_year_nothing_is_broken_down_by_year_or_warned_of():
    n = 300
    rng = np.random.default_rng(0)
    p = rng.random(n)
    content = content_of(build_forecasts(p, rng.random(n) < p, START + DAY * np.arange(n)))
    assert not any(one["subset"].startswith("year_") for one in content["records"])
    assert not any("Simpson" in one for one in content["warnings"])

"""NOAA's daily record as windows of one track, the disk: history, flares of the next day or days.

A row is one day of the daily solar data, stamped when the day is over: day D is the row of D + 1 00:00 UTC. A
window is the rows of the last days at 00 UTC and the largest class that the daily counts give for the span
forecast. The counts say how many flares of a class there were, not how large: the peak flux is known to a
class.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from flarecast import features, files, goes, schema, windows
from flarecast.errors import FlarecastError
from flarecast.ingest import daily_json, dsd

DAY = 86_400
DAY_HOURS = 24.0
MEMORY_DAYS = 27
"""Days that the longest feature looks back: one solar rotation."""

GOES_16_DAY = 18_239
"""2019-12-09 in days since 1970: GOES-16 became the primary satellite, and classes true fluxes."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Feature:
    """A feature of a day: its unit, the days it reads (this one included), how it is made of the columns."""

    unit: str
    memory_days: int
    make: Callable[[dict[str, FloatArray]], FloatArray]


def _counts(name: str, make: Callable[[FloatArray], FloatArray], memory_days: int) -> Feature:
    """A feature that is log(1 + n) of a daily count or of a sum of counts."""
    return Feature("1", memory_days, lambda days: np.log1p(make(days[name])))


def _decayed(name: str, half_life: float) -> Feature:
    return _counts(name, lambda n: features.decayed_sum(n, half_life, MEMORY_DAYS), MEMORY_DAYS)


def _sum(name: str, memory_days: int) -> Feature:
    return _counts(name, lambda n: features.trailing_sum(n, memory_days), memory_days)


def _day(name: str, unit: str) -> Feature:
    return Feature(unit, 1, lambda days: days[name])


def _change(name: str, unit: str, lag: int) -> Feature:
    return Feature(unit, lag + 1, lambda days: features.change(days[name], lag))


FEATURES: dict[str, Feature] = {
    "f107": _day("f107", "1e-22 W m-2 Hz-1"),
    "sunspot_number": _day("sunspot_number", "1"),
    "sunspot_area": _day("sunspot_area", "1e-6 hemisphere"),
    "new_regions": _day("new_regions", "1"),
    "log10_background": Feature("lg(re 1 W m-2)", 1, lambda days: np.log10(days["background"])),
    "f107_change_3d": _change("f107", "1e-22 W m-2 Hz-1", 3),
    "sunspot_area_change_3d": _change("sunspot_area", "1e-6 hemisphere", 3),
    "log1p_c_flares": _counts("c_flares", lambda n: n, 1),
    "log1p_m_flares": _counts("m_flares", lambda n: n, 1),
    "log1p_x_flares": _counts("x_flares", lambda n: n, 1),
    "log1p_c_decayed_3d": _decayed("c_flares", 3),
    "log1p_m_decayed_3d": _decayed("m_flares", 3),
    "log1p_x_decayed_3d": _decayed("x_flares", 3),
    "log1p_c_decayed_9d": _decayed("c_flares", 9),
    "log1p_m_decayed_9d": _decayed("m_flares", 9),
    "log1p_x_decayed_9d": _decayed("x_flares", 9),
    "log1p_c_7d": _sum("c_flares", 7),
    "log1p_m_7d": _sum("m_flares", 7),
    "log1p_c_27d": _sum("c_flares", MEMORY_DAYS),
    "log1p_m_27d": _sum("m_flares", MEMORY_DAYS),
    "log1p_x_27d": _sum("x_flares", MEMORY_DAYS),
    "log1p_days_since_m": Feature(
        "1",
        MEMORY_DAYS,
        lambda days: np.log1p(features.steps_since(days["m_flares"] + days["x_flares"], MEMORY_DAYS)),
    ),
}
"""Features of the daily record; sums with missing days are scaled up (see `features`)."""


def ingest_noaa_disk(
    raw: Path | None,
    rng: np.random.Generator,  # noqa: ARG001  (every source has this signature; this one draws nothing)
    *,
    history_days: int = 27,
    lead_hours: float = 0.0,
    horizon_hours: float = 24.0,
    max_bad_rows: int = 10,
) -> xr.Dataset:
    """Windows of NOAA's daily solar data, issued at 00 UTC of every day with a whole history.

    The outcome comes from the days' flare counts: C is 1.0e-6 to 9.9e-6 W m-2, quiet is 0 with an upper bound
    of 9.9e-7; where a count is missing the upper bound is what that class could have reached, and so is
    infinite for a day without a line. Every flare belongs to the disk, so none is unassigned.

    Args:
        raw: Folder searched for `YYYY_DSD.txt`, and for SWPC's JSON, which tells of the days after them.
        rng: Not used.
        history_days: Days in a window.
        lead_hours: From issue time to the start of the valid span: whole days.
        horizon_hours: Length of the valid span: whole days.
        max_bad_rows: Lines that may be skipped.

    Returns:
        A windows Dataset; attributes count value lines, rows, missing values and skipped lines by reason.

    Raises:
        FlarecastError: Options that make no sense, no or unreadable files, too many bad lines, too few days.
    """
    _check_options(history_days, lead_hours, horizon_hours, max_bad_rows)
    folder = _folder(raw)
    of_files = daily_json.read_served_days(folder)
    paths = _find(folder, bool(of_files.days))
    daily = dsd.read_dsd(paths, max_bad_rows) if paths else None
    daily = daily_json.with_served_days(daily, of_files) if daily is None or of_files.days else daily
    if daily.day.size < history_days:
        raise FlarecastError(
            f"{raw}: expected at least history_days = {history_days} days, got {daily.day.size};"
            " add files or shorten the history"
        )
    arrays = _rows(daily) | _windows(daily, history_days, round(lead_hours), round(horizon_hours))
    attributes = {
        "n_steps": history_days,
        "cadence_minutes": 1440.0,
        "lead_hours": float(lead_hours),
        "horizon_hours": float(horizon_hours),
        "latency_minutes": 0.0,
        "source": "noaa-disk",
        "sampling": "natural",
        "source_files": _source_files(folder, [*paths, *of_files.paths]),
        "context_features": [],
        "history": f"ingest noaa-disk: {len(paths)} daily solar data files, {len(of_files.paths)} of JSON",
        **_counted(daily),
        **_served(daily, of_files),
    }
    return schema.build(schema.WINDOWS, arrays, attributes)


def _check_options(history_days: int, lead_hours: float, horizon_hours: float, max_bad_rows: int) -> None:
    """Name all options that make no sense for daily data."""
    problems = []
    if history_days < 1:
        problems.append(f"history_days: expected at least 1, got {history_days}")
    if not (lead_hours >= 0 and lead_hours % DAY_HOURS == 0):
        problems.append(
            f"lead_hours: expected whole days like 0 or 24 (the counts are daily), got {lead_hours:g}"
        )
    if not (horizon_hours > 0 and horizon_hours % DAY_HOURS == 0):
        problems.append(
            f"horizon_hours: expected whole days like 24 (the counts are daily), got {horizon_hours:g}"
        )
    if max_bad_rows < 0:
        problems.append(f"max_bad_rows: expected at least 0, got {max_bad_rows}")
    if problems:
        raise FlarecastError("; ".join(problems))


def _folder(raw: Path | None) -> Path:
    """The folder of raw data."""
    if raw is None:
        raise FlarecastError("noaa-disk: expected a folder with YYYY_DSD.txt files, got none; name it as RAW")
    if not raw.is_dir():
        raise FlarecastError(f"{raw}: expected a folder with YYYY_DSD.txt files, found none")
    return raw


def _find(folder: Path, others: bool) -> list[Path]:
    """Files of daily solar data under a folder; there may be none where there are other files."""
    paths = dsd.find_files(folder)
    if not paths and not others:
        raise FlarecastError(
            f"{folder}: expected files named like 2012_DSD.txt in it or below, or SWPC's"
            " solar_regions.json, found none"
        )
    return paths


def _rows(daily: dsd.DailyData) -> dict[str, Any]:
    """Variables of the rows and features."""
    return {
        "values": np.stack([feature.make(daily.columns) for feature in FEATURES.values()], axis=1),
        "feature": list(FEATURES),
        "feature_unit": [feature.unit for feature in FEATURES.values()],
        "feature_memory_hours": [feature.memory_days * DAY_HOURS for feature in FEATURES.values()],
        "time": (daily.day + 1) * DAY,
        "track": np.zeros(daily.day.size),
    }


def _windows(daily: dsd.DailyData, history_days: int, lead_hours: int, horizon_hours: int) -> dict[str, Any]:
    """Variables of the windows: one for every day at whose end a whole history is there."""
    time = (daily.day + 1) * DAY
    read = ~np.isnan(np.stack(list(daily.columns.values()))).all(axis=0)
    some = sliding_window_view(read, history_days).any(axis=1)  # a window without any observed day is none
    issue_time = time[history_days - 1 :][some]
    n_windows = issue_time.size
    span = history_days * DAY
    zeros = np.zeros(n_windows, dtype=np.int64)
    first_row, n_rows = windows.cut(time, np.zeros_like(time), issue_time, zeros, span)
    valid_from = issue_time + lead_hours * 3600
    first_day = valid_from // DAY
    peak_flux, peak_flux_upper = span_bounds(daily, first_day, round(horizon_hours / DAY_HOURS))
    return {
        "first_row": first_row,
        "n_rows": n_rows,
        "issue_time": issue_time,
        "valid_from": valid_from,
        "valid_to": valid_from + horizon_hours * 3600,
        "region": ["disk"] * n_windows,
        "noaa_regions": [""] * n_windows,
        "peak_flux": peak_flux,
        "peak_flux_upper": peak_flux_upper,
        "unassigned_peak_flux": np.zeros(n_windows),
        "flare_start": np.full(n_windows, schema.NO_TIME),
        "flare_peak": np.full(n_windows, schema.NO_TIME),
        "flare_id": [""] * n_windows,
        "flux_scale": first_day >= GOES_16_DAY,
        "partition": zeros,
    }


def span_bounds(
    daily: dsd.DailyData, first_day: NDArray[np.int64], n_days: int
) -> tuple[FloatArray, FloatArray]:
    """Bounds of the largest flare peak in spans of whole days.

    Args:
        daily: Days with their counts.
        first_day: First day of each span [d since 1970], shape (span,).
        n_days: Length of a span.

    Returns:
        Smallest and largest peak flux [W m-2], inclusive, each of shape (span,): the largest class that is
        known to have occurred, and the largest that may have. A span with a day whose counts are lower bounds
        is unknown whatever they say: known positives without known negatives would bias every score.
    """
    low = np.zeros(first_day.size)
    high = np.full(first_day.size, goes.below(goes.DECADES["C"]))
    unknown = np.zeros(first_day.size, dtype=bool)
    for ahead in range(n_days):
        place = first_day + ahead - daily.day[0]
        inside = (place >= 0) & (place < daily.day.size)
        for letter in "CMX":
            counts = np.where(
                inside, daily.columns[f"{letter.lower()}_flares"].take(place, mode="clip"), np.nan
            )
            least, most = goes.class_bounds(letter)
            low = np.where(counts > 0, np.maximum(low, least), low)
            high = np.where((counts > 0) | np.isnan(counts), np.maximum(high, most), high)
        if daily.lower is not None:
            unknown |= inside & daily.lower.take(place, mode="clip")
    return np.where(unknown, 0.0, low), np.where(unknown, np.inf, high)


def _source_files(folder: Path, paths: list[Path]) -> list[str]:
    """Hash and name of each file read."""
    return [f"{files.sha256(path)} {path.relative_to(folder).as_posix()}" for path in paths]


def _counted(daily: dsd.DailyData) -> dict[str, Any]:
    """What became of the lines and values, as attributes."""
    tally = daily.tally
    return {
        "n_value_lines": tally.n_value_lines,
        "n_rows_read": tally.n_rows_read,
        "n_skipped": sum(tally.skipped.values()),
        "skipped": dsd.format_counts(tally.skipped),
        "n_days_without_line": int(daily.day.size - tally.n_rows_read),
        "missing_values": dsd.format_counts(tally.missing),
    }


def _served(daily: dsd.DailyData, of_files: daily_json.ServedDays) -> dict[str, Any]:
    """Attributes that say what JSON files told; none where there were none."""
    if not of_files.paths:
        return {}
    return {
        "n_served_records": of_files.tally.n_records,
        "n_served_days": daily.n_served,
        "n_days_of_counts": 0 if daily.lower is None else int(daily.lower.sum()),
        "served_skipped": of_files.tally.reasons(),
    }

"""Forecasts as CSV, ours or anybody's: one row per region, span, event and day ahead.

Columns `issue_time,valid_from,valid_to,region,event,probability,occurred` in any order, others left aside;
times are ISO 8601 in UTC, an empty probability means not forecast, an empty `occurred` unknown.

The day ahead is 1 + max(0, floor((valid_from - issue_time) / 24 h)), so a forecast for the day after tomorrow
is never replaced by a later one for tomorrow. Of several forecasts of one span the last issued at or before
its start counts, else the first issued after it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from flarecast import cycles, goes
from flarecast.errors import FlarecastError
from flarecast.exchange.csv_columns import read_columns
from flarecast.files import replacing
from flarecast.schema import FORECASTS, NO_TIME, ROLES, build

IntArray = NDArray[np.int64]

_SPAN = ["region", "valid_from", "valid_to"]
_KEY = [*_SPAN, "day_ahead"]


def day_ahead(issue_time: ArrayLike, valid_from: ArrayLike) -> IntArray:
    """Day ahead of forecasts by their times [s since 1970], any shape: 1 for a span that starts within 24 h.

    Source: DESIGN of the forecast table: 1 + max(0, floor((valid_from - issue_time) / 24 h)).
    """
    delay = np.asarray(valid_from, dtype=np.int64) - np.asarray(issue_time, dtype=np.int64)
    return 1 + np.maximum(0, delay // cycles.DAY)


def clusters_of(region: NDArray[Any], valid_from: IntArray) -> NDArray[Any]:
    """What is resampled as a whole: the region, or the 27-day rotation where the region is the disk."""
    rotation = cycles.rotation_of(valid_from).astype(str).astype(object)
    return np.where(region == "disk", "rotation " + rotation, region)


def counting_rows(rows: pd.DataFrame, key: list[str], issue_time: str = "issue_time") -> NDArray[np.int64]:
    """Choose, of the forecasts with one key, the one that counts: see the head of this file.

    Args:
        rows: Columns of the key, `valid_from` and the issue time [s since 1970].
        key: Names of the columns that say which forecasts compete.
        issue_time: Name of the column with the issue time.

    Returns:
        Positions of the rows that count, ascending.
    """
    issue = rows[issue_time].to_numpy()
    late = issue > rows["valid_from"].to_numpy()
    order = np.lexsort((np.where(late, issue, -issue), late))
    repeated = rows.iloc[order].duplicated(key).to_numpy()
    return np.sort(order[~repeated])


def read_csv(path: Path) -> xr.Dataset:
    """Read forecasts from CSV.

    Args:
        path: The file; its stem becomes the name of the forecast.

    Returns:
        Forecasts without roles (all 0, `unused`). Attributes count what was left out: `n_replaced`
        (another issue of the same forecast counts), `n_repeats` (identical), `n_late` (used
        though issued after their span began), `n_times_without_zone` (read as UTC).

    Raises:
        FlarecastError: The file is missing or no such table; all problems are named with their lines.
    """
    rows, notes = read_columns(path)
    rows["day_ahead"] = day_ahead(rows["issue_time"], rows["valid_from"])
    n_rows = len(rows)
    rows = rows.drop_duplicates([*_KEY, "event", "issue_time", "probability", "occurred"])
    notes["n_repeats"] = n_rows - len(rows)
    _refuse_conflicts(path, rows)
    occurred = _outcomes(rows)
    forecast = rows[rows["probability"].notna()].reset_index(drop=True)
    chosen = forecast.iloc[counting_rows(forecast, [*_KEY, "event"])]
    notes["n_replaced"] = len(forecast) - len(chosen)
    notes["n_late"] = int((chosen["issue_time"] > chosen["valid_from"]).sum())
    silent = rows[rows["probability"].isna()]
    return lay_out(pd.concat([chosen, silent]), path.stem, {"history": "read from CSV", **notes}, occurred)


def write_csv(forecasts: xr.Dataset, path: Path) -> None:
    """Write forecasts as CSV, every event of a window on its own row, probabilities to the last digit.

    Of several folds only those that make the forecast of a window are written: the final one where the others
    served to calibrate it, else each for its own test role.

    Raises:
        FlarecastError: The folder cannot be written.
    """
    fold, role = forecasts["fold"].values, forecasts["role"].values
    if np.unique(fold).size > 1:
        final = fold == int(forecasts.attrs.get("final_fold", 0))
        counts = final if forecasts.attrs.get("out_of_fold") else role == ROLES.index("test")
        forecasts = forecasts.isel(window=np.flatnonzero(counts))
    shape = forecasts["probability"].shape
    n_events = shape[1]
    times = {name: _iso(forecasts[name].values) for name in ("issue_time", "valid_from", "valid_to")}
    occurred = forecasts["occurred"].values.ravel()
    table = pd.DataFrame(
        {name: np.repeat(values, n_events) for name, values in times.items()}
        | {
            "region": np.repeat(forecasts["region"].values.astype(object), n_events),
            "event": np.tile(forecasts["event"].values.astype(object), shape[0]),
            "probability": forecasts["probability"].values.ravel(),
            "occurred": pd.Series(occurred, dtype="Int8").mask(occurred < 0),
        }
    )
    with replacing(path) as aside:
        table.to_csv(aside, index=False, lineterminator="\n")


def _iso(seconds: IntArray) -> NDArray[Any]:
    """Texts like 2012-03-07T00:00:00Z, shape kept."""
    text = np.datetime_as_string(seconds.astype("datetime64[s]"), unit="s")
    return np.char.add(text, "Z").astype(object)


def _refuse_conflicts(path: Path, rows: pd.DataFrame) -> None:
    """Raise where two rows say different things about one forecast or one outcome."""
    problems = []
    same_issue = [*_SPAN, "event", "issue_time"]
    stated = rows[rows["probability"].notna()]
    known = rows[rows["occurred"] >= 0].drop_duplicates([*_SPAN, "event", "occurred"])
    for what, table, key in (
        ("probability", stated.drop_duplicates([*same_issue, "probability"]), same_issue),
        ("occurred", known, [*_SPAN, "event"]),
    ):
        conflicting = table[table.duplicated(key, keep=False)].sort_values([*key, "line"], kind="stable")
        if len(conflicting):
            first, second = (conflicting.iloc[nth] for nth in (0, 1))
            problems.append(
                f"{what}: expected one value per forecast, got {first[what]:g} in line {first['line']} and "
                f"{second[what]:g} in line {second['line']} for {first['region']} from "
                f"{cycles.iso(first['valid_from'])}, {first['event']}"
            )
    if problems:
        raise FlarecastError(f"{path}: " + "; ".join(problems))


def _outcomes(rows: pd.DataFrame) -> pd.Series:
    """Known outcome of each span and event; what one row leaves open another may know."""
    known = rows[rows["occurred"] >= 0].drop_duplicates([*_SPAN, "event"])
    return known.set_index([*_SPAN, "event"])["occurred"]


def lay_out(
    rows: pd.DataFrame, name: str, attributes: Mapping[str, Any], known: pd.Series | None = None
) -> xr.Dataset:
    """Lay rows out as (window, event); the last issue time of a window's events is the window's.

    Args:
        rows: At most one a span, day ahead and event: times [s since 1970], `region`, `event`, `day_ahead`,
            `probability` (NaN = not forecast) and `occurred` (-1 = unknown).
        name: Name of the forecast.
        attributes: Attributes of the file.
        known: Outcomes by region, valid_from, valid_to and event, where they are not those of the rows alone.
    """
    known = _outcomes(rows) if known is None else known
    events = sorted(rows["event"].unique(), key=goes.parse_class)
    rows = rows.sort_values(["region", "valid_from", "day_ahead", "valid_to"], kind="stable")
    windows = rows.drop_duplicates(_KEY).reset_index(drop=True)
    window = rows.groupby(_KEY, sort=False).ngroup().to_numpy()
    event = pd.Index(events).get_indexer(rows["event"])
    shape = (len(windows), len(events))
    probability = np.full(shape, np.nan)
    stated = rows["probability"].notna().to_numpy()
    probability[window[stated], event[stated]] = rows["probability"].to_numpy()[stated]
    issue_time = np.full(len(windows), NO_TIME)
    # A window without any forecast keeps the issue time of its empty rows.
    for part in (~stated & ~np.isin(window, window[stated]), stated):
        np.maximum.at(issue_time, window[part], rows["issue_time"].to_numpy()[part])
    occurred = np.full(shape, -1, dtype=np.int8)
    spans = pd.MultiIndex.from_frame(windows[_SPAN])
    for column, label in enumerate(events):
        if label in known.index.get_level_values("event"):
            outcome = known.xs(label, level="event").reindex(spans)
            occurred[:, column] = outcome.fillna(-1).to_numpy().astype(np.int8)
    region = windows["region"].to_numpy().astype(object)
    valid_from = windows["valid_from"].to_numpy()
    arrays = {
        "event": events,
        "probability": probability,
        "occurred": occurred,
        "issue_time": issue_time,
        "valid_from": valid_from,
        "valid_to": windows["valid_to"].to_numpy(),
        "region": region,
        "cluster": clusters_of(region, valid_from),
        "role": np.zeros(len(windows), dtype=np.int8),
        "fold": np.zeros(len(windows), dtype=np.int32),
    }
    return build(FORECASTS, arrays, {"forecast_name": name, **attributes})

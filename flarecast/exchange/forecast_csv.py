"""Forecasts as CSV, ours or anybody's: one row per region, span, event and day ahead.

Columns `issue_time,valid_from,valid_to,region,event,probability,occurred` in any order, others left aside;
times are ISO 8601 in UTC, an empty probability means not forecast, an empty `occurred` unknown.

The day ahead is 1 + max(0, floor((valid_from - issue_time) / 24 h)), so a forecast for the day after tomorrow
is never replaced by a later one for tomorrow. Of several forecasts of one span the last issued at or before
its start counts, else the first issued after it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles
from flarecast.errors import FlarecastError
from flarecast.exchange.csv_columns import read_columns
from flarecast.exchange.rows import Rows, day_ahead, known_outcomes, lay_out, pack
from flarecast.files import replacing
from flarecast.schema import ROLES

__all__ = ["counting_rows", "day_ahead", "read_csv", "write_csv"]

IntArray = NDArray[np.int64]

HOW_SURE = ("probability_lower", "probability_upper", "aleatoric", "epistemic")
"""Columns that are written where forecasts have them, of members or calibrated ranges, and are not read."""


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
    about = pack(rows.window, rows.event)
    order = np.lexsort((rows.occurred, rows.probability, rows.issue_time, about))
    repeated = _repeated(rows, about, order)
    notes["n_repeats"] = int(repeated.sum())
    order = order[~repeated]
    rows, about = rows.rearranged(order), about[order]
    del order, repeated
    _refuse_conflicts(path, rows, about)
    stated = np.flatnonzero(~np.isnan(rows.probability))
    chosen = stated[_counting(about[stated], rows.issue_time[stated] <= rows.valid_from[stated])]
    notes["n_replaced"] = stated.size - chosen.size
    notes["n_late"] = int((rows.issue_time[chosen] > rows.valid_from[chosen]).sum())
    counting = np.zeros(rows.line.size, dtype=bool)
    counting[chosen] = True
    return lay_out(rows, path.stem, {"history": "read from CSV", **notes}, counting)


def _repeated(rows: Rows, about: IntArray, order: IntArray) -> NDArray[np.bool_]:
    """Whether each row, in that order, says the same as the one before it, shape (row,)."""
    same = np.ones(order.size, dtype=bool)
    same[:1] = False
    for values in (about, rows.issue_time, rows.occurred, rows.probability):
        sorted_values = values[order]
        equal = sorted_values[1:] == sorted_values[:-1]
        if sorted_values.dtype.kind == "f":
            equal |= np.isnan(sorted_values[1:]) & np.isnan(sorted_values[:-1])
        same[1:] &= equal
    return same


def _counting(about: IntArray, in_time: NDArray[np.bool_]) -> IntArray:
    """Of rows sorted by what they are about and issue time, those that count: see the head of this file."""
    if not about.size:
        return np.zeros(0, dtype=np.int64)
    first = np.flatnonzero(np.diff(about, prepend=about[0] - 1))
    n_in_time = np.add.reduceat(in_time.astype(np.int64), first)
    return np.asarray(first + np.maximum(n_in_time - 1, 0))


def write_csv(forecasts: xr.Dataset, path: Path) -> None:
    """Write forecasts as CSV, every event of a window on its own row, probabilities to the last digit.

    Where members or calibration say how sure the forecasts are, columns behind the others say it, too.

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
        | {name: forecasts[name].values.ravel() for name in HOW_SURE if name in forecasts}
    )
    with replacing(path) as aside:
        table.to_csv(aside, index=False, lineterminator="\n")


def _iso(seconds: IntArray) -> NDArray[Any]:
    """Texts like 2012-03-07T00:00:00Z, shape kept."""
    text = np.datetime_as_string(seconds.astype("datetime64[s]"), unit="s")
    return np.char.add(text, "Z").astype(object)


def _refuse_conflicts(path: Path, rows: Rows, about: IntArray) -> None:
    """Raise where two rows, sorted by what they are about and issue time, contradict each other."""
    stated = np.flatnonzero(~np.isnan(rows.probability))
    same = (np.diff(about[stated]) == 0) & (np.diff(rows.issue_time[stated]) == 0)
    _, outcome, known = known_outcomes(rows)
    number = rows.outcome[known]
    problems = []
    for what, values, places, alike in (
        ("probability", rows.probability[stated], stated, same),
        ("occurred", outcome, known, np.diff(number) == 0),
    ):
        differ = np.flatnonzero(alike & (values[1:] != values[:-1]))
        if differ.size:
            pair = places[[differ[0], differ[0] + 1]]
            problems.append(_conflict(what, rows.take(pair[np.argsort(rows.line[pair])])))
    if problems:
        raise FlarecastError(f"{path}: " + "; ".join(problems))


def _conflict(what: str, pair: Rows) -> str:
    """A sentence on two rows."""
    values = getattr(pair, what)
    return (
        f"{what}: expected one value per forecast, got {values[0]:g} in line {pair.line[0]} and "
        f"{values[1]:g} in line {pair.line[1]} for {pair.regions[pair.region[0]]} from "
        f"{cycles.iso(pair.valid_from[0])}, {pair.events[pair.event[0]]}"
    )

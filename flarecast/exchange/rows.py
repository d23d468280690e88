"""Rows of forecasts as plain arrays, one row a probability of one event, and how they make a Dataset.

Names are numbered, and groups of rows that share region, span, event and the like are told apart by one whole
number a row, so that ten million rows take some hundreds of MB.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles, goes
from flarecast.clusters import clusters_of
from flarecast.schema import FORECASTS, build

IntArray = NDArray[np.int64]

LARGEST_CODE = 2**62


@dataclass(frozen=True)
class Rows:
    """Columns of forecasts, each of shape (row,).

    Attributes:
        issue_time: UTC [s since 1970].
        valid_from: UTC [s since 1970].
        valid_to: UTC [s since 1970].
        region: Number of the region in `regions`.
        event: Number of the event in `events`.
        probability: NaN = not forecast.
        occurred: 1, 0, -1 = unknown.
        line: Line of the file, 0 = none.
        regions: Names, ascending.
        events: GOES classes, ascending.
    """

    issue_time: IntArray
    valid_from: IntArray
    valid_to: IntArray
    region: NDArray[np.int32]
    event: NDArray[np.int16]
    probability: NDArray[np.float64]
    occurred: NDArray[np.int8]
    line: NDArray[np.integer]
    regions: tuple[str, ...]
    events: tuple[str, ...]

    def take(self, index: NDArray[Any] | slice) -> "Rows":
        """Some rows, by index, mask or slice (then without a copy)."""
        names = [field.name for field in fields(self) if field.name not in ("regions", "events")]
        return Rows(
            **{name: getattr(self, name)[index] for name in names}, regions=self.regions, events=self.events
        )

    def rearranged(self, index: NDArray[np.int64]) -> "Rows":
        """These rows, some of them by index; each old column is let go before the next is copied.

        Not in the columns' own memory: two of them may be one array.
        """
        for field in fields(self):
            values = getattr(self, field.name)
            if isinstance(values, np.ndarray):
                object.__setattr__(self, field.name, values[index])
        return self

    @property
    def day_ahead(self) -> IntArray:
        """Day ahead of each row, shape (row,)."""
        return day_ahead(self.issue_time, self.valid_from)

    @property
    def window(self) -> IntArray:
        """Number of each row's region, span and day ahead; ascends with region, start, day and end."""
        return pack(self.region, self.valid_from, self.day_ahead, self.valid_to - self.valid_from)

    @property
    def outcome(self) -> IntArray:
        """Number of each row's region, span and event, whatever the day ahead."""
        return pack(self.region, self.valid_from, self.valid_to - self.valid_from, self.event)


def day_ahead(issue_time: Any, valid_from: Any) -> IntArray:
    """Day ahead of forecasts by their times [s since 1970], any shape: 1 for a span that starts within 24 h.

    Source: DESIGN of the forecast table: 1 + max(0, floor((valid_from - issue_time) / 24 h)).
    """
    delay = np.asarray(valid_from, dtype=np.int64) - np.asarray(issue_time, dtype=np.int64)
    return 1 + np.maximum(0, delay // cycles.DAY)


def pack(*columns: NDArray[Any]) -> IntArray:
    """One whole number for what several columns say together, in the order of the columns, shape (row,)."""
    code = np.zeros(columns[0].size, dtype=np.int64)
    size = 1
    for column in columns:
        values, rank = np.unique(column, return_inverse=True)
        if size * max(1, values.size) > LARGEST_CODE:
            distinct, code = np.unique(code, return_inverse=True)
            size = distinct.size
        code = code * values.size + rank
        size *= max(1, values.size)
    return code


def numbered(names: Sequence[str], by_class: bool = False) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Number of each name among the distinct ones, ascending by the alphabet or as GOES classes."""
    code, distinct = pd.factorize(np.asarray(names, dtype=object))
    order = sorted(range(len(distinct)), key=lambda nth: _rank(str(distinct[nth]), by_class))
    place = np.empty(len(distinct), dtype=np.int64)
    place[order] = np.arange(len(distinct))
    return place[code] if len(distinct) else code, tuple(str(distinct[nth]) for nth in order)


def _rank(name: str, by_class: bool) -> Any:
    return goes.parse_class(name) if by_class else name


def known_outcomes(rows: Rows) -> tuple[IntArray, NDArray[np.int8], IntArray]:
    """Rows of known outcome in order of what they are about: its number, the outcome, the row."""
    known = np.flatnonzero(rows.occurred >= 0)
    about = rows.outcome[known]
    order = np.argsort(about, kind="stable")
    return about[order], rows.occurred[known[order]], known[order]


def lay_out(
    rows: Rows, name: str, attributes: Mapping[str, Any], counting: NDArray[np.bool_] | None = None
) -> xr.Dataset:
    """Lay rows out as (window, event); the last issue time of a window's events is the window's.

    Args:
        rows: Any that have no probability, and at most one a span, day ahead and event that counts.
        name: Name of the forecast.
        attributes: Attributes of the file.
        counting: Which rows' probabilities count, shape (row,); all if None. Outcomes are taken of every row.
    """
    _, first, place = np.unique(rows.window, return_index=True, return_inverse=True)
    shape = (first.size, len(rows.events))
    probability = np.full(shape, np.nan)
    silent = np.isnan(rows.probability)
    stated = ~silent if counting is None else ~silent & counting
    probability[place[stated], rows.event[stated]] = rows.probability[stated]
    issue_time = np.full(first.size, np.iinfo(np.int64).min)
    forecast = ~np.isnan(probability).all(axis=1)
    for part in (silent & ~forecast[place], stated):  # without any forecast that of the empty rows is kept
        np.maximum.at(issue_time, place[part], rows.issue_time[part])
    region = np.array(rows.regions, dtype=object)[rows.region[first]]
    valid_from, valid_to = rows.valid_from[first], rows.valid_to[first]
    arrays = {
        "event": list(rows.events),
        "probability": probability,
        "occurred": _outcomes(rows, first, place),
        "issue_time": issue_time,
        "valid_from": valid_from,
        "valid_to": valid_to,
        "region": region,
        "cluster": clusters_of(region, valid_from),
        "role": np.zeros(first.size, dtype=np.int8),
        "fold": np.zeros(first.size, dtype=np.int32),
    }
    return build(FORECASTS, arrays, {"forecast_name": name, **attributes})


def _outcomes(rows: Rows, first: IntArray, place: IntArray) -> NDArray[np.int8]:
    """Known outcome of each window's span and each event; what one row leaves open another may know.

    Args:
        rows: All.
        first: A row of each window, shape (window,).
        place: Window of each row, shape (row,).
    """
    start = rows.valid_from[first]
    spans, span = np.unique(
        pack(rows.region[first], start, rows.valid_to[first] - start), return_inverse=True
    )
    outcome = np.full((spans.size, len(rows.events)), -1, dtype=np.int8)
    known = rows.occurred >= 0
    outcome[span[place[known]], rows.event[known]] = rows.occurred[known]
    return outcome[span]

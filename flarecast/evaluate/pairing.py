"""Which forecasts are of the same thing: region, span and day ahead, never the exact issue time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from flarecast import goes
from flarecast.cycles import iso
from flarecast.errors import FlarecastError
from flarecast.exchange.forecast_csv import counting_rows, day_ahead
from flarecast.schema import NO_TIME, ROLES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_SPAN = ["region", "valid_from", "valid_to"]
_KEY = [*_SPAN, "day_ahead"]


@dataclass(frozen=True)
class Paired:
    """Somebody's forecasts, laid beside the windows of another file.

    Attributes:
        probability: NaN where there is no such forecast, shape (window, event).
        occurred: What their file says occurred, -1 where nothing, shape (window, event).
        issue_time: `NO_TIME` where unpaired, shape (window,).
        role: Role that their file gives the window, 0 where unpaired, shape (window,).
        events: Whether their file has the event at all, shape (event,).
        row: Window of their file, -1 where unpaired, shape (window,).
    """

    probability: FloatArray
    occurred: NDArray[np.int8]
    issue_time: IntArray
    role: NDArray[np.int8]
    events: NDArray[np.bool_]
    row: IntArray


def pair(forecasts: xr.Dataset, other: xr.Dataset) -> Paired:
    """Lay other forecasts beside the windows of a file, by region, valid span and day ahead.

    Of several other forecasts of one thing the last issued at or before the span's start counts, else the
    first issued after it.

    Args:
        forecasts: Forecasts that lead.
        other: Forecasts that follow, in any order.

    Returns:
        The other's, in the windows and events of the first.
    """
    said = np.flatnonzero(~np.isnan(other["probability"].values).all(axis=1))
    keys = _keys(other).iloc[said].reset_index(drop=True)
    chosen = counting_rows(keys, _KEY)
    place = pd.MultiIndex.from_frame(keys.iloc[chosen][_KEY]).get_indexer(
        pd.MultiIndex.from_frame(_keys(forecasts)[_KEY])
    )
    found = place >= 0
    row = said[chosen[place]] if chosen.size else np.zeros(place.size, dtype=np.int64)
    columns = _event_columns(forecasts["event"].values, other["event"].values)
    shape = (place.size, columns.size)
    probability, occurred = np.full(shape, np.nan), np.full(shape, -1, dtype=np.int8)
    for event in np.flatnonzero(columns >= 0):
        probability[found, event] = other["probability"].values[row[found], columns[event]]
        occurred[found, event] = other["occurred"].values[row[found], columns[event]]
    issue_time = np.full(place.size, NO_TIME)
    issue_time[found] = other["issue_time"].values[row[found]]
    role = np.zeros(place.size, dtype=np.int8)
    role[found] = other["role"].values[row[found]]
    return Paired(probability, occurred, issue_time, role, columns >= 0, np.where(found, row, -1))


def fill_outcomes(forecasts: xr.Dataset, windows: xr.Dataset) -> tuple[xr.Dataset, int]:
    """Take what occurred from windows of the same regions and spans, and from nowhere else.

    Args:
        forecasts: Forecasts; attribute `unassigned` (`ignore` or `mask`) is about flares without a region.
        windows: Windows whose `peak_flux` bounds say what occurred.

    Returns:
        The forecasts with `occurred` replaced, -1 where no window matches, and how many those are. Windows
        that were chosen by their outcome make the forecasts such a sample, too.
    """
    events = [str(event) for event in forecasts["event"].values]
    unassigned = cast(Any, forecasts.attrs.get("unassigned", "ignore"))
    truth = goes.occurred_table(windows, events, unassigned)
    keys = _spans(windows)
    first = np.flatnonzero(~keys.duplicated())
    index = pd.MultiIndex.from_frame(keys.iloc[first])
    place = index.get_indexer(pd.MultiIndex.from_frame(_spans(forecasts)))
    occurred = np.full(forecasts["probability"].shape, -1, dtype=np.int8)
    occurred[place >= 0] = truth[first[place[place >= 0]]]
    filled = forecasts.assign(occurred=forecasts["occurred"].copy(data=occurred))
    if windows.attrs.get("sampling") == "case-control":
        filled = filled.assign_attrs(sampling="case-control")
    return filled, int((place < 0).sum())


def describe(forecasts: xr.Dataset, paired: Paired, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """What a pairing is made of, for the reader: how many pairs, both issue times, whose outcomes differ.

    Args:
        forecasts: Forecasts that lead.
        paired: The other's, beside them.
        rows: Windows that are scored, shape (window,).

    Returns:
        Numbers and texts for scores.json.
    """
    both = rows & (paired.issue_time != NO_TIME)
    ours = forecasts["occurred"].values
    differ = (paired.occurred >= 0) & (ours >= 0) & (paired.occurred != ours) & both[:, None]
    used = both & (paired.role > 0) & (paired.role != ROLES.index("test"))
    found: dict[str, Any] = {
        "pairs": int(both.sum()),
        "unpaired": int((rows & ~both).sum()),
        "outcomes_that_differ": int(differ.any(axis=1).sum()),
        "not_in_its_test_role": int(used.sum()),
    }
    if both.any():
        nth = int(np.argmax(both))
        issue = forecasts["issue_time"].values
        found["issue_offset_hours"] = float(np.median(paired.issue_time[both] - issue[both])) / 3600
        found["example"] = {
            "region": str(forecasts["region"].values[nth]),
            "valid_from": iso(forecasts["valid_from"].values[nth]),
            "valid_to": iso(forecasts["valid_to"].values[nth]),
            "issue_time": iso(issue[nth]),
            "reference_issue_time": iso(paired.issue_time[nth]),
        }
    return found


def require_pairs(name: str, forecasts: xr.Dataset, other: xr.Dataset, paired: Paired) -> None:
    """Check that a reference has anything in common with the forecasts.

    Raises:
        FlarecastError: No pair, or no common event; one window of each file is quoted.
    """
    if not paired.events.any():
        ours, theirs = (", ".join(map(str, one["event"].values)) for one in (forecasts, other))
        raise FlarecastError(f"reference {name}: expected forecasts of {ours}, got only {theirs}")
    if (paired.issue_time == NO_TIME).all():
        raise FlarecastError(
            f"reference {name}: expected the same regions, spans and days ahead, got none in common; "
            f"the forecasts: {_quote(forecasts)}, the reference: {_quote(other)}"
        )


def _quote(forecasts: xr.Dataset) -> str:
    """First window in words, of forecasts that say anything."""
    if np.isnan(forecasts["probability"].values).all():
        return "no probability at all"
    first = _keys(forecasts).iloc[0]
    span = f"{iso(first['valid_from'])} to {iso(first['valid_to'])}"
    return f"first {first['region']} from {span}, day {first['day_ahead']}"


def _spans(forecasts: xr.Dataset) -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: np.asarray(forecasts[name].values, dtype=object if name == "region" else None)
            for name in _SPAN
        }
    )


def _keys(forecasts: xr.Dataset) -> pd.DataFrame:
    """Region, span, day ahead and issue time of every window."""
    issue, valid_from = forecasts["issue_time"].values, forecasts["valid_from"].values
    return _spans(forecasts).assign(day_ahead=day_ahead(issue, valid_from), issue_time=issue)


def _event_columns(events: Iterable[Any], others: Iterable[Any]) -> IntArray:
    """Column of the other file with the same class, compared as numbers; -1 where it has none."""
    flux = np.array([goes.parse_class(str(event)) for event in others])
    columns = []
    for event in events:
        same = np.flatnonzero(np.isclose(flux, goes.parse_class(str(event)), rtol=goes.TOLERANCE, atol=0))
        columns.append(int(same[0]) if same.size else -1)
    return np.array(columns, dtype=np.int64)

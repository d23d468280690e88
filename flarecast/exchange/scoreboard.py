"""Forecasts of active regions that the CCMC Flare Scoreboard collects, as a CSV of several methods.

    noaaID,...,model,prediction_window_start,prediction_window_end,issue_time,CPlus,MPlus,C,M,X

Probabilities are fractions, empty or -1 where a method gives none. `CPlus` and `MPlus` are of that class or a
larger one; `C` and `M` alone are of that class only, so they are not read; nothing is larger than `X`. Some
methods add up M and X, which makes an `MPlus` above 1: such a value is left out and counted.
"""

from collections import Counter
from pathlib import Path

import xarray as xr

from flarecast.errors import FlarecastError
from flarecast.exchange import method_csv
from flarecast.exchange.choosing import Row, as_forecasts, source_files
from flarecast.exchange.method_csv import Cells
from flarecast.flares import clock
from flarecast.flares.layouts import number
from flarecast.flares.numbering import complete_one, printed_number
from flarecast.schema import NO_TIME

COLUMNS = ("noaaID", "model", "prediction_window_start", "prediction_window_end", "issue_time")
EVENTS = {"CPlus": "C1.0", "MPlus": "M1.0", "XPlus": "X1.0", "X": "X1.0"}
WHAT = "a CSV of the Scoreboard"
NOT_FORECAST = -1.0
NO_SPAN, NO_REGION, WIDTH, NO_NUMBER = "no valid span", "no region", "wrong width", "no number"
ABOVE_ONE, BELOW_ZERO = "n_above_one", "n_below_zero"


def read_scoreboard(raw: Path, *, method: str = "") -> xr.Dataset:
    """Read the forecasts of one method.

    Args:
        raw: The CSV, or a folder searched for such.
        method: Name in the column `model`; needed where a file has several.

    Returns:
        A forecasts Dataset of the classes that the method gives, without outcomes. Attributes count lines,
        those skipped by reason, and probabilities left out for being above 1.

    Raises:
        FlarecastError: No such file, no such method, or no forecast of it.
    """
    paths = method_csv.find_files(raw, COLUMNS, WHAT)
    lines = [line for path in paths for line in method_csv.read_lines(path, COLUMNS, WHAT)]
    method, methods = method_csv.choose_method(raw, method, {cells["model"] for _, cells in lines})
    counts: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    rows: list[Row] = []
    first_bad = ""
    n_lines = 0
    for where, cells in lines:
        if cells["model"] != method:
            continue
        n_lines += 1
        found = _rows(cells, counts)
        if isinstance(found, str):
            skipped[found] += 1
            first_bad = first_bad or f"{where}: {found} in {','.join(cells.values())[:100]!r}"
        else:
            rows += found
    if not rows:
        raise FlarecastError(f"{first_bad or f'{raw}: expected forecasts of {method}, got empty cells'}")
    attributes = {
        "source": "scoreboard",
        "source_files": source_files(raw, paths),
        "history": f"read-forecasts scoreboard: method {method} of {', '.join(methods)}",
        "n_lines": n_lines,
        "n_skipped": skipped.total(),
        "skipped": ", ".join(f"{reason} {count}" for reason, count in sorted(skipped.items())),
        ABOVE_ONE: counts[ABOVE_ONE],
        BELOW_ZERO: counts[BELOW_ZERO],
    }
    return as_forecasts(rows, method, attributes)


def _rows(cells: Cells, counts: Counter[str]) -> list[Row] | str:
    """Forecasts of a line; or why there are none. Values outside [0, 1] are counted."""
    names = ("issue_time", "prediction_window_start", "prediction_window_end")
    issue, start, end = (clock.moment(cells[name]) for name in names)
    if NO_TIME in (issue, start, end) or end <= start:
        return NO_SPAN
    region = complete_one(printed_number(cells["noaaID"]), start)
    if not region:
        return NO_REGION
    rows: list[Row] = []
    for column, event in EVENTS.items():
        cell = cells.get(column, "")
        value = number(cell) if cell else NOT_FORECAST
        if value != value:
            return NO_NUMBER
        if value == NOT_FORECAST or (rows and rows[-1].event == event):
            continue
        if not 0 <= value <= 1:
            counts[ABOVE_ONE if value > 1 else BELOW_ZERO] += 1
            continue
        rows.append(Row(issue, start, end, f"NOAA {region}", event, value))
    return rows

"""Forecasts of active regions that the CCMC Flare Scoreboard collects, as a CSV of several methods.

    noaaID,...,model,prediction_window_start,prediction_window_end,issue_time,CPlus,MPlus,C,M,X

Probabilities are fractions, empty or -1 where a method gives none. `CPlus` and `MPlus` are of that class or a
larger one; `C` and `M` alone are of that class only, so they are not read; nothing is larger than `X`. Some
methods add up M and X, which makes an `MPlus` above 1: such a value is left out and counted.
"""

import csv
import io
from collections import Counter
from pathlib import Path

import xarray as xr

from flarecast.errors import FlarecastError
from flarecast.exchange.choosing import Row, as_forecasts, source_files
from flarecast.flares import clock
from flarecast.flares.layouts import number
from flarecast.flares.numbering import complete_one, printed_number
from flarecast.schema import NO_TIME

COLUMNS = ("noaaID", "model", "prediction_window_start", "prediction_window_end", "issue_time")
EVENTS = {"CPlus": "C1.0", "MPlus": "M1.0", "XPlus": "X1.0", "X": "X1.0"}
NOT_FORECAST = -1.0
LARGEST = 200_000_000
"""Of a larger file only so much is read [bytes]; a year of all methods has some 10 MB."""

NO_SPAN, NO_REGION, WIDTH, NO_NUMBER = "no valid span", "no region", "wrong width", "no number"
ABOVE_ONE, BELOW_ZERO = "n_above_one", "n_below_zero"

Cells = dict[str, str]


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
    paths = _files(raw)
    lines = [line for path in paths for line in _lines(path)]
    methods = sorted({cells["model"] for _, cells in lines if cells["model"]})
    if not method and len(methods) == 1:
        method = methods[0]
    if method not in methods:
        raise FlarecastError(
            f"{raw}: expected one method among {', '.join(methods) or 'none'}, got {method or 'none named'};"
            " name it with --method"
        )
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


def _files(raw: Path) -> list[Path]:
    """The file named, or the CSV files of a folder that have the columns."""
    if raw.is_file():
        return [raw]
    if not raw.is_dir():
        raise FlarecastError(f"{raw}: expected a CSV of the Scoreboard or a folder with one, found none")
    paths = [path for path in sorted(raw.rglob("*.csv")) if path.is_file() and _has_columns(path)]
    if not paths:
        raise FlarecastError(f"{raw}: expected a CSV with the columns {', '.join(COLUMNS)}, found none")
    return paths


def _has_columns(path: Path) -> bool:
    with path.open("rb") as file:
        header = file.readline(10_000).decode("utf-8-sig", errors="replace")
    return set(COLUMNS) <= {name.strip() for name in header.split(",")}


def _lines(path: Path) -> list[tuple[str, Cells]]:
    """Lines of a file as cells by column.

    Raises:
        FlarecastError: It cannot be read, or is no such CSV.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    rows = csv.reader(io.StringIO(text.replace("\0", "")))
    csv.field_size_limit(1_000_000)
    found = []
    try:
        header = [name.strip() for name in next(rows, [])]
        absent = [name for name in COLUMNS if name not in header]
        if absent:
            raise FlarecastError(
                f"{path}: expected a CSV of the Scoreboard, got one without {', '.join(absent)}"
            )
        for row in rows:
            cells = {name: cell.strip() for name, cell in zip(header, row, strict=False)}
            if row:
                found.append((f"{path} line {rows.line_num}", dict.fromkeys(COLUMNS, "") | cells))
    except csv.Error as error:
        raise FlarecastError(f"{path} line {rows.line_num}: expected CSV ({error})") from error
    return found

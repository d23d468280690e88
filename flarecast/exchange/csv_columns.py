"""The cells of a forecast CSV: texts to numbers, every problem with its line, said in one sentence."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flarecast import goes
from flarecast.errors import FlarecastError

COLUMNS = ("issue_time", "valid_from", "valid_to", "region", "event", "probability", "occurred")

_COLUMN = re.compile(rf"({'|'.join(COLUMNS)})(\.\d+)?")
"""A column that is read; pandas numbers one that is there twice."""

_NOTHING = ("", "nan", "NaN", "NA")
"""Texts that mean no value in a column of numbers."""


def read_columns(path: Path) -> tuple[pd.DataFrame, dict[str, int]]:
    """Read and check the columns of a forecast CSV.

    Returns:
        Table with a row per line: times [s since 1970], region, event (like `M1.0`), probability (NaN = not
        forecast), occurred (1, 0, -1), line; and counts of what was read with leniency.

    Raises:
        FlarecastError: The file is missing, no such table, or a cell is wrong; all problems are named.
    """
    text = _read_text(path)
    problems: list[str] = []
    line = text.index.to_numpy() + 2  # the header is line 1
    rows: dict[str, Any] = {"line": line}
    no_zone = 0
    for name in ("issue_time", "valid_from", "valid_to"):
        rows[name], naive = _times(name, text[name], problems)
        no_zone += naive
    rows["region"] = _distinct("region", text["region"], _region, problems)
    rows["event"] = _distinct("event", text["event"], goes.spell_class, problems)
    rows["probability"] = _numbers("probability", text["probability"], problems)
    outcome = _numbers("occurred", text["occurred"], problems)
    if not problems:
        problems += _swapped(rows["probability"], outcome) or [
            *_wrong_probabilities(rows["probability"], line),
            *_wrong_outcomes(outcome, line),
            *_wrong_spans(rows["valid_from"], rows["valid_to"], line),
        ]
    if problems:
        raise FlarecastError(f"{path}: " + "; ".join(problems))
    rows["occurred"] = np.nan_to_num(outcome, nan=-1).astype(np.int8)
    return pd.DataFrame(rows), {"n_times_without_zone": no_zone}


def _read_text(path: Path) -> pd.DataFrame:
    """Cells as text, in the columns that are read."""
    if not path.is_file():
        raise FlarecastError(f"{path}: expected a CSV of forecasts, found no file")
    try:
        table = pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
            index_col=False,  # rows with a cell more than the header are not shifted by one
            usecols=lambda name: _COLUMN.fullmatch(str(name).strip()) is not None,
            skipinitialspace=True,
            skip_blank_lines=False,
        )
    except (ValueError, OSError) as error:  # pandas' parser errors and UnicodeDecodeError are ValueErrors
        reason = str(error).strip().splitlines()[0]
        raise FlarecastError(f"{path}: expected a CSV of forecasts, got something else ({reason})") from error
    table.columns = table.columns.str.strip()
    twice = [name for name in COLUMNS if table.columns.str.fullmatch(rf"{name}(\.\d+)?").sum() > 1]
    if twice:
        raise FlarecastError(f"{path}: expected each column once, got {', '.join(twice)} more than once")
    absent = [name for name in COLUMNS if name not in table.columns]
    if absent:
        raise FlarecastError(
            f"{path}: expected columns {', '.join(COLUMNS)}, got a table without {', '.join(absent)}"
        )
    table = table[list(COLUMNS)].fillna("")
    table = table[(table != "").any(axis=1)]  # blank lines; the index keeps counting them
    if table.empty:
        raise FlarecastError(f"{path}: expected rows of forecasts, got only a header line")
    return table


def _distinct(
    name: str, cells: pd.Series, convert: Callable[[str], Any], problems: list[str]
) -> NDArray[Any]:
    """Convert each distinct text once; note the first line of the first that fails."""
    code, texts = pd.factorize(cells)
    values: list[Any] = []
    failed: list[tuple[int, str]] = []
    for nth, text in enumerate(texts):
        try:
            values.append(convert(text.strip()))
        except (FlarecastError, ValueError) as error:
            values.append(None)
            failed.append((nth, str(error)))
    if failed:
        line = cells.index[int(np.argmax(code == failed[0][0]))] + 2
        more = f" and {len(failed) - 1} more like it" if len(failed) > 1 else ""
        problems.append(f"{name} in line {line}: {failed[0][1]}{more}")
        return np.zeros(len(cells), dtype=object)
    converted = np.array(values, dtype=np.int64 if isinstance(values[0], int) else object)
    return np.asarray(converted[code])


def _times(name: str, cells: pd.Series, problems: list[str]) -> tuple[NDArray[Any], int]:
    """UTC seconds since 1970, and how many distinct times named no zone."""
    naive = set()

    def seconds(text: str) -> int:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise FlarecastError(
                f"expected an ISO 8601 time in UTC like 2012-03-07T00:00:00Z, got {text!r}"
            ) from error
        if moment.tzinfo is None:
            naive.add(text)
            moment = moment.replace(tzinfo=UTC)
        return int(moment.timestamp() // 1)

    return _distinct(name, cells, seconds, problems), len(naive)


def _region(text: str) -> str:
    if not text:
        raise FlarecastError("expected a name like disk or NOAA 11429, got an empty cell")
    return text


def _numbers(name: str, cells: pd.Series, problems: list[str]) -> NDArray[np.float64]:
    """Numbers, NaN where the cell is empty; parsed by Python, whose floats come back to the last digit."""
    texts = cells.where(~cells.isin(_NOTHING), "nan").tolist()
    try:
        return np.array([float(text) for text in texts], dtype=np.float64)
    except ValueError:
        wrong = [nth for nth, text in enumerate(texts) if not _is_number(text)]
        what = "0, 1 or an empty cell" if name == "occurred" else "a number or an empty cell"
        problems.append(
            f"{name}: expected {what}, got {texts[wrong[0]]!r} in {_lines(cells.index[wrong] + 2)}"
        )
        return np.full(len(texts), np.nan)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _lines(numbers: Any) -> str:
    """`line 5`, or `line 5 and 3 more`."""
    more = f" and {len(numbers) - 1:,} more" if len(numbers) > 1 else ""
    return f"line {numbers[0]}{more}"


def _swapped(probability: NDArray[np.float64], outcome: NDArray[np.float64]) -> list[str]:
    """Probabilities that are all 0 or 1 beside outcomes that are fractions: the columns changed places."""
    stated = probability[~np.isnan(probability)]
    if not stated.size or not np.isin(stated, (0, 1)).all() or not ((outcome > 0) & (outcome < 1)).any():
        return []
    return [
        "probability and occurred: expected fractions and then 0 or 1, got only 0 and 1 as probability and "
        "fractions as occurred; the two columns look swapped"
    ]


def _wrong_probabilities(probability: NDArray[np.float64], line: NDArray[Any]) -> list[str]:
    wrong = np.flatnonzero((probability < 0) | (probability > 1))
    if not wrong.size:
        return []
    largest = np.nanmax(probability)
    hint = "; they look like percent, divide by 100" if 2 < largest <= 100 else ""
    got = f"{probability[wrong[0]]:g} in {_lines(line[wrong])}"
    return [f"probability: expected fractions in [0, 1], got {got}{hint}"]


def _wrong_outcomes(outcome: NDArray[np.float64], line: NDArray[Any]) -> list[str]:
    wrong = np.flatnonzero(~np.isnan(outcome) & ~np.isin(outcome, (0, 1)))
    if not wrong.size:
        return []
    got = f"{outcome[wrong[0]]:g} in {_lines(line[wrong])}"
    return [f"occurred: expected 1, 0 or empty where unknown, got {got}"]


def _wrong_spans(valid_from: NDArray[Any], valid_to: NDArray[Any], line: NDArray[Any]) -> list[str]:
    wrong = np.flatnonzero(valid_to <= valid_from)
    if not wrong.size:
        return []
    return [f"valid_to: expected a time after valid_from, got none in {_lines(line[wrong])}"]

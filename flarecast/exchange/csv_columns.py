"""The cells of a forecast CSV: texts to numbers, piece by piece of the file, every problem with its line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flarecast import goes
from flarecast.errors import FlarecastError
from flarecast.exchange.csv_problems import Problems
from flarecast.exchange.rows import Rows, numbered
from flarecast.schema import YEARS

COLUMNS = ("issue_time", "valid_from", "valid_to", "region", "event", "probability", "occurred")
TIMES = ("issue_time", "valid_from", "valid_to")
TYPES = {"region": np.int32, "event": np.int16, "probability": np.float64, "occurred": np.int8}

PIECE = 200_000
"""Lines read at a time."""

_NOTHING = ("", "nan", "NaN", "NA")
"""Texts that mean no value in a column of numbers."""


@dataclass
class _Names:
    """Names met so far, numbered in the spelling that counts."""

    convert: Callable[[str], str]
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, text: str) -> int:
        """Number of a name by its text.

        Raises:
            FlarecastError: It is none.
        """
        return self.numbers.setdefault(self.convert(text), len(self.numbers))


def read_columns(path: Path) -> tuple[Rows, dict[str, int]]:
    """Read and check the columns of a forecast CSV.

    Returns:
        Its rows; and counts of what was read with leniency.

    Raises:
        FlarecastError: The file is missing, no such table, or a cell is wrong; all problems are named.
    """
    problems = Problems()
    region, event = _Names(_region), _Names(goes.spell_class)
    no_zone = 0
    pieces: dict[str, list[NDArray[Any]]] = {name: [] for name in (*COLUMNS, "line")}
    for cells in _pieces(path):
        line = cells.index.to_numpy() + 2  # the header is line 1
        for name in TIMES:
            clock = _Clock()
            pieces[name].append(_distinct(name, cells[name], clock.seconds, problems))
            no_zone += int(cells[name].str.strip().isin(clock.naive).sum()) if clock.naive else 0
        for name, names in (("region", region), ("event", event)):
            pieces[name].append(_distinct(name, cells[name], names.number, problems).astype(TYPES[name]))
        probability = _numbers("probability", cells["probability"], problems)
        outcome = _numbers("occurred", cells["occurred"], problems)
        problems.check(probability, outcome, pieces["valid_to"][-1] <= pieces["valid_from"][-1], line)
        pieces["probability"].append(probability)
        pieces["occurred"].append(np.where(np.isin(outcome, (0, 1)), outcome, -1).astype(np.int8))
        pieces["line"].append(line.astype(np.int32))
    if not pieces["line"]:
        raise FlarecastError(f"{path}: expected rows of forecasts, got only a header line")
    if found := problems.sentences():
        raise FlarecastError(f"{path}: " + "; ".join(found))
    columns: dict[str, Any] = {name: np.concatenate(pieces.pop(name)) for name in list(pieces)}
    for name, names, by_class in (("region", region, False), ("event", event, True)):
        place, columns[f"{name}s"] = numbered(list(names.numbers), by_class)
        columns[name] = place.astype(TYPES[name])[columns[name]]
    return Rows(**columns), {"n_times_without_zone": no_zone}


def _pieces(path: Path) -> Iterator[pd.DataFrame]:
    """Cells as text, in the columns that are read, a piece at a time; the index counts blank lines, too."""
    if not path.is_file():
        raise FlarecastError(f"{path}: expected a CSV of forecasts, found no file")
    options: dict[str, Any] = {
        "dtype": str,
        "keep_default_na": False,
        "encoding": "utf-8-sig",
        "index_col": False,  # rows with a cell more than the header are not shifted by one
        "skipinitialspace": True,
        "skip_blank_lines": False,
    }
    with _readable(path):
        header = pd.read_csv(path, nrows=0, header=0, **options).columns
    places = _places(path, header)
    with _readable(path), pd.read_csv(path, usecols=list(places), chunksize=PIECE, **options) as reader:
        for table in reader:
            table.columns = table.columns.str.strip()
            cells = table[list(COLUMNS)].fillna("")
            cells = cells[(cells != "").any(axis=1)]
            if len(cells):
                yield cells


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn pandas' errors into a sentence."""
    try:
        yield
    except FlarecastError:
        raise
    except (ValueError, OSError) as error:  # pandas' parser errors and UnicodeDecodeError are ValueErrors
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise FlarecastError(f"{path}: expected a CSV of forecasts, got something else ({reason})") from error


def _places(path: Path, header: pd.Index) -> list[str]:
    """Names in the header of the columns that are read; pandas numbers one that is there twice.

    Raises:
        FlarecastError: One is not there, or twice.
    """
    names = header.str.strip()
    twice = [name for name in COLUMNS if names.str.fullmatch(rf"{name}(\.\d+)?").sum() > 1]
    if twice:
        raise FlarecastError(f"{path}: expected each column once, got {', '.join(twice)} more than once")
    absent = [name for name in COLUMNS if name not in names]
    if absent:
        raise FlarecastError(
            f"{path}: expected columns {', '.join(COLUMNS)}, got a table without {', '.join(absent)}"
        )
    return [str(header[names.get_loc(name)]) for name in COLUMNS]


def _distinct(
    name: str, cells: pd.Series, convert: Callable[[str], int], problems: Problems
) -> NDArray[np.int64]:
    """Convert each distinct text once; note those that fail, 0 stands for them."""
    code, texts = pd.factorize(cells)
    values = np.zeros(len(texts), dtype=np.int64)
    failed: list[tuple[int, str]] = []
    for nth, text in enumerate(texts):
        try:
            values[nth] = convert(text.strip())
        except (FlarecastError, ValueError, OverflowError) as error:
            failed.append((nth, str(error)))
    if failed:
        line = int(cells.index[int(np.argmax(code == failed[0][0]))]) + 2
        problems.note(name, line, failed[0][1], len(failed))
    return np.asarray(values[code])


@dataclass(frozen=True)
class _Clock:
    """Reads times; those that name no zone are remembered and taken as UTC."""

    naive: set[str] = field(default_factory=set)

    def seconds(self, text: str) -> int:
        """Seconds since 1970.

        Raises:
            FlarecastError: It is no time.
        """
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise FlarecastError(
                f"expected an ISO 8601 time in UTC like 2012-03-07T00:00:00Z, got {text[:50]!r}"
            ) from error
        if moment.tzinfo is None:
            self.naive.add(text)
            moment = moment.replace(tzinfo=UTC)
        seconds = int(moment.timestamp() // 1)
        if not YEARS[0] <= seconds <= YEARS[1]:
            raise FlarecastError(f"expected a time of the years 1 to 9999 in UTC, got {text[:50]!r}")
        return seconds


def _region(text: str) -> str:
    if not text:
        raise FlarecastError("expected a name like disk or NOAA 11429, got an empty cell")
    return text


def _numbers(name: str, cells: pd.Series, problems: Problems) -> NDArray[np.float64]:
    """Numbers, NaN where the cell is empty; parsed by Python, whose floats come back to the last digit."""
    texts = cells.where(~cells.isin(_NOTHING), "nan").tolist()
    try:
        return np.array([float(text) for text in texts], dtype=np.float64)
    except ValueError:
        wrong = [nth for nth, text in enumerate(texts) if not _is_number(text)]
        problems.note_number(name, texts[wrong[0]], int(cells.index[wrong[0]]) + 2, len(wrong))
        return np.full(len(texts), np.nan)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

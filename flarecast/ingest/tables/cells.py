"""The cells of a CSV or Parquet file, as text, with the place of every row."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from flarecast.errors import FlarecastError
from flarecast.ingest.tables.mapping import File, Table

SHOWN = 20
"""Broken rows that are remembered word by word."""

LONGEST_LINE = 1_000_000
PARQUET = {".parquet", ".pq"}

_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"PK": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"(\xb5/\xfd": "zstandard",
}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


@dataclass
class Tally:
    """Rows left out, by reason, and the first of them in words."""

    skipped: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)

    def skip(self, where: str, reason: str, told: str) -> None:
        """Count a row that is left out: the reason in general, and what was expected and got."""
        self.skipped[reason] += 1
        if len(self.first) < SHOWN:
            self.first.append(f"{where}: {_CONTROL.sub('?', told)}")


@dataclass
class Cells:
    """Columns of text, all of one length.

    Attributes:
        columns: Stripped cells of the columns that the mapping names, by name.
        files: Files read, in order.
        file: Index into `files` of each row.
        line: Line (CSV) or row (Parquet) of each row in its file, from 1.
        good: False where a row is left out; it keeps its place, because blocks are counted in lines.
        tally: The rows left out.
    """

    columns: dict[str, list[str]]
    files: list[Path] = field(default_factory=list)
    file: list[int] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    good: list[bool] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)

    @property
    def n_rows(self) -> int:
        """Rows, broken ones included."""
        return len(self.line)

    def where(self, row: int) -> str:
        """File and line of a row."""
        path = self.files[self.file[row]]
        return f"{path} {'row' if path.suffix in PARQUET else 'line'} {self.line[row]}"

    def leave_out(self, row: int, reason: str, told: str) -> None:
        """Leave a row out, once."""
        if self.good[row]:
            self.good[row] = False
            self.tally.skip(self.where(row), reason, told)


def read_cells(paths: Sequence[Path], table: Table) -> Cells:
    """Read the columns that a mapping names from files of one form.

    Raises:
        FlarecastError: A file cannot be read, is no such file, or lacks a column.
    """
    names = _names(table)
    cells = Cells({name: [] for name in names})
    for number, path in enumerate(paths):
        cells.files.append(path)
        read = _read_parquet if path.suffix in PARQUET else _read_csv
        read(path, number, table, cells)
    return cells


def features_there(cells: Cells, table: Table) -> list[str]:
    """Features of the mapping but optional ones whose column no file has.

    Raises:
        FlarecastError: None is there.
    """
    found = [
        name
        for name, feature in table.features.items()
        if not feature.optional or any(cells.columns[_column(name, feature.column)])
    ]
    if not found:
        raise FlarecastError(f"{cells.files[0]}: expected a column of at least one feature, got none")
    return found


def is_missing(text: str, file: File) -> bool:
    """Whether a cell holds nothing."""
    return not text or text in file.missing


def _column(name: str, column: str | None) -> str:
    return name if column is None else column


def _names(table: Table) -> list[str]:
    """Columns that the mapping names, each once."""
    named: list[str | None] = [table.region.column, table.region.noaa_column, table.region.longitude_column]
    named += [table.time.column, table.window.block_column]
    named += [table.event.start_column, table.event.peak_column, table.event.id_column]
    named += [_column(name, feature.column) for name, feature in table.features.items()]
    if table.outcome:
        outcome = table.outcome
        named += [outcome.class_column, outcome.magnitude_column, outcome.flux_column, outcome.label_column]
        named += list((outcome.counts or {}).values())
    return list(dict.fromkeys(name for name in named if name is not None))


def _places(where: str, there: Sequence[str], table: Table) -> dict[str, int]:
    """Place of every column of the mapping; optional ones that are not there are left out.

    Raises:
        FlarecastError: A column is not there, or is there twice.
    """
    optional = {_column(name, one.column) for name, one in table.features.items() if one.optional}
    wanted = _names(table)
    absent = [name for name in wanted if name not in there and name not in optional]
    if absent:
        got = ", ".join(there) if len(there) <= 60 else f"{', '.join(there[:60])} ..."
        raise FlarecastError(
            f"{where}: expected the columns {', '.join(map(repr, absent))} that the mapping names, got"
            f" {_CONTROL.sub('?', got)[:1000]}"
        )
    twice = [name for name in wanted if list(there).count(name) > 1]
    if twice:
        raise FlarecastError(f"{where}: expected each column once, got {', '.join(map(repr, twice))} twice")
    return {name: list(there).index(name) for name in wanted if name in there}


def _read_csv(path: Path, number: int, table: Table, cells: Cells) -> None:
    """Add the rows of a CSV file."""
    lines = _lines(path)
    header = list(table.file.columns)
    if not header:
        place, text = next(lines, (1, ""))
        try:
            header = _split(text, table.file.separator)
        except csv.Error as error:
            raise FlarecastError(f"{path} line {place}: expected a header, got {text[:60]!r}") from error
        header = [""] * table.file.unnamed_first + header
    where = _places(f"{path} line 1", header, table)
    for place, text in lines:
        try:
            row = _split(text, table.file.separator)
        except csv.Error:
            row = []
        if row == header:
            continue  # a header line once more, as where files were joined
        cells.file.append(number)
        cells.line.append(place)
        whole = len(row) == len(header)
        cells.good.append(True)
        for name, column in cells.columns.items():
            column.append(row[where[name]] if whole and name in where else "")
        if not whole:
            told = f"expected {len(header)} cells, got {len(row)} in {text[:80]!r}"
            cells.leave_out(cells.n_rows - 1, "wrong width", told)


def _split(text: str, separator: str) -> list[str]:
    """Cells of one line; a quote that is not closed is an error of csv."""
    return [cell.strip() for cell in next(csv.reader((text,), delimiter=separator, strict=True))]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without blank ones.

    Raises:
        FlarecastError: The file cannot be read, is compressed or no text, or has a line without end.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8)
        kind = next((name for magic, name in _COMPRESSED.items() if start.startswith(magic)), "")
        if kind:
            raise FlarecastError(f"{path}: expected text, got {kind} data; unpack it first")
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            place = 0
            while text := file.readline(LONGEST_LINE):
                place += 1
                if len(text) == LONGEST_LINE:
                    raise FlarecastError(
                        f"{path} line {place}: expected less than {LONGEST_LINE:,} characters"
                    )
                if text.strip():
                    yield place, text.rstrip("\n")
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read_parquet(path: Path, number: int, table: Table, cells: Cells) -> None:
    """Add the rows of a Parquet file, as the text that a CSV of it would hold.

    Raises:
        FlarecastError: pyarrow is not installed, or the file is not Parquet.
    """
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except ImportError as error:
        text = f"{path}: expected pyarrow to read Parquet, got none; pip install 'flarecast[parquet]'"
        raise FlarecastError(text) from error
    except (OSError, ValueError, KeyError, TypeError) as error:  # what pyarrow raises derives from these
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FlarecastError(f"{path}: expected Parquet, got something else ({reason})") from error
    if "" not in frame.columns:
        frame = frame.reset_index(names="")
    where = _places(str(path), [str(name) for name in frame.columns], table)
    for name, column in cells.columns.items():
        column += _texts(frame.iloc[:, where[name]]) if name in where else [""] * len(frame)
    cells.file += [number] * len(frame)
    cells.line += range(1, len(frame) + 1)
    cells.good += [True] * len(frame)


def _texts(column: Any) -> list[str]:
    """Values of a column as text: nothing where there is none, times in ISO-8601."""
    absent = np.asarray(column.isna())
    if column.dtype.kind == "M":
        texts = [value.isoformat() for value in column]
    else:
        texts = [str(value).strip() for value in column.tolist()]
    return ["" if none else text for none, text in zip(absent, texts, strict=True)]

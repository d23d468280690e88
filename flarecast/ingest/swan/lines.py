"""Lines to numbers, many at once: per-call cost, not parsing, is what makes small files slow."""

import csv
import re
from dataclasses import dataclass, field
from io import BytesIO
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flarecast.errors import FlarecastError
from flarecast.ingest.swan.columns import FEATURES, Layout

Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]

BATCH = 2_048
"""Lines that are parsed at once; 1.5 MB."""

MISSING = frozenset(("", "na", "nan", "-nan", "n/a", "null"))
"""What stands for a number that is not there, in any case. `None` does not: it means no label."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?inf(?:inity)?", re.ASCII | re.IGNORECASE)
_NOAA = re.compile(rb"\d{3,5}")

_TRUTHS = (b"true", b"false")

_FORMAT: dict[str, Any] = {
    "sep": "\t",
    "header": None,
    "dtype": np.float64,
    "keep_default_na": False,
    "quoting": csv.QUOTE_NONE,
    "skip_blank_lines": False,
    "lineterminator": "\n",
    "low_memory": False,  # which would parse pieces and put them together
    "engine": "c",
}
if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1):
    _FORMAT["float_precision"] = "round_trip"  # from 3.1 on it is, and to say so is deprecated

SHOWN = 20
"""Problems that are shown; all are counted."""


@dataclass
class Tally:
    """What could not be read, and how much of it may be."""

    max_bad_rows: int
    max_bad_windows: int
    n_bad_rows: int = 0
    n_bad_windows: int = 0
    n_infinite: int = 0
    shown: list[str] = field(default_factory=list)

    def row(self, where: str, problem: str) -> None:
        """Count a row that is left missing.

        Raises:
            FlarecastError: There are more than may be.
        """
        self.n_bad_rows += 1
        self._show(f"{where}: {problem}")
        self.check()

    def window(self, where: str, problem: str) -> None:
        """Count a window that is left out.

        Raises:
            FlarecastError: There are more than may be.
        """
        self.n_bad_windows += 1
        self._show(f"{where}: {problem}")
        self.check()

    def add(self, other: "Tally") -> None:
        """Take over what another reading counted."""
        self.n_bad_rows += other.n_bad_rows
        self.n_bad_windows += other.n_bad_windows
        self.n_infinite += other.n_infinite
        self.shown = (self.shown + other.shown)[:SHOWN]

    def check(self) -> None:
        """Raise a FlarecastError if there are more problems than may be."""
        for n_bad, limit, name in (
            (self.n_bad_rows, self.max_bad_rows, "max_bad_rows"),
            (self.n_bad_windows, self.max_bad_windows, "max_bad_windows"),
        ):
            if n_bad > limit:
                what = name.removeprefix("max_bad_")
                raise FlarecastError(
                    f"{self.shown[0]}; {n_bad} {what} cannot be read, more than {name} = {limit}: get the"
                    f" archive again or raise {name}"
                )

    def _show(self, problem: str) -> None:
        if len(self.shown) < SHOWN:
            self.shown.append(problem)


@dataclass
class Lines:
    """Lines that wait to be parsed, with their ends, all of one layout.

    Attributes:
        layout: Where their columns are.
        content: The lines.
        where: Files that they are from, in their order, each with the places of its lines below the header.
    """

    layout: Layout
    content: list[bytes] = field(default_factory=list)
    where: list[tuple[str, list[int]]] = field(default_factory=list)

    def parse(self, tally: Tally, where: str) -> tuple[Float32Array, Float32Array]:
        """Values (row, feature) and longitude [degree] (row,) of the lines; a broken line's are missing.

        Raises:
            FlarecastError: More lines are broken than may be.
        """
        numbers = self._numbers(tally, where)
        with np.errstate(over="ignore", invalid="ignore"):
            values = numbers[:, : len(FEATURES)].astype(np.float32)
            infinite = np.isinf(values)
            tally.n_infinite += int(np.count_nonzero(infinite))
            values[infinite] = np.nan
            if numbers.shape[1] == len(FEATURES):
                longitude = np.full(len(numbers), np.nan)
            else:
                longitude = numbers[:, -2] / 2 + numbers[:, -1] / 2
                longitude[~(np.abs(longitude) <= 180)] = np.nan
        return values, longitude.astype(np.float32)

    def _numbers(self, tally: Tally, where: str) -> FloatArray:
        """The columns that are read, as numbers; all at once if no line resists, else one by one."""
        n_tabs = self.layout.n_columns - 1
        text = b"".join(self.content)
        columns = self.layout.numbers
        if set(map(bytes.count, self.content, repeat(b"\t"))) == {n_tabs} and not self._odd(text):
            try:
                table = pd.read_csv(BytesIO(text), usecols=columns, na_values=sorted(MISSING), **_FORMAT)
            except (ValueError, OverflowError):
                pass
            else:
                if len(table) == len(self.content):
                    numbers: FloatArray = table[list(columns)].to_numpy(dtype=np.float64)
                    return numbers
        return self._one_by_one(tally, where)

    def _odd(self, text: bytes) -> bool:
        """Whether pandas would read what is no number: a column of truths, a number that a zero byte ends."""
        cells = self.content[0].split(b"\t")
        return b"\0" in text or any(
            cells[column].strip().lower() in _TRUTHS for column in self.layout.numbers
        )

    def _one_by_one(self, tally: Tally, where: str) -> FloatArray:
        """Parse line by line, and say which are broken and how."""
        numbers = np.full((len(self.content), len(self.layout.numbers)), np.nan)
        stands = [(path, place + 2) for path, places in self.where for place in places]
        for row, line in enumerate(self.content):
            cells = line.decode("latin-1").split("\t")
            problem = ""
            if len(cells) != self.layout.n_columns:
                problem = f"expected {self.layout.n_columns} columns, got {len(cells)}"
            else:
                for place, column in enumerate(self.layout.numbers):
                    text = cells[column].strip()
                    if _NUMBER.fullmatch(text):
                        numbers[row, place] = float(text)
                    elif text.lower() not in MISSING:
                        name = (*FEATURES, "LON_MIN", "LON_MAX")[place]
                        problem = f"expected a number as {name}, got {text[:40]!r}"
                        break
            if problem:
                numbers[row] = np.nan
                path, number = stands[row]
                tally.row(f"{where}: {path}, line {number}", problem)
        return numbers


def noaa_numbers(line: bytes, layout: Layout) -> str:
    """The NOAA numbers that a line gives, with five digits, in order, comma separated; empty if none."""
    if layout.noaa < 0:
        return ""
    cells = line.split(b"\t", layout.noaa + 1)
    if len(cells) <= layout.noaa:
        return ""
    found = [int(number) for number in _NOAA.findall(cells[layout.noaa])]
    # Since 2002 some products print 0123 for 10123.
    whole = {number + 10_000 * (number < 10_000) for number in found if number}
    return ",".join(str(number) for number in sorted(whole))

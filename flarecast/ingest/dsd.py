"""NOAA's daily solar data, `YYYY_DSD.txt`: one line a day, in the two layouts that exist since 1996.

    01 Jan 96   75      25        10     1       *    A1.2   *  *  *
    2012 01 01  130     61      810      0    -999   B4.4   2  0  0  2  0  0  0

Date, 10.7 cm flux [1e-22 W m-2 Hz-1], sunspot number, sunspot area [1e-6 hemisphere], new regions, Stanford
mean field [microtesla], 1-8 A background, numbers of C, M and X flares, and but for 1996 of optical flares of
importance S, 1, 2 and 3. `*`, `Unk`, -1 and -999 mean missing; a mean field of -1 is a value. Columns are
parted by blanks (in 38 lines of 2008 by a tab), so their place on the line is not relied on.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flarecast import goes
from flarecast.errors import FlarecastError

FILE_NAME = re.compile(r"(\d{4})(?:Q[1-4])?_DSD\.txt", re.IGNORECASE)

RANGES: dict[str, tuple[float, float]] = {
    "f107": (40, 1000),
    "sunspot_number": (0, 1000),
    "sunspot_area": (0, 20_000),
    "new_regions": (0, 50),
    "mean_field": (-998, 998),
    "background": (0, 1e-3),
    "c_flares": (0, 200),
    "m_flares": (0, 200),
    "x_flares": (0, 200),
    "optical_s": (0, 500),
    "optical_1": (0, 500),
    "optical_2": (0, 500),
    "optical_3": (0, 500),
}
"""Columns and what they can hold; anything else, like the -7940 new regions of 1996-01-07, is missing."""

BACKGROUND_FLOOR = 1e-8
"""A1.0 [W m-2]. Below it the satellites print their own noise: A0.0 for all of 2008, A0.3 to A0.9 in 1996."""

WRONG_WIDTH, NO_DATE, WRONG_YEAR = "wrong width", "no date", "day of another year"
NO_VALUE, CONFLICT, REPEATED = "no value", "repeated day, other values", "repeated day, same values"

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?")
_BACKGROUND = re.compile(r"([ABCMX])(\d+\.\d+)", re.IGNORECASE)
_MISSING = {"*", "unk", "-", "-999", "-1"}
_DATE_COLUMNS = 3
_WIDTHS = {"day month year": _DATE_COLUMNS + 9, "year month day": _DATE_COLUMNS + 13}
_BINARY = re.compile(r"[^\t\n\r\f\x1a\x20-\x7e\xa0-\xff]")
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass
class Tally:
    """What became of the value lines: each is read or skipped for a reason."""

    n_value_lines: int = 0
    n_rows_read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    first_bad: str = ""

    @property
    def n_bad(self) -> int:
        """Lines skipped for another reason than that they say a thing twice."""
        return sum(count for reason, count in self.skipped.items() if reason != REPEATED)

    def skip(self, where: str, reason: str, expected: str, line: str) -> None:
        """Count a line that is not read, and remember the first as a sentence."""
        self.skipped[reason] += 1
        if reason != REPEATED and not self.first_bad:
            self.first_bad = f"{where}: expected {expected}, got {line.strip()[:100]!r}"


@dataclass(frozen=True)
class DailyData:
    """Days on a grid without gaps.

    Attributes:
        day: Days since 1970-01-01, each one more than the last, shape (day,).
        columns: Values by column name, NaN = missing, each of shape (day,); background in W m-2.
        tally: Counts of lines.
        lower: Whether the day's flare counts are lower bounds, shape (day,); none are where it is not given.
        n_served: Days that come from elsewhere than the lines.
    """

    day: NDArray[np.int64]
    columns: dict[str, NDArray[np.float64]]
    tally: Tally
    lower: NDArray[np.bool_] | None = None
    n_served: int = 0


def find_files(folder: Path) -> list[Path]:
    """Files of daily solar data below a folder, by name."""
    paths = [path for path in folder.rglob("*") if FILE_NAME.fullmatch(path.name) and path.is_file()]
    return sorted(paths, key=lambda path: (path.name, str(path)))


def read_dsd(files: Sequence[Path], max_bad_rows: int) -> DailyData:
    """Read daily solar data from several files; of two lines for one day the first counts.

    Args:
        files: Files named `YYYY_DSD.txt`; the year is checked against the lines.
        max_bad_rows: Lines in all that may be skipped.

    Raises:
        FlarecastError: A file cannot be read, is no text or holds no day, or more lines were skipped.
    """
    tally = Tally()
    days: dict[int, list[float]] = {}
    for path in files:
        name = FILE_NAME.fullmatch(path.name)
        if name is None:
            raise FlarecastError(f"{path}: expected a name like 2012_DSD.txt, got {path.name}")
        _read_file(path, int(name[1]), days, tally)
    if tally.n_bad > max_bad_rows:
        reasons = format_counts(tally.skipped)
        raise FlarecastError(
            f"{tally.first_bad}; {tally.n_bad} of {tally.n_value_lines} lines are bad ({reasons}), more than"
            f" max_bad_rows = {max_bad_rows}: get the file again or raise max_bad_rows"
        )
    if not days:
        raise FlarecastError(
            f"{tally.first_bad or 'daily solar data: expected days, got none'}; no day was read"
        )
    return on_grid(days, tally)


def format_counts(counts: Counter[str]) -> str:
    """Counts as text: `wrong width 3, no date 1`; empty where there are none."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count)


def _read_file(path: Path, year: int, days: dict[int, list[float]], tally: Tally) -> None:
    """Add the days of one file to `days` and its lines to the tally."""
    text = _text(path)
    n_before = tally.n_value_lines
    for number, line in _value_lines(text):
        tally.n_value_lines += 1
        where = f"{path} line {number}"
        day, problem = _day(line.split(), year)
        if problem:
            tally.skip(where, *problem, line)
            continue
        values, odd = _values(line.split()[_DATE_COLUMNS:])
        if odd:
            tally.skip(where, NO_VALUE, f"a value or * as {odd}", line)
        elif day in days:
            same = np.array_equal(days[day], values, equal_nan=True)
            tally.skip(where, REPEATED if same else CONFLICT, "one line a day", line)
        else:
            tally.n_rows_read += 1
            columns = zip(RANGES, values, strict=True)
            tally.missing.update(name for name, value in columns if np.isnan(value))
            days[day] = values
    if tally.n_value_lines == n_before:
        raise FlarecastError(f"{path}: expected lines of daily values, got none; get the file again")


def _text(path: Path) -> str:
    """The file's text.

    Raises:
        FlarecastError: It cannot be read or holds bytes that are no text.
    """
    try:
        text = path.read_bytes().decode("latin-1")
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    odd = _BINARY.search(text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        raise FlarecastError(
            f"{path} line {line}: expected text, got byte 0x{ord(odd[0]):02x}; get the file again"
        )
    return text


def _value_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines of values with their numbers: no comment, and a digit first or numbers for the most part."""
    for number, line in enumerate(text.replace("\x1a", "").split("\n"), 1):
        tokens = line.split()
        if not tokens or tokens[0][0] in "#:":
            continue
        n_numbers = sum(_NUMBER.fullmatch(token) is not None for token in tokens)
        if tokens[0][0].isdigit() or 2 * n_numbers >= len(tokens):
            yield number, line


def _day(tokens: list[str], year: int) -> tuple[int, tuple[str, str] | None]:
    """Day since 1970 of a line; or why there is none, and what was expected."""
    spelled = len(tokens) > 1 and tokens[1][:1].isalpha()
    width = _WIDTHS["day month year" if spelled else "year month day"]
    if len(tokens) != width:
        return 0, (WRONG_WIDTH, f"{width} columns, not {len(tokens)}")
    try:
        if spelled:
            short = int(tokens[2])
            full = short + (1900 if short >= 70 else 2000) if short < 100 else short
            when = date(full, _MONTHS.index(tokens[1].lower()) + 1, int(tokens[0]))
        else:
            when = date(int(tokens[0]), int(tokens[1]), int(tokens[2]))
    except (ValueError, OverflowError):
        return 0, (NO_DATE, "a date in the first three columns")
    if when.year != year:
        return 0, (WRONG_YEAR, f"a day of {year}")
    return when.toordinal() - _EPOCH, None


def _values(tokens: list[str]) -> tuple[list[float], str]:
    """Values of a line in the order of `RANGES`, and the first column that holds no value of any kind."""
    values = [np.nan] * len(RANGES)
    for place, (token, (name, (low, high))) in enumerate(zip(tokens, RANGES.items(), strict=False)):
        background = _BACKGROUND.fullmatch(token) if name == "background" else None
        if background:
            value = float(background[2]) * goes.DECADES[background[1].upper()]
            value = max(value, BACKGROUND_FLOOR)
        elif token.lower() in _MISSING and not (token == "-1" and name == "mean_field"):
            continue
        elif name != "background" and _NUMBER.fullmatch(token):
            value = float(token)
        else:
            return values, name
        if low <= value <= high:
            values[place] = value
    return values, ""


def on_grid(days: dict[int, list[float]], tally: Tally) -> DailyData:
    """Days on a grid without gaps; a day without a line has NaN."""
    known = np.array(sorted(days))
    day = np.arange(known[0], known[-1] + 1)
    table = np.full((day.size, len(RANGES)), np.nan)
    table[known - day[0]] = [days[number] for number in known.tolist()]
    columns = {name: table[:, place] for place, name in enumerate(RANGES)}
    return DailyData(day, columns, tally)

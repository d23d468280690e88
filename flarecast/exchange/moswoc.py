"""Probabilities of the UK Met Office's verification data set: its own and SWPC's, for the disk.

    2014 01 01 00 00 60 60 60 15 15 15

Issue time, then the probability of a class M flare on each of three (SWPC) or four (IFF, the Met Office)
days, then of class X, in percent. Day 1 is the 24 h from the issue time on. `MX_list.txt` beside them has the
M and X flares of the same time, and says what occurred.
"""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import xarray as xr

from flarecast import goes
from flarecast.errors import FlarecastError
from flarecast.exchange.choosing import Row, as_forecasts, source_files
from flarecast.flares import clock, read_flares
from flarecast.schema import NO_TIME

METHODS = {"SWPC": "SWPC_fcast.txt", "IFF": "IFF_fcast.txt"}
FLARES = re.compile(r"MX_list.*\.txt", re.IGNORECASE)
EVENTS = ("M1.0", "X1.0")
LARGEST = 10_000_000
"""Ten years have 300 kB; a larger file is none of these [bytes]."""

LONGEST_QUIET = 120 * clock.DAY
"""Longer without an M flare the list has ended rather than the Sun been quiet, in a file that has any [s]."""

_LINE = re.compile(r"(\d{4}) +(\d{1,2}) +(\d{1,2}) +(\d{2}) +(\d{2})((?: +\S+){6}|(?: +\S+){8})")
_NOT_FORECAST = ("-1", "nan", "na", "-")


def read_moswoc(raw: Path, *, method: str = "SWPC") -> xr.Dataset:
    """Read the forecasts of one method, and what occurred where the flare list lies beside them.

    Args:
        raw: Folder, searched recursively, or the one file (then without outcomes).
        method: SWPC or IFF.

    Returns:
        A forecasts Dataset of M1.0 and X1.0, one window a day and day ahead.

    Raises:
        FlarecastError: An unknown method, no or unreadable files, or no forecast in them.
    """
    if method not in METHODS:
        raise FlarecastError(f"moswoc: expected a method among {', '.join(METHODS)}, got {method!r}")
    paths, lists = _files(raw, method)
    skipped: Counter[str] = Counter()
    first_bad, n_lines = "", 0
    rows: list[Row] = []
    for path in paths:
        for number, line in enumerate(_text(path).splitlines(), 1):
            if not line.strip():
                continue
            n_lines += 1
            found = parse_line(line)
            if isinstance(found, str):
                skipped[found] += 1
                first_bad = first_bad or f"{path} line {number}: {found}, got {line.strip()[:80]!r}"
            else:
                rows += found
    if not rows or 2 * skipped.total() > n_lines:
        reason = first_bad or f"{raw}: expected lines of forecasts, got none"
        raise FlarecastError(f"{reason}; {skipped.total()} of {n_lines} lines are bad")
    rows = _with_outcomes(rows, lists)
    attributes = {
        "source": "moswoc",
        "source_files": source_files(raw, [*paths, *lists]),
        "history": f"read-forecasts moswoc: method {method}, outcomes from {len(lists)} flare lists",
        "n_lines": n_lines,
        "n_skipped": skipped.total(),
        "skipped": ", ".join(f"{reason} {count}" for reason, count in sorted(skipped.items())),
    }
    return as_forecasts(rows, method.lower(), attributes)


def parse_line(line: str) -> list[Row] | str:
    """Forecasts of a line; or what was expected of it."""
    match = _LINE.fullmatch(line.strip()[:200])
    if match is None:
        return "expected a time and six or eight percentages"
    day = clock.day_start(int(match[1]), int(match[2]), int(match[3]))
    issue = clock.time_of_day(match[4] + match[5], day)
    if issue == NO_TIME:
        return "expected a date and time"
    cells = match[6].split()
    percent = [_percent(cell) for cell in cells]
    if None in percent:
        return "expected percentages from 0 to 100"
    n_days = len(cells) // 2
    return [
        Row(issue, issue + ahead * clock.DAY, issue + (ahead + 1) * clock.DAY, "disk", event, value / 100)
        for nth, event in enumerate(EVENTS)
        for ahead in range(n_days)
        if (value := percent[nth * n_days + ahead]) is not None and value == value
    ]


def _percent(cell: str) -> float | None:
    """A percentage, NaN where not forecast, None where it is neither."""
    if cell.lower() in _NOT_FORECAST:
        return float("nan")
    return float(cell) if re.fullmatch(r"\d{1,3}", cell) and int(cell) <= 100 else None


def _files(raw: Path, method: str) -> tuple[list[Path], list[Path]]:
    """Files of forecasts of a method, and of flares."""
    if raw.is_file():
        return [raw], []
    if not raw.is_dir():
        raise FlarecastError(f"{raw}: expected a folder with {METHODS[method]}, found none")
    texts = sorted(path for path in raw.rglob("*.txt") if path.is_file())
    paths = [path for path in texts if path.name.lower() == METHODS[method].lower()]
    if not paths:
        raise FlarecastError(f"{raw}: expected a file {METHODS[method]} in it or below, found none")
    return paths, [path for path in texts if FLARES.fullmatch(path.name)]


def _text(path: Path) -> str:
    """The file's text."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(content) > LARGEST or b"\0" in content:
        raise FlarecastError(f"{path}: expected some 100 kB of text, got more or no text; get it again")
    return content.decode("utf-8-sig", errors="replace")


def _with_outcomes(rows: list[Row], lists: list[Path]) -> list[Row]:
    """Forecasts with what occurred, by the peaks of the flares; unknown where no list reaches."""
    if not lists:
        return rows
    table = read_flares(lists)
    peak = np.where(table["peak"] != NO_TIME, table["peak"], table["start"])
    first, last = int(peak.min()) - LONGEST_QUIET, int(peak.max()) + LONGEST_QUIET
    peaks = {event: np.sort(peak[goes.at_least(table["flux"], goes.parse_class(event))]) for event in EVENTS}
    return [
        row._replace(occurred=int(np.diff(np.searchsorted(peaks[row.event], row[1:3]))[0] > 0))
        if first <= row.valid_from and row.valid_to <= last
        else row
        for row in rows
    ]

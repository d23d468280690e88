"""SHARP records: cells of text to numbers, and records of several tables put together."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flarecast.flares.numbering import complete_one
from flarecast.ingest.sharps.slots import FIRST_LIGHT, LAST, read_t_rec
from flarecast.schema import NO_TIME

Columns = dict[str, list[str]]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

NO_TIME_READ, NO_HARP, NO_VALUE, OUTSIDE, OTHER_SERIES, BROKEN = (
    "no time",
    "no HARP number",
    "no value",
    "misdated",
    "other series",
    "broken line",
)
NOT_BAD = {NO_VALUE, OTHER_SERIES}
"""Reasons that are in the nature of good tables: a HARP is tracked before its region can be measured."""

LARGEST_HARP = 99_999
UNKNOWN_QUALITY = -1

_FEW = 20
_MISSING = {"", "nan", "missing", "none", "null", "--", "-nan", "invalid keylink", "invalid keyword"}
_HARP = re.compile(r"(\d{1,5})(?:\.0*)?")
_NOAA = re.compile(r"(\d{1,6})(?:\.0*)?")
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Records:
    """Records of HARPs, in the order of reading or of HARP and time.

    Attributes:
        harp: HARP number, shape (record,).
        tai: T_REC as TAI [s since 1970, see `slots`], shape (record,).
        values: Features, NaN = missing, shape (record, feature).
        quality: Bits of QUALITY, -1 = not told, shape (record,).
        velocity: OBS_VR [m/s], NaN = not told, shape (record,).
        longitude: Stonyhurst longitude [deg], west positive, NaN = not told, shape (record,).
        noaa: Five-digit NOAA numbers, comma separated, shape (record,).
    """

    harp: IntArray
    tai: IntArray
    values: FloatArray
    quality: IntArray
    velocity: FloatArray
    longitude: FloatArray
    noaa: NDArray[np.object_]

    def take(self, chosen: NDArray[np.integer] | NDArray[np.bool_]) -> "Records":
        """Some of the records."""
        return Records(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


@dataclass
class Tally:
    """What became of the lines: read, or skipped for a reason."""

    n_lines: int = 0
    n_read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    n_odd_cells: int = 0
    n_odd_noaa: int = 0
    n_repeated: int = 0
    n_conflicting: int = 0

    def skip(self, where: str, reason: str, told: str) -> None:
        """Count a line that is not read; remember the first as sentences."""
        self.skipped[reason] += 1
        sentences = self.others if reason in NOT_BAD else self.bad
        if len(sentences) < _FEW:
            sentences.append(f"{where}: {told}")

    @property
    def first(self) -> list[str]:
        """The first lines that are not read as sentences, the bad ones before the others."""
        return [*self.bad, *self.others][:_FEW]

    @property
    def n_bad(self) -> int:
        """Lines skipped that should have been read."""
        return sum(count for reason, count in self.skipped.items() if reason not in NOT_BAD)

    def reasons(self) -> str:
        """Counts as text: `no time 3, no value 1`."""
        return ", ".join(f"{name} {count}" for name, count in sorted(self.skipped.items()))


def parse_records(columns: Columns, where: str, features: Sequence[str], tally: Tally) -> Records:
    """Records of a table of text; those without a time, a HARP number or any value are skipped and counted.

    Args:
        columns: Cells by keyword, all of one length; `T_REC` and `HARPNUM` are there.
        where: How messages call the table.
        features: Keywords that are features.
        tally: Counts lines.
    """
    n_lines = len(columns["T_REC"])
    tally.n_lines += n_lines
    times = {text: read_t_rec(text) for text in set(columns["T_REC"])}
    tai = np.array([times[text] for text in columns["T_REC"]], dtype=np.int64)
    harps = {text: _number(_HARP, text) for text in set(columns["HARPNUM"])}
    harp = np.array([harps[text] for text in columns["HARPNUM"]], dtype=np.int64)
    found = np.full((n_lines, len(features)), np.nan)
    for place, name in enumerate(features):
        if name in columns:
            found[:, place] = _numbers(columns[name], tally)
    good = np.ones(n_lines, dtype=bool)
    no_time, misdated = tai == NO_TIME, (tai < FIRST_LIGHT) | (tai > LAST)
    for wrong, reason, name in (
        (no_time, NO_TIME_READ, "T_REC"),
        (misdated & ~no_time, OUTSIDE, "T_REC"),
        ((harp < 1) | (harp > LARGEST_HARP), NO_HARP, "HARPNUM"),
        (np.isnan(found).all(axis=1), NO_VALUE, ""),
    ):
        for line in np.flatnonzero(wrong & good):
            tally.skip(f"{where} record {line + 1}", reason, _told(columns, int(line), name))
        good &= ~wrong
    tally.n_read += int(good.sum())
    records = Records(
        harp,
        tai,
        found,
        _qualities(columns.get("QUALITY"), n_lines),
        _column(columns, "OBS_VR", n_lines, tally),
        _longitudes(columns, n_lines, tally),
        np.full(n_lines, "", dtype=object),
    ).take(good)
    texts = columns.get("NOAA_ARS", columns.get("NOAA_AR", [""] * n_lines))
    named = [texts[line] for line in np.flatnonzero(good)]
    records.noaa[:] = _noaa_lists(named, records.tai, tally)
    return records


def put_together(parts: Sequence[Records], n_features: int, tally: Tally) -> Records:
    """Records of all tables by HARP and time, each once.

    Of two of one HARP and time the one read first counts; that they are the same, or differ, is counted.
    """
    none = np.zeros(0, dtype=np.int64)
    nothing = np.zeros(0)
    empty = Records(none, none, np.zeros((0, n_features)), none, nothing, nothing, np.zeros(0, dtype=object))
    every = [empty, *parts]
    joined = Records(*(np.concatenate([getattr(p, n) for p in every]) for n in empty.__dataclass_fields__))
    ordered = joined.take(np.lexsort((joined.tai, joined.harp)))  # stable: the one read first stays first
    again = np.zeros(ordered.harp.size, dtype=bool)
    again[1:] = (np.diff(ordered.harp) == 0) & (np.diff(ordered.tai) == 0)
    first = np.maximum.accumulate(np.where(again, 0, np.arange(again.size)))
    same = ((ordered.values == ordered.values[first]) | np.isnan(ordered.values)).all(axis=1)
    tally.n_repeated += int((again & same).sum())
    tally.n_conflicting += int((again & ~same).sum())
    return ordered.take(~again)


def _told(columns: Columns, line: int, name: str) -> str:
    """What was expected of a line that is skipped."""
    if not name:
        return "expected a value in one of the features, got none"
    what = {
        "T_REC": "a time since 2010 like 2011.02.15_00:00:00_TAI",
        "HARPNUM": f"a number of 1 to {LARGEST_HARP}",
    }
    return f"{name}: expected {what[name]}, got {columns[name][line][:60]!r}"


def _number(pattern: re.Pattern[str], text: str) -> int:
    """A whole number, 0 where there is none."""
    match = pattern.fullmatch(text.strip())
    return int(match[1]) if match else 0


def _numbers(texts: Sequence[str], tally: Tally) -> FloatArray:
    """Numbers that float32 can hold, NaN = missing; what is neither is counted."""
    try:
        values = np.array(texts, dtype=object).astype(np.float64)
    except (ValueError, OverflowError):
        values = np.array([_one_number(text, tally) for text in texts], dtype=np.float64)
    with np.errstate(invalid="ignore"):
        odd = ~np.isnan(values) & ~(np.abs(values) <= _LARGEST)
    tally.n_odd_cells += int(odd.sum())
    values[odd] = np.nan
    return values


def _one_number(text: str, tally: Tally) -> float:
    """A number, NaN where there is none."""
    text = text.strip()
    if text.lower() in _MISSING:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        tally.n_odd_cells += 1
        return float("nan")


def _column(columns: Columns, name: str, n_lines: int, tally: Tally) -> FloatArray:
    """Numbers of a keyword that may not be there."""
    return _numbers(columns[name], tally) if name in columns else np.full(n_lines, np.nan)


def _qualities(texts: Sequence[str] | None, n_lines: int) -> IntArray:
    """Bits of QUALITY, from `0x00010000`, `65536`, `65536.0` or a negative 32-bit number."""
    if texts is None:
        return np.full(n_lines, UNKNOWN_QUALITY, dtype=np.int64)
    known = {text: _quality(text.strip()) for text in set(texts)}
    return np.array([known[text] for text in texts], dtype=np.int64)


def _quality(text: str) -> int:
    """Bits of one QUALITY; -1 where there are none."""
    try:
        value = int(text, 16) if text.lower().startswith("0x") else int(text.removesuffix(".0"))
    except ValueError:
        return UNKNOWN_QUALITY
    return value & 0xFFFFFFFF if -(2**31) <= value < 2**32 else UNKNOWN_QUALITY


def _longitudes(columns: Columns, n_lines: int, tally: Tally) -> FloatArray:
    """Stonyhurst longitude of the flux, else of the middle of the region, else of the patch."""
    west = _column(columns, "LON_FWT", n_lines, tally)
    if np.isnan(west).any():
        east, most = (_column(columns, name, n_lines, tally) for name in ("LON_MIN", "LON_MAX"))
        west = np.where(np.isnan(west), (east + most) / 2, west)
    if np.isnan(west).any():
        patch, observer = (_column(columns, name, n_lines, tally) for name in ("CRVAL1", "CRLN_OBS"))
        west = np.where(np.isnan(west), (patch - observer + 180) % 360 - 180, west)
    west[np.abs(west) > 180] = np.nan
    return west


def _noaa_lists(texts: Sequence[str], tai: IntArray, tally: Tally) -> list[str]:
    """Five-digit NOAA numbers of each record, comma separated; one that no region had then is counted."""
    known: dict[tuple[str, int], str] = {}
    lists = []
    for text, time in zip(texts, tai.tolist(), strict=True):
        month = time // (30 * 86_400)
        if (text, month) not in known:
            known[text, month] = ",".join(_noaa_numbers(text, time, tally))
        lists.append(known[text, month])
    return lists


def _noaa_numbers(text: str, time: int, tally: Tally) -> list[str]:
    """Five-digit numbers in a cell like `11158,11159`, ascending."""
    numbers = set()
    for part in re.split(r"[,;\s]+", text.strip()):
        number = _number(_NOAA, part)
        if number:
            full = complete_one(number, time)
            tally.n_odd_noaa += not full
            numbers.add(full)
    return [f"{number:05d}" for number in sorted(numbers - {0})]

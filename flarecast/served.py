"""JSON as NOAA's Space Weather Prediction Center serves it: files found by name, records taken out of them.

A file is a list of records. What others put around it, like `{"_cached_at": ..., "data": [...]}`, is taken
off. Files hold at most a month, so a record whose time is far from the others' has a wrong clock.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from flarecast.errors import FlarecastError

Record = Mapping[str, Any]

LARGEST = 64_000_000
"""A week of X-rays has 5 MB; a larger file is none of these [bytes]."""

LONGEST = 45 * 86_400
"""No file spans more than 31 days; farther from the middle one a record's time is wrong [s]."""

WRONG_TYPE, FAR_AWAY = "no record", "a time far from the others of its file"
_WRAPPERS = 3


@dataclass(frozen=True)
class Kind:
    """A file that SWPC serves: how its name looks, which fields its records have, where it comes from."""

    name: re.Pattern[str]
    fields: tuple[str, ...]
    address: str


def _kind(name: str, fields: tuple[str, ...], address: str) -> Kind:
    return Kind(
        re.compile(rf"{name}.*\.json", re.IGNORECASE), fields, f"services.swpc.noaa.gov/json/{address}"
    )


KINDS: dict[str, Kind] = {
    "regions": _kind(r"solar[-_]regions", ("observed_date", "region"), "solar_regions.json"),
    "probabilities": _kind(r"solar[-_]probabilities", ("date", "m_class_1_day"), "solar_probabilities.json"),
    "flares": _kind(
        r"xray[-_]flares", ("begin_time", "max_time", "max_class"), "goes/primary/xray-flares-7-day.json"
    ),
    "xrays": _kind(r"xrays", ("time_tag", "flux", "energy"), "goes/primary/xrays-7-day.json"),
    "radio": _kind(r"f107", ("time_tag", "flux"), "f107_cm_flux.json"),
}


@dataclass
class Served:
    """What became of the records: each is read or skipped for a reason."""

    n_records: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    first_bad: str = ""

    def skip(self, where: str, reason: str, expected: str, got: Any) -> None:
        """Count a record that is not read, and remember the first as a sentence."""
        self.skipped[reason] += 1
        self.first_bad = self.first_bad or f"{where}: expected {expected}, got {str(got)[:100]!r}"

    def reasons(self) -> str:
        """Counts as text: `no record 1, no time 3`; empty where nothing was skipped."""
        return ", ".join(f"{name} {count}" for name, count in sorted(self.skipped.items()) if count)


def find(raw: Path, kind: str) -> list[Path]:
    """Files of a kind in a folder and below it, by name; or the one file named, whatever its name."""
    if raw.is_file():
        return [raw]
    paths = [path for path in raw.rglob("*") if KINDS[kind].name.fullmatch(path.name) and path.is_file()]
    return sorted(paths, key=lambda path: (path.name, str(path)))


def read_records(path: Path, kind: str, served: Served) -> list[tuple[str, Record]]:
    """Records of a file, each with the place that messages name; what is no record is counted.

    Raises:
        FlarecastError: The file cannot be read, is too large, no JSON, no list, or a list of other things.
    """
    content = load(path, KINDS[kind].address)
    for _ in range(_WRAPPERS):
        if isinstance(content, dict) and "data" in content:
            content = content["data"]
    if not isinstance(content, list):
        raise FlarecastError(
            f"{path}: expected a list of records, got {_what(content)}; get {KINDS[kind].address} again"
        )
    records = []
    for number, record in enumerate(content):
        served.n_records += 1
        if isinstance(record, dict):
            records.append((f"{path} record {number}", cast(Record, record)))
        else:
            served.skip(f"{path} record {number}", WRONG_TYPE, "a record with named fields", record)
    fields = KINDS[kind].fields
    if content and not any(set(fields) <= set(record) for _, record in records):
        got = ", ".join(sorted(records[0][1])[:12]) if records else _what(content[0])
        raise FlarecastError(
            f"{path}: expected records with {', '.join(fields)} as {KINDS[kind].address} has, got {got}"
        )
    return records


def load(path: Path, address: str) -> Any:
    """Content of a JSON file, however deep its faults.

    Raises:
        FlarecastError: It cannot be read, is too large, a web page, cut short or no JSON.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(content) > LARGEST:
        raise FlarecastError(f"{path}: expected at most {LARGEST // 1_000_000} MB of JSON, got more")
    if content.lstrip()[:1] == b"<":
        raise FlarecastError(f"{path}: expected JSON, got a web page; get {address} again")
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated")
        got = "half of it" if cut else "something else"
        raise FlarecastError(
            f"{path} line {error.lineno}: expected JSON, got {got} ({error.msg}); get {address} again"
        ) from error
    except (ValueError, RecursionError) as error:
        raise FlarecastError(f"{path}: expected JSON, got something else ({error}); get it again") from error


def number(record: Record, name: str, low: float, high: float) -> float:
    """A field's number, given as number or as text; NaN where it is none or outside [low, high]."""
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return float("nan")
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return float("nan")
    return found if low <= found <= high else float("nan")


def text(record: Record, name: str) -> str:
    """A field's text, short; empty where it is none."""
    value = record.get(name)
    return value.strip()[:100] if isinstance(value, str) else ""


def timed(
    records: Sequence[tuple[str, Record]], time_of: Callable[[Record], int], absent: int, served: Served
) -> list[tuple[str, Record, int]]:
    """Records with their times [s since 1970], without those far from the middle one of all.

    Args:
        records: Of one file.
        time_of: Gives a record's time, `absent` where it has none; such records are kept.
        absent: What stands for no time.
        served: Takes what was left out.
    """
    times = [time_of(record) for _, record in records]
    known = sorted(time for time in times if time != absent)
    middle = known[len(known) // 2] if known else absent
    kept = []
    for (where, record), time in zip(records, times, strict=True):
        if time != absent and abs(time - middle) > LONGEST:
            served.skip(where, FAR_AWAY, "a time near the others of the file", dict(record))
        else:
            kept.append((where, record, time))
    return kept


def _no_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which are no JSON, though Python reads them."""
    raise ValueError(f"{name} is no JSON")


def _what(content: Any) -> str:
    """What a JSON value is, in words."""
    if isinstance(content, dict):
        return f"one record with {', '.join(sorted(map(str, content))[:8]) or 'no fields'}"
    return f"{type(content).__name__} {str(content)[:40]!r}"

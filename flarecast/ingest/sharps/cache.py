"""Answers of JSOC kept under RAW: a CSV and, beside it and written last, a JSON that says what it is.

`RAW/sharp_cache/<series>/harp00377.csv` holds all records of a HARP, `20110215.csv` those of all HARPs of a
TAI day. The JSON has the query, the server, the time of access and the CSV's hash. A CSV without its JSON, or
whose hash differs, is not believed and asked for again.
"""

import csv
import io
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flarecast.cycles import iso, seconds
from flarecast.errors import FlarecastError
from flarecast.files import replacing, sha256, write_json
from flarecast.flares.clock import DAY
from flarecast.ingest.sharps.keywords import CADENCE, NEEDED, Series
from flarecast.ingest.sharps.records import Columns, Tally
from flarecast.ingest.sharps.slots import compact, write_t_rec
from flarecast.ingest.sharps.tables import CACHE, parse_table

LARGEST_NOTE = 1_000_000


@dataclass(frozen=True)
class Chunk:
    """What one query asks for: all records of a HARP, or of a TAI day.

    Attributes:
        harp: HARP number; 0 = all.
        start: First TAI [s since 1970]; 0 = any.
        stop: TAI up to which, exclusive; 0 = any.
    """

    harp: int = 0
    start: int = 0
    stop: int = 0

    @property
    def name(self) -> str:
        """Its file's name, without suffix."""
        return f"harp{self.harp:05d}" if self.harp else compact(self.start)

    @property
    def told(self) -> str:
        """How messages call it."""
        return f"HARP {self.harp}" if self.harp else f"{iso(self.start)[:10]} (TAI)"

    def record_set(self, series: Series) -> str:
        """JSOC's name for it."""
        if self.harp:
            return f"{series.name}[{self.harp}]"
        days = (self.stop - self.start) // DAY
        return f"{series.name}[][{write_t_rec(self.start)}/{days}d]"


@dataclass(frozen=True)
class Kept:
    """A chunk that is kept: its cells, and whether it is whole and no longer changes."""

    path: Path
    columns: Columns
    accessed: int
    settled: bool


def now() -> int:
    """The time [s since 1970]."""
    return int(time.time())


def folder_of(raw: Path, series: Series) -> Path:
    """Folder of a series' chunks."""
    return raw / CACHE / series.name


def find_chunks(raw: Path, series: Series) -> list[Path]:
    """Kept chunks of a series, by name."""
    return sorted(p for p in folder_of(raw, series).glob("*.csv") if not p.name.startswith("noaa"))


def load(path: Path, keywords: Sequence[str], tally: Tally) -> Kept | None:
    """A kept chunk; None where there is none, it is damaged, or lacks keywords that are asked for now."""
    note = _note(path)
    if note is None or not path.is_file() or sha256(path) != note["sha256"]:
        return None
    if not set(keywords) <= {*note["keywords"], *note["absent_keywords"]}:
        return None
    columns = parse_table(path.read_text(encoding="utf-8"), str(path), tally)
    return Kept(path, columns, seconds(note["accessed"]), bool(note["settled"]))


def store(path: Path, columns: Columns, note: dict[str, Any], settled: bool) -> None:
    """Keep an answer: the CSV first, then the JSON by which it is believed.

    Args:
        path: The CSV.
        columns: Cells by keyword.
        note: What was asked, and `absent_keywords`, those that the series does not have.
        settled: Whether it need not be asked for again.

    Raises:
        FlarecastError: The folder cannot be written.
    """
    names = list(columns)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(zip(*columns.values(), strict=True))
    with replacing(path) as aside:
        aside.write_text(text.getvalue(), encoding="utf-8")
    told = {
        **note,
        "accessed": iso(now()),
        "sha256": sha256(path),
        "n_records": len(columns[NEEDED[0]]),
        "keywords": names,
        "settled": settled,
    }
    write_json(path.with_suffix(".json"), told)


def is_settled(chunk: Chunk, last_tai: int, series: Series) -> bool:
    """Whether what was answered now no longer changes: it is older than the series takes to settle."""
    end = chunk.stop or last_tai + CADENCE
    return bool(now() - end >= series.settled_days * DAY)


def damaged(raw: Path, series: Series) -> list[Path]:
    """Kept chunks whose JSON is missing or tells another hash."""
    return [
        path
        for path in find_chunks(raw, series)
        if (note := _note(path)) is None or sha256(path) != note["sha256"]
    ]


def _note(path: Path) -> dict[str, Any] | None:
    """What the JSON beside a chunk says; None where it is none of ours."""
    try:
        with path.with_suffix(".json").open("rb") as file:
            note = json.loads(file.read(LARGEST_NOTE))
        seconds(note["accessed"])
        lists = [*note["keywords"], *note["absent_keywords"], note["sha256"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError, FlarecastError):
        return None
    return note if all(isinstance(item, str) for item in lists) and "settled" in note else None

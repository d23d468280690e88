"""Kept or new answers to the parts of a request."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flarecast.errors import FlarecastError
from flarecast.flares.clock import DAY
from flarecast.ingest.sharps import asking, cache
from flarecast.ingest.sharps.cache import Chunk
from flarecast.ingest.sharps.keywords import CADENCE, CONTROL, Series
from flarecast.ingest.sharps.records import Columns, Tally, parse_records
from flarecast.ingest.sharps.slots import compact, day_of, write_t_rec

LICENCE = "CC0-1.0"
"""Of the SHARP records, by their own keyword LICENSE."""

_DISCOVERY = ("HARPNUM", "T_REC", "NOAA_ARS")


@dataclass
class Talk:
    """What is asked of a server, and how far that got.

    Attributes:
        folder: Where answers are kept.
        series: The series.
        features: Keywords that are features.
        manners: How the server is asked.
        client: Opened when first needed.
        keywords: Those of the series that are asked for.
        silent: Why the server did not answer; it is then not asked any more.
        n_asked, n_kept, n_outdated: Answers that were new, kept, or old for want of a new one.
        empty: HARPs without a record.
    """

    folder: Path
    series: Series
    features: tuple[str, ...]
    manners: asking.Manners
    client: Any = None
    keywords: tuple[str, ...] = ()
    silent: str = ""
    n_asked: int = 0
    n_kept: int = 0
    n_outdated: int = 0
    empty: list[str] = field(default_factory=list)


def answer(talk: Talk, chunk: Chunk, tally: Tally) -> tuple[Path, Columns]:
    """The kept answer of a chunk, else a new one, which is kept; and its file.

    Raises:
        FlarecastError: There is neither.
    """
    path = cache.folder_of(talk.folder, talk.series) / f"{chunk.name}.csv"
    kept = cache.load(path, talk.features, tally)
    if kept is not None and (kept.settled or cache.now() - kept.accessed < CADENCE):
        talk.n_kept += 1
        return path, kept.columns
    try:
        columns = asking.ask_chunk(_client(talk), chunk, talk.series, talk.keywords, talk.manners)
    except FlarecastError as error:
        talk.silent = str(error)
        if kept is None:
            raise
        talk.n_outdated += 1
        return path, kept.columns
    talk.n_asked += 1
    if chunk.harp and not columns["T_REC"]:
        talk.empty.append(chunk.told)
    tai = parse_records(columns, "", talk.features, Tally()).tai
    last = int(tai.max(initial=0)) or cache.now()
    absent = [name for name in (*CONTROL, *talk.features) if name not in columns]
    note = _note(talk, chunk.record_set(talk.series)) | {"absent_keywords": absent}
    cache.store(path, columns, note, cache.is_settled(chunk, last, talk.series))
    return path, columns


def ask_harps(talk: Talk, number: int, span: tuple[int, int]) -> list[int]:
    """HARPs that list a NOAA number, by the server or an answer kept.

    Args:
        talk: What is asked.
        number: Five-digit NOAA number.
        span: TAI days in which they are looked for; (0, 0) = ever, which takes the server longer.

    Raises:
        FlarecastError: There is no answer, or none of them does.
    """
    first, last = (day_of(one) for one in span)
    within = f"{write_t_rec(first)}/{max((last - first) // DAY, 0) + 1}d" if last else ""
    name = f"noaa{number:05d}" + (f"_{compact(first)}_{compact(last)}" if last else "")
    path = cache.folder_of(talk.folder, talk.series) / f"{name}.csv"
    record_set = f'{talk.series.name}[][{within}][? NOAA_ARS ~ "{number}" ?]'
    kept = cache.load(path, (), Tally())
    if kept is not None and (kept.settled or cache.now() - kept.accessed < CADENCE):
        columns = kept.columns
    else:
        columns = asking.ask(_client(talk), record_set, _DISCOVERY, talk.manners)
        talk.n_asked += 1
        seen = parse_records(columns | {"NPIX": ["1"] * len(columns["T_REC"])}, "", ("NPIX",), Tally()).tai
        latest = int(seen.max(initial=0)) or cache.now()
        note = _note(talk, record_set) | {"absent_keywords": []}
        cache.store(path, columns, note, cache.is_settled(Chunk(harp=1), latest, talk.series))
    found = {int(text) for text in columns["HARPNUM"] if text.isdecimal()}
    if not found:
        raise FlarecastError(
            f"NOAA {number}: expected a HARP with it in {talk.series.name}, got none; look at the number, or"
            " name harps"
        )
    return sorted(found)


def _client(talk: Talk) -> Any:
    """The client, opened when first needed."""
    if talk.silent:
        raise FlarecastError(talk.silent)
    if talk.client is None:
        client = asking.open_client(talk.manners)
        there = asking.keywords_there(client, talk.series, talk.manners, talk.features)
        talk.client, talk.keywords = client, tuple(there)
    return talk.client


def _note(talk: Talk, record_set: str) -> dict[str, Any]:
    """What is written beside an answer, but for what `cache` adds."""
    return {
        "query": record_set,
        "server": talk.manners.server,
        "series": talk.series.name,
        "licence": LICENCE,
    }

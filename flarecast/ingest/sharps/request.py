"""Which records are wanted, and where they come from: recorded tables, kept answers, JSOC; in that order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from flarecast.errors import FlarecastError
from flarecast.flares.clock import DAY
from flarecast.ingest.sharps import asking, cache, harp_map
from flarecast.ingest.sharps.answers import Talk, answer, ask_harps
from flarecast.ingest.sharps.cache import Chunk
from flarecast.ingest.sharps.keywords import Series
from flarecast.ingest.sharps.records import Columns, Records, Tally, parse_records, put_together
from flarecast.ingest.sharps.slots import day_of
from flarecast.ingest.sharps.tables import find_tables, read_table

NO_WAY = (
    "name a folder with tables that have T_REC and HARPNUM as RAW, or set ingest.options harps, noaa, or"
    " start and stop (then JSOC is asked, and RAW is the folder in which its answers are kept)"
)


@dataclass(frozen=True)
class Request:
    """Which records are wanted; with nothing named, all that lie under RAW.

    Attributes:
        series: The series.
        features: Keywords that are features.
        strict: Whether each of them has to be told at least once.
        harps: HARP numbers.
        noaa: Five-digit NOAA numbers.
        start: First TAI [s since 1970]; 0 = any.
        stop: TAI up to which, exclusive; 0 = any.
    """

    series: Series
    features: tuple[str, ...]
    strict: bool = False
    harps: tuple[int, ...] = ()
    noaa: tuple[int, ...] = ()
    start: int = 0
    stop: int = 0

    @property
    def names_some(self) -> bool:
        """Whether it names HARPs, NOAA regions or a span."""
        return bool(self.harps or self.noaa or (self.start and self.stop))


@dataclass
class Collected:
    """Records wanted.

    Attributes:
        records: By HARP and time.
        paths: Files that they are from.
        noaa_of: NOAA numbers by HARP from JSOC's list, where it lies under RAW.
        tally: What became of the lines.
        talk: What was asked of the server.
    """

    records: Records
    paths: list[Path]
    noaa_of: dict[int, list[int]]
    tally: Tally
    talk: Talk


def collect(raw: Path | None, request: Request, manners: asking.Manners) -> Collected:
    """Records of a request.

    Args:
        raw: Folder of recorded tables and of kept answers, or one recorded table.
        request: Which.
        manners: How JSOC is asked for what is in neither.

    Raises:
        FlarecastError: There is nowhere to look, a table cannot be read, JSOC does not answer, or there is no
            record.
    """
    if raw is None:
        raise FlarecastError(
            f"sharp: expected recorded keyword tables or a place for them, got none; {NO_WAY}"
        )
    if not raw.exists() and not request.names_some:
        raise FlarecastError(f"{raw}: expected recorded keyword tables, found none; {NO_WAY}")
    tally = Tally()
    tables = find_tables(raw) if raw.exists() else []
    read = [(path, read_table(path, request.series.name, tally)) for path in tables]
    parts = [parse_records(columns, str(path), request.features, tally) for path, columns in read]
    folder = raw.parent if raw.is_file() else raw
    map_path, noaa_of = harp_map.read_map(folder, request.series)
    recorded = put_together(parts, len(request.features), Tally())
    talk = Talk(folder, request.series, request.features, manners)
    found = Collected(recorded, [*tables, *map_path], noaa_of, tally, talk)
    chunks: Iterator[tuple[Path, Columns]]
    if request.names_some:
        chunks, request = _asked(request, found, talk)
    else:
        chunks = _kept(folder, request, tally)
    for path, columns in chunks:
        parts.append(parse_records(columns, str(path), request.features, tally))
        found.paths.append(path)
    records = put_together(parts, len(request.features), tally)
    found.records = _chosen(records, request)
    _check_some(raw, request, found)
    return found


def _kept(folder: Path, request: Request, tally: Tally) -> Iterator[tuple[Path, Columns]]:
    """All kept answers of a series."""
    broken = cache.damaged(folder, request.series)
    if broken:
        raise FlarecastError(
            f"{broken[0]}: expected the bytes whose hash {broken[0].stem}.json tells, got others"
            f" ({len(broken)} such); remove them, or name harps, noaa or a span to ask for them again"
        )
    for path in cache.find_chunks(folder, request.series):
        kept = cache.load(path, (), tally)
        if kept is not None:
            yield path, kept.columns


def _asked(request: Request, found: Collected, talk: Talk) -> tuple[Iterator[tuple[Path, Columns]], Request]:
    """Kept or new answers for what the recorded tables do not have; and the request with all its HARPs."""
    span = request.start, request.stop
    harps = {
        *request.harps,
        *(one for number in request.noaa for one in _harps_of(number, found, talk, span)),
    }
    request = replace(request, harps=tuple(sorted(harps)))
    if request.harps:
        there = set(found.records.harp.tolist())
        chunks = [Chunk(harp=harp) for harp in request.harps if harp not in there]
    else:
        there = set((found.records.tai // DAY).tolist())
        days = range(day_of(request.start), request.stop, DAY)
        chunks = [Chunk(start=day, stop=day + DAY) for day in days if day // DAY not in there]
    return (answer(talk, chunk, found.tally) for chunk in chunks), request


def _harps_of(number: int, found: Collected, talk: Talk, span: tuple[int, int]) -> list[int]:
    """HARPs of a NOAA region: by the recorded tables and JSOC's list, else by an answer."""
    records = found.records
    listed = {text for text in set(records.noaa) if f"{number:05d}" in text.split(",")}
    harps = {harp for harp, text in zip(records.harp.tolist(), records.noaa, strict=True) if text in listed}
    harps |= {harp for harp, numbers in found.noaa_of.items() if number in numbers}
    return sorted(harps) or ask_harps(talk, number, span)


def _chosen(records: Records, request: Request) -> Records:
    """Records of the HARPs and the span wanted."""
    chosen = np.ones(records.harp.size, dtype=bool)
    if request.harps:
        chosen &= np.isin(records.harp, request.harps)
    if request.start:
        chosen &= records.tai >= request.start
    if request.stop:
        chosen &= records.tai < request.stop
    return records.take(chosen)


def _check_some(raw: Path, request: Request, found: Collected) -> None:
    """Refuse a request for which there is no record."""
    if found.records.harp.size:
        return
    if found.tally.first:
        told = f"{found.tally.first[0]}; no record was read ({found.tally.reasons()})"
    elif not request.names_some:
        told = f"{raw}: expected recorded keyword tables, found none; {NO_WAY}"
    else:
        wanted = f"HARP {_few(request.harps)}" if request.harps else "the span"
        told = (
            f"{raw}: expected records of {wanted} in {request.series.name}, got none; look at the numbers and"
            " dates (HARP numbers are not NOAA numbers, and the two series number their HARPs apart)"
        )
    raise FlarecastError(told)


def _few(numbers: Sequence[int]) -> str:
    """The first of some numbers."""
    return ", ".join(map(str, numbers[:3])) + (" ..." if len(numbers) > 3 else "")

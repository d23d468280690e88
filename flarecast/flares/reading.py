"""Flare lists of any known layout as one table."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from flarecast import goes, served
from flarecast.errors import FlarecastError
from flarecast.flares import archives, clock, event_reports, layouts, merging, scales
from flarecast.flares.entry import BROKEN, Entry, Tally
from flarecast.schema import NO_TIME

COLUMNS = ("start", "peak", "end", "flux", "flux_upper", "region", "source", "flux_scale")
LARGEST_LIST = 100_000_000
"""Of a larger file only so much is read [bytes]; all flares since 1975 make 10 MB."""

_SNIFFED = 20
Scale = Literal["auto", "operational", "true"]
Conversion = Literal["none", "operational", "true"]


def read_flares(
    files: Sequence[Path],
    *,
    flux_scale: Scale = "auto",
    convert_to: Conversion = "none",
    max_bad_rows: int = 100,
) -> pd.DataFrame:
    """Read flare lists and NOAA event reports, and join what is the same flare (see `merging`).

    Args:
        files: Lists in any layout of `layouts.LAYOUTS`, event reports, their `.tar.gz` archives, or folders
            searched for event reports. Of entries of one flare the one of the file named first counts.
        flux_scale: Scale that the lists are in; `auto` = by satellite, else by date (see `scales`).
        convert_to: Scale to bring all fluxes to; `none` leaves them as listed.
        max_bad_rows: Lines that may be skipped.

    Returns:
        One row a flare in order of peak: `start`, `peak`, `end` (int64 s UTC, `NO_TIME` = unknown), `flux`
        and `flux_upper` [W m-2] (different for a class that is a bare letter only), `region` (five digits,
        0 = unknown), `source` (file name), `flux_scale` (`operational` or `true`). `attrs` counts lines,
        duplicates and skipped lines.

    Raises:
        FlarecastError: A file cannot be read, is no flare list or holds none, or too many lines are bad.
    """
    tally = Tally()
    entries: list[Entry] = []
    file_of: list[int] = []
    settled = set()
    for place, path in enumerate(files):
        found = _read_one(path, tally)
        entries += found
        file_of += [place] * len(found)
        if any(entry.scale >= 0 for entry in found):
            settled.add(place)
    if tally.n_bad > max_bad_rows:
        raise FlarecastError(
            f"{tally.first_bad}; {tally.n_bad} of {tally.n_lines} lines are bad ({tally.reasons()}),"
            f" more than max_bad_rows = {max_bad_rows}: get the file again or raise max_bad_rows"
        )
    entries = with_scale(entries, flux_scale)
    merged, counts = merging.merge(entries, file_of, frozenset(settled))
    table = as_table(merged, convert_to)
    table.attrs = {
        "n_lines": tally.n_lines,
        "n_flares": len(merged),
        **counts,
        "n_skipped": sum(tally.skipped.values()),
        "skipped": tally.reasons(),
        "first_bad": tally.first_bad,
    }
    return table


def as_table(entries: Sequence[Entry], convert_to: Conversion = "none") -> pd.DataFrame:
    """Entries as the table of `read_flares`."""
    scale = np.array([entry.scale for entry in entries], dtype=np.int64)
    factor = np.ones(len(entries)) if convert_to == "none" else scales.factor(scale, convert_to)
    if convert_to != "none":
        scale = np.full(len(entries), goes.FLUX_SCALES.index(convert_to))
    columns: dict[str, Any] = {
        name: np.array([getattr(entry, name) for entry in entries], dtype=np.int64)
        for name in ("start", "peak", "end", "region")
    }
    columns |= {
        name: np.array([getattr(entry, name) for entry in entries], dtype=np.float64) * factor
        for name in ("flux", "flux_upper")
    }
    columns["source"] = np.array([entry.source for entry in entries], dtype=object)
    columns["flux_scale"] = np.array(goes.FLUX_SCALES, dtype=object)[scale]
    return pd.DataFrame({name: columns[name] for name in COLUMNS})


def with_scale(entries: list[Entry], flux_scale: Scale) -> list[Entry]:
    """Entries with the scale of their flux."""
    if flux_scale == "auto":
        found = scales.scale_of(
            np.array([entry.satellite for entry in entries], dtype=np.int64),
            np.array([entry.when for entry in entries], dtype=np.int64),
        ).tolist()
    else:
        found = [goes.FLUX_SCALES.index(flux_scale)] * len(entries)
    pairs = zip(entries, found, strict=True)
    return [entry if entry.scale >= 0 else entry._replace(scale=scale) for entry, scale in pairs]


def _read_one(path: Path, tally: Tally) -> list[Entry]:
    """Entries of one file, or of the event reports of a folder or archive."""
    if path.is_dir() or path.name.lower().endswith(event_reports.SUFFIXES):
        paths = archives.find(path, event_reports.SUFFIXES)
        if not paths:
            raise FlarecastError(
                f"{path}: expected event reports named like 20120307events.txt or 2012_events.tar.gz,"
                " found none"
            )
        texts = (text for found in paths for text in archives.texts(found, event_reports.SUFFIX))
        reports = [event_reports.parse_report(text, tally, path.name) for text in texts]
        latest = event_reports.latest_reports([report for report in reports if report is not None])
        if not latest:
            raise FlarecastError(f"{tally.first_bad}; no report was read")
        return [entry for report in latest for entry in report.entries]
    n_before = tally.n_read
    read = _read_served if path.suffix.lower() == ".json" else _read_table
    entries = list(read(path, tally))
    if tally.n_read == n_before:
        raise FlarecastError(
            f"{tally.first_bad or f'{path}: expected flares, got an empty list'}; no flare was read"
        )
    return entries


def _text(path: Path) -> str:
    """The file's text.

    Raises:
        FlarecastError: It cannot be read or is no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_LIST)
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise FlarecastError(f"{path} line {line}: expected text, got a byte 0x00; is it compressed?")
    return content.decode("utf-8-sig", errors="replace")


def _read_served(path: Path, tally: Tally) -> Iterator[Entry]:
    """Entries of SWPC's JSON list of the last days' flares."""
    records = served.Served()
    for where, record, _ in served.timed(
        served.read_records(path, "flares", records), _begin, NO_TIME, records
    ):
        yield from _take(layouts.read_served(record), path, (where.rsplit(" ", 1)[1], str(record)), tally)
    n_bad = sum(records.skipped.values())
    tally.n_lines += n_bad
    tally.skipped[BROKEN] += n_bad
    tally.first_bad = tally.first_bad or records.first_bad


def _begin(record: served.Record) -> int:
    """When a record's flare begins; `NO_TIME` = not told."""
    return clock.moment(served.text(record, "begin_time"))


def _read_table(path: Path, tally: Tally) -> Iterator[Entry]:
    """Entries of a text table with or without a header."""
    lines = _text(path).splitlines()
    if any(layouts.HEADERLESS.fullmatch(line) for line in lines[:_SNIFFED]):
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield from _take(layouts.read_headerless(line), path, (number, line), tally)
        return
    header = [name.strip() for name in lines[0].split(",")] if lines else []
    layout = layouts.layout_of(header)
    if layout is None:
        raise FlarecastError(_unknown(path, header))
    csv.field_size_limit(1_000_000)
    rows = csv.reader(io.StringIO("\n".join(lines[1:])))
    while True:
        try:
            cells = next(rows, None)
        except csv.Error as error:
            raise FlarecastError(f"{path} line {rows.line_num + 1}: expected CSV ({error})") from error
        if cells is None:
            return
        where = rows.line_num + 1, ",".join(cells)
        if len(cells) != len(header):
            if cells:
                yield from _take((BROKEN, f"{len(header)} cells, not {len(cells)}"), path, where, tally)
            continue
        named = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
        yield from _take(layout.read(named, path.name), path, where, tally)


def _take(
    found: Entry | layouts.Problem, path: Path, where: tuple[int | str, str], tally: Tally
) -> Iterator[Entry]:
    """Count a line; yield its entry where there is one."""
    tally.n_lines += 1
    if isinstance(found, Entry):
        tally.n_read += 1
        yield found if found.source else found._replace(source=path.name)
    else:
        unit = "line" if isinstance(where[0], int) else "record"
        tally.skip(f"{path} {unit} {where[0]}", *found, where[1])


def _unknown(path: Path, header: list[str]) -> str:
    """Why a file is no flare list."""
    got = ",".join(header)[:100] or "an empty file"
    for columns, what in layouts.NOT_LISTS:
        if set(columns) <= set(header):
            return f"{path}: expected a flare list, got {got!r}; {what}"
    if ":Product: Daily Solar Data" in got or path.name.lower().endswith("dsd.txt"):
        return f"{path}: expected a flare list, got daily solar data; {layouts.NOT_LISTS[0][1]}"
    known = "; ".join(f"{name}: {','.join(layout.columns)}" for name, layout in layouts.LAYOUTS.items())
    return f"{path}: expected the header of a flare list, got {got!r}; known are {known}"

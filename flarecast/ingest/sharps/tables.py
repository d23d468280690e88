"""Recorded keyword tables under RAW: CSV with T_REC and HARPNUM in its header, and FITS headers as text.

A table is what `drms.Client.query(...).to_csv()`, JSOC's pages or this source's own cache give: comma or tab
separated, columns in any order, further columns ignored. A `.header` file is one record.
"""

import csv
import io
import re
from pathlib import Path

from flarecast.errors import FlarecastError
from flarecast.ingest.sharps.keywords import CONTROL, NEEDED, UNITS
from flarecast.ingest.sharps.records import BROKEN, OTHER_SERIES, Columns, Tally

SUFFIXES = (".csv", ".tsv", ".txt")
HEADER_SUFFIX = ".header"
CACHE = "sharp_cache"
"""Folder below RAW in which answers are kept; they are read by `cache`, which checks them."""

LARGEST_TABLE = 500_000_000
"""Of a larger file nothing is read [bytes]; fifteen years of one region's records make 1 MB."""

LARGEST_HEADER = 1_000_000

_WANTED = {*CONTROL, *UNITS}
_CARD = re.compile(r"([A-Z0-9_-]{1,8})\s*=\s*(?:'((?:[^']|'')*)'|([^/]*))")


def find_tables(raw: Path) -> list[Path]:
    """Recorded tables and headers below a folder, by name; the one file named.

    Raises:
        FlarecastError: A file is named that is neither.
    """
    if raw.is_file():
        if _is_table(raw):
            return [raw]
        raise FlarecastError(
            f"{raw}: expected a table with the columns {' and '.join(NEEDED)}, or a .header, got neither"
        )
    found = [
        path
        for path in raw.rglob("*")
        if CACHE not in path.relative_to(raw).parts[:-1] and path.is_file() and _is_table(path)
    ]
    return sorted(found, key=lambda path: (path.name, str(path)))


def read_table(path: Path, series: str, tally: Tally) -> Columns:
    """Cells of a recorded table or header by keyword.

    Args:
        path: One of `find_tables`.
        series: Name of the series asked for; a header that says it is of another is skipped.
        tally: Counts lines that are broken.

    Raises:
        FlarecastError: The file cannot be read, or is no table.
    """
    try:
        if path.stat().st_size > LARGEST_TABLE:
            raise FlarecastError(f"{path}: expected at most {LARGEST_TABLE // 1_000_000} MB, got more")
        content = path.read_bytes()
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    if path.name.lower().endswith(HEADER_SUFFIX):
        return parse_header(content[:LARGEST_HEADER].decode("latin-1"), str(path), series, tally)
    return parse_table(content.decode("utf-8-sig", errors="replace"), str(path), tally)


def parse_table(text: str, where: str, tally: Tally) -> Columns:
    """Cells of a CSV by keyword; a line of another width is skipped and counted.

    Raises:
        FlarecastError: It has no such header, or is no CSV.
    """
    head = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter="\t" if "\t" in head else ",")
    columns: Columns = {}
    try:
        names = _names(next(rows, []))
        if not set(NEEDED) <= set(names):
            raise FlarecastError(
                f"{where} line 1: expected the columns {' and '.join(NEEDED)}, got {head.strip()[:100]!r}"
            )
        wanted = [(place, name) for place, name in enumerate(names) if name in _WANTED]
        twice = sorted({name for _, name in wanted if names.count(name) > 1})
        if twice:
            raise FlarecastError(f"{where} line 1: expected each column once, got {', '.join(twice)} twice")
        columns = {name: [] for _, name in wanted}
        for cells in rows:
            if len(cells) != len(names):
                if cells:
                    tally.n_lines += 1
                    told = f"expected {len(names)} cells, got {len(cells)}"
                    tally.skip(f"{where} line {rows.line_num}", BROKEN, told)
                continue
            for place, name in wanted:
                columns[name].append(cells[place].strip())
    except csv.Error as error:
        raise FlarecastError(f"{where} line {rows.line_num + 1}: expected CSV ({error})") from error
    return columns


def parse_header(text: str, where: str, series: str, tally: Tally) -> Columns:
    """Cells of the one record whose FITS header a text is; none where it is of the other series."""
    cards = {match[1]: match[2] if match[2] is not None else match[3] for match in _cards(text)}
    named = {name: value.strip() for name, value in cards.items()}
    columns = {name: [value] for name, value in named.items() if name in _WANTED}
    if not set(NEEDED) <= set(columns):
        tally.n_lines += 1
        tally.skip(where, BROKEN, f"expected the cards {' and '.join(NEEDED)}, got {text.strip()[:60]!r}")
        return {name: [] for name in NEEDED}
    own = named.get("DRMS_ID", "").partition(":")[0]
    if own and own.endswith("_nrt") != series.endswith("_nrt"):
        tally.n_lines += 1
        tally.skip(where, OTHER_SERIES, f"expected a record of {series}, got one of {own}")
        return {name: [] for name in NEEDED}
    return columns


def _cards(text: str) -> list[re.Match[str]]:
    """Cards of a header, one a line."""
    return [match for line in text.splitlines() if (match := _CARD.match(line[:200]))]


def _names(cells: list[str]) -> list[str]:
    """Names of columns in upper case."""
    return [cell.strip().upper() for cell in cells]


def _is_table(path: Path) -> bool:
    """Whether a file's name and first line are those of a table of SHARP records."""
    name = path.name.lower()
    if name.endswith(HEADER_SUFFIX):
        return True
    if not name.endswith(SUFFIXES):
        return False
    try:
        with path.open("rb") as file:
            head = file.readline(10_000).decode("utf-8-sig", errors="replace")
    except OSError:
        return False
    return set(NEEDED) <= set(_names(re.split("[,\t]", head.replace('"', ""))))

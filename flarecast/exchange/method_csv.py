"""CSV files with several methods one under the other: find them, read their cells, pick a method."""

import csv
import io
from collections.abc import Collection, Sequence
from pathlib import Path

from flarecast.errors import FlarecastError

LARGEST = 200_000_000
"""Of a larger file only so much is read [bytes]; a year of all methods has some 10 MB."""

Cells = dict[str, str]


def find_files(raw: Path, columns: Sequence[str], what: str) -> list[Path]:
    """The file named, or the CSV files of a folder that have the columns.

    Raises:
        FlarecastError: There is none.
    """
    if raw.is_file():
        return [raw]
    if not raw.is_dir():
        raise FlarecastError(f"{raw}: expected {what} or a folder with one, found none")
    paths = [path for path in sorted(raw.rglob("*.csv")) if path.is_file() and _has_columns(path, columns)]
    if not paths:
        raise FlarecastError(f"{raw}: expected a CSV with the columns {', '.join(columns)}, found none")
    return paths


def choose_method(raw: Path, method: str, found: Collection[str]) -> tuple[str, list[str]]:
    """The method asked for, or the only one there is; and all that there are.

    Raises:
        FlarecastError: It is not there, or several are and none is named.
    """
    methods = sorted(name for name in found if name)
    if not method and len(methods) == 1:
        method = methods[0]
    if method not in methods:
        shown = ", ".join(name[:60] for name in methods[:10]) or "none"
        more = f" and {len(methods) - 10} more" if len(methods) > 10 else ""
        raise FlarecastError(
            f"{raw}: expected one method among {shown}{more}, got {method or 'none named'}; name it with "
            "--method"
        )
    return method, methods


def _has_columns(path: Path, columns: Sequence[str]) -> bool:
    with path.open("rb") as file:
        header = file.readline(10_000).decode("utf-8-sig", errors="replace")
    return set(columns) <= {name.strip() for name in header.split(",")}


def read_lines(path: Path, columns: Sequence[str], what: str) -> list[tuple[str, Cells]]:
    """Lines of a file, each as where it stands and its cells by column.

    Raises:
        FlarecastError: It cannot be read, or is no CSV with the columns.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    rows = csv.reader(io.StringIO(text.replace("\0", "")))
    csv.field_size_limit(1_000_000)
    found = []
    try:
        header = [name.strip() for name in next(rows, [])]
        absent = [name for name in columns if name not in header]
        if absent:
            raise FlarecastError(f"{path}: expected {what}, got one without {', '.join(absent)}")
        for row in rows:
            cells = {name: cell.strip() for name, cell in zip(header, row, strict=False)}
            if row:
                found.append((f"{path} line {rows.line_num}", dict.fromkeys(columns, "") | cells))
    except csv.Error as error:
        raise FlarecastError(f"{path} line {rows.line_num}: expected CSV ({error})") from error
    return found

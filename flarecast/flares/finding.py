"""Flare lists in a folder, known by their first line."""

from pathlib import Path

from flarecast.errors import FlarecastError
from flarecast.flares.layouts import LAYOUTS, layout_of

_NO_RECORD = LAYOUTS["SHARP before flares"]
"""Chosen by its flares and without times of its own, so never taken unasked for the record of all flares."""


def find_lists(raw: Path) -> list[Path]:
    """CSV files below a folder whose header is that of a flare list, by name.

    Raises:
        FlarecastError: There is no such folder.
    """
    if not raw.is_dir():
        raise FlarecastError(f"{raw}: expected a folder, found none")
    found = [path for path in raw.rglob("*.csv") if path.is_file() and _is_list(path)]
    return sorted(found, key=lambda path: (path.name, str(path)))


def _is_list(path: Path) -> bool:
    """Whether a file's first line has the columns of a flare list."""
    try:
        with path.open("rb") as file:
            head = file.readline(10_000).decode("utf-8-sig", errors="replace")
    except OSError:
        return False
    layout = layout_of([name.strip() for name in head.split(",")])
    return layout is not None and layout is not _NO_RECORD

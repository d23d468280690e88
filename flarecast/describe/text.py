"""A description laid out for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from flarecast.describe.counts import CLASSES

MOST_ROWS = 12
"""Rows shown of the tables that grow with the data; JSON has them all."""

_LONG = {"regions", "files"}


def as_text(description: Mapping[str, Any]) -> str:
    """Summary as names and values, then one block a table; classes without a count are left out."""
    lines = [f"{description['file']}: {description['kind']}, sha256 {description['sha256']}"]
    for name, value in description["summary"].items():
        shown = f"{value:,}" if isinstance(value, int) else str(value).replace("\n", "; ")
        lines.append(f"  {name:30} {shown}")
    tables = dict(description["tables"])
    if description.get("files"):
        tables["files"] = description["files"]
    for name, rows in tables.items():
        if rows:
            lines += ["", name, *_layout(rows, MOST_ROWS if name in _LONG else len(rows))]
    return "\n".join(lines)


def _layout(rows: Sequence[Mapping[str, Any]], most: int) -> list[str]:
    """Lines of a table: text to the left, numbers to the right."""
    keys = [key for key in rows[0] if key not in CLASSES or any(row[key] for row in rows)]
    cells = [[_cell(row[key]) for key in keys] for row in rows[:most]]
    widths = [max(len(key), *(len(line[place]) for line in cells)) for place, key in enumerate(keys)]
    left = [isinstance(rows[0][key], str) for key in keys]
    lines = [
        "  " + "  ".join(_pad(*item) for item in zip(line, widths, left, strict=True)).rstrip()
        for line in [keys, *cells]
    ]
    return lines + ([f"  ... and {len(rows) - most:,} more"] if len(rows) > most else [])


def _cell(value: Any) -> str:
    """A value as text: whole numbers with commas but years, others to four digits."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _pad(text: str, width: int, left: bool) -> str:
    """Text filled up to a width."""
    return text.ljust(width) if left else text.rjust(width)

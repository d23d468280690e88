"""What `flarecast explain` left in a run's folder, read for its report."""

from pathlib import Path
from typing import Any

from flarecast.errors import FlarecastError
from flarecast.files import read_json

KINDS = {
    "importance": ("", {"event", "score", "kind", "unit", "drop", "low", "high", "spread"}),
    "attributions": ("--top 4 ", {"region", "issue_time", "event", "probability", "by_feature", "by_step"}),
}
"""Stem of the file: what `explain` is called with for it, and what its records hold."""


def read_explanation(path: Path, missing: dict[str, str]) -> dict[str, Any]:
    """Content of importance.json or attributions.json; empty where it is absent, and why in `missing`.

    Raises:
        FlarecastError: It is damaged.
    """
    words, names = KINDS[path.stem]
    if not path.is_file():
        missing[path.stem] = f"not computed; flarecast explain RUN_DIR {words}-o RUN_DIR/explain does it"
        return {}
    content = read_json(path)
    records = content.get("records") if isinstance(content, dict) else None
    complete = isinstance(records, list) and all(
        isinstance(one, dict) and names <= set(one) for one in records
    )
    if not complete:
        raise FlarecastError(
            f"{path}: expected records with {', '.join(sorted(names))}, got others; explain anew"
        )
    return dict(content)

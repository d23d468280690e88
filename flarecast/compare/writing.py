"""A comparison as CSV: a row a record, and who is better beside the differences of the scorecard."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flarecast.files import replacing

COLUMNS = (
    *("event", "forecast", "score", "value", "low", "high", "p_value", "p_holm", "better", "n", "n_events"),
    *("blocks", "n_blocks", "n_event_blocks"),
    *("decision_threshold", "decision_rule", "reference_decision_threshold", "reason"),
)
"""Columns of the CSV."""


def write_comparison(content: Mapping[str, Any], path: Path) -> None:
    """Write the records of a comparison as CSV.

    Args:
        content: As of `compare`.
        path: The file.

    Raises:
        FlarecastError: The folder cannot be written.
    """
    tests = {
        (row["event"], row["first"], f"{row['score']}_minus_{row['second']}", row["decision_rule"]): row
        for row in content["scorecard"]
    }
    with replacing(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
        rows.writeheader()
        for record in content["records"]:
            key = (*(record[name] for name in ("event", "forecast", "score")), record.get("decision_rule"))
            test = tests.get(key, {})
            more = {name: test.get(name) for name in ("p_value", "p_holm", "better")}
            rows.writerow({name: value for name, value in (record | more).items() if value is not None})

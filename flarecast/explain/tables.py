"""Tables of explanations as CSV and JSON."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from flarecast.explain.attributions import Attributions
from flarecast.explain.parts import Explained
from flarecast.files import replacing, write_json

ATTRIBUTIONS = (
    *("window", "region", "issue_time", "event", "feature", "hours_before_issue", "scaled_value"),
    "log_odds",
)
"""Columns of attributions.csv."""


def write_importance(content: Mapping[str, Any], out: Path) -> None:
    """Write importance.csv, a line a record, and importance.json."""
    records = content["records"]
    if records:
        _write_csv(out / "importance.csv", list(records[0]), ([*one.values()] for one in records))
    write_json(out / "importance.json", content)


def write_attributions(found: Sequence[Attributions], explained: Explained, out: Path) -> dict[str, Any]:
    """Write attributions.csv, a line a feature and step, and attributions.json, a record a window."""
    hours = float(explained.windows.attrs["cadence_minutes"]) / 60
    _write_csv(out / "attributions.csv", ATTRIBUTIONS, _lines(found, hours))
    records = [
        {
            "window": one.choice.window,
            "region": one.choice.region,
            "issue_time": one.choice.issue_time,
            "event": one.event,
            "probability": one.probability,
            "log_odds": one.log_odds,
            "baseline_log_odds": one.baseline,
            "sum_of_attributions": float(one.shares.sum()),
            "completeness_error": one.error,
            "by_feature": dict(zip(one.features, one.shares.sum(axis=0).tolist(), strict=True)),
            "by_step": one.shares.sum(axis=1).tolist(),
        }
        for one in found
    ]
    content = {"name": explained.name, "role": explained.role, "unit": "log odds", "records": records}
    write_json(out / "attributions.json", content)
    return content


def told(content: Mapping[str, Any]) -> list[str]:
    """What matters most, a line an event or a window."""
    records = content["records"]
    if records and "by_feature" in records[0]:
        return [_told_window(one) for one in records]
    found = []
    for event in dict.fromkeys(one["event"] for one in records):
        for score in ("bss", "roc_auc"):  # the second where the first has no meaning
            rows = [one for one in records if (one["event"], one["score"]) == (event, score)]
            rows = sorted((one for one in rows if np.isfinite(one["drop"])), key=lambda one: -one["drop"])
            if rows:
                losses = ", ".join(f"{one['unit']} {one['drop']:.3f}{_interval(one)}" for one in rows[:3])
                found.append(f"{event}: {score} {rows[0]['base']:.3f}; lost when permuted: {losses}")
                break
    return found


def _interval(record: Mapping[str, Any]) -> str:
    """Interval of a drop in brackets; nothing where there is none."""
    return f" [{record['low']:.3f}, {record['high']:.3f}]" if np.isfinite(record["low"]) else ""


def _told_window(record: Mapping[str, Any]) -> str:
    """The features with the largest shares of one forecast."""
    largest = sorted(record["by_feature"].items(), key=lambda pair: -abs(pair[1]))[:3]
    shares = ", ".join(f"{name} {share:+.2f}" for name, share in largest)
    where = f"{record['region']} {record['issue_time']}"
    return f"{where}: p(>={record['event']}) {record['probability']:.3f}; log odds from {shares}"


def _lines(found: Sequence[Attributions], hours: float) -> Iterable[Sequence[Any]]:
    """Lines of attributions.csv."""
    for one in found:
        choice = one.choice
        n_steps = len(one.shares)
        for step, feature in np.ndindex(one.shares.shape):
            yield (
                choice.window,
                choice.region,
                choice.issue_time,
                one.event,
                one.features[feature],
                f"{(n_steps - 1 - step) * hours:g}",
                f"{one.values[step, feature]:.6g}",
                f"{one.shares[step, feature]:.6g}",
            )


def _write_csv(path: Path, names: Sequence[str], lines: Iterable[Sequence[Any]]) -> None:
    """Write a table; what is not a number is an empty cell."""
    with replacing(path) as aside, aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        for line in lines:
            writer.writerow("" if isinstance(cell, float) and np.isnan(cell) else cell for cell in line)

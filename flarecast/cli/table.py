"""The table of scores on stdout: an event a block, a forecast a line, a score a column."""

from collections.abc import Iterable, Mapping
from typing import Any

import click

COLUMNS = ("tss", "hss", "average_precision", "bss", "ece")
"""Scores shown; scores.json holds all."""

MEANING = {
    "model": "model, calibrated",
    "raw": "model, uncalibrated",
    "truth_observed": "best possible forecast",
    "truth": "hidden state known",
}
"""What a line is, where the forecast's own name does not say it."""


def print_scores(content: Mapping[str, Any]) -> None:
    """Print the headline scores of scores.json with their intervals, and why some are missing."""
    from flarecast.evaluate import score_table

    rows = [row for row in score_table(content) if row["score"] in COLUMNS]
    reasons: dict[str, None] = {}
    for event in dict.fromkeys(row["event"] for row in rows):
        of_event = [row for row in rows if row["event"] == event]
        click.echo(_heading(of_event[0], content))
        click.echo(f"{'':24}" + "".join(f"{name:>22}" for name in COLUMNS))
        for forecast in dict.fromkeys(row["forecast"] for row in of_event):
            cells = {row["score"]: row for row in of_event if row["forecast"] == forecast}
            line = "".join(f"{_cell(cells.get(name)):>22}" for name in COLUMNS)
            click.echo(f"{MEANING.get(forecast, forecast):24}{line}")
        click.echo()
        reasons |= dict.fromkeys(_reasons(of_event))
    for reason in reasons:
        click.echo(reason)


def _heading(row: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """`M1.0 or more: ...`, with what the scores rest on."""
    role = "all rows" if content["role"] == "all" else f"the {content['role']} role"
    return (
        f"{row['event']} or more, {role}: {row['n']:,} windows, {row['n_events']:,} events in "
        f"{row['n_event_blocks']:,} blocks; value [{content['confidence']:.0%} interval]"
    )


def _cell(row: Mapping[str, Any] | None) -> str:
    """`0.61 [0.55, 0.66]`, or a dash."""
    if row is None or row["value"] is None:
        return "-"
    if row["low"] is None:
        return f"{row['value']:.3f} [-, -]"
    return f"{row['value']:.3f} [{row['low']:.2f}, {row['high']:.2f}]"


def _reasons(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Why a value or an interval is missing, in words."""
    return [
        f"- {row['event']} {row['score']} of {row['forecast']}: {row['reason']}"
        for row in rows
        if row["reason"] and (row["value"] is None or row["low"] is None)
    ]

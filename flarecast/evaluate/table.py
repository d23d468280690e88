"""The few scores that a reader wants first, as rows for a table."""

from collections.abc import Mapping, Sequence
from typing import Any

HEADLINE = (
    "tss",
    "hss",
    "recall",
    "false_alarm_ratio",
    "average_precision",
    "roc_auc",
    "bss",
    "brier",
    "ece",
)
"""Scores of the table, in its order."""


def score_table(
    content: Mapping[str, Any], events: Sequence[str] = (), forecasts: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Choose the headline records of scores.json, by event, score and forecast.

    `hss` is taken at the decision threshold chosen for it where there is one, all else at the main one.

    Args:
        content: Content of scores.json.
        events: Events to take, in this order; all if empty.
        forecasts: Forecasts to take, in this order; all if empty.

    Returns:
        Rows with the keys event, score, forecast, value, low, high, reason, n, n_events, blocks,
        n_event_blocks, decision_threshold and decision_rule (None where it has none).
    """
    first: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for record in content["records"]:
        key = (record["event"], record["score"], record["forecast"])
        own_rule = record.get("decision_rule") == record["score"]
        of_all = record["subset"] == "all" and record["role"] == content["role"]
        if of_all and (key not in first or own_rule):
            first[key] = record
    events = events or list(dict.fromkeys(event for event, _, _ in first))
    forecasts = forecasts or list(dict.fromkeys(forecast for _, _, forecast in first))
    keys = [(event, score, forecast) for event in events for score in HEADLINE for forecast in forecasts]
    columns = ("value", "low", "high", "reason", "n", "n_events", "blocks", "n_event_blocks")
    return [
        dict(zip(("event", "score", "forecast"), key, strict=True))
        | {name: first[key][name] for name in columns}
        | {name: first[key].get(name) for name in ("decision_threshold", "decision_rule")}
        for key in keys
        if key in first
    ]

"""Who is better at what: the paired differences that matter, with intervals and corrected p-values."""

from collections.abc import Iterable, Mapping
from typing import Any

CARD: dict[str, tuple[str, int]] = {
    "tss": ("warnings", 1),
    "hss": ("warnings", 1),
    "roc_auc": ("order", 1),
    "average_precision": ("order", 1),
    "bss": ("probabilities", 1),
    "log_loss": ("probabilities", -1),
    "ece": ("calibration", -1),
    "miscalibration": ("calibration", -1),
}
"""Scores of the scorecard: what they judge, and whether more (1) or less (-1) is better."""

COPIED = ("low", "high", "p_value", "p_holm", "blocks", "n_event_blocks", "decision_rule", "reason")


def scorecard(differences: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the scorecard: every pair, every score of `CARD`.

    Warnings are compared at the main decision thresholds, `hss` at those best for it where there are such.
    `better` names one of the two where the interval of the difference leaves 0 out, else it is null.

    Args:
        differences: Records of paired differences (`difference_records`), corrected (`add_holm`).
    """
    chosen: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for record in differences:
        name = str(record["score"]).removesuffix(f"_minus_{record['reference']}")
        key = (record["event"], record["forecast"], record["reference"], name)
        if name in CARD and (key not in chosen or record.get("decision_rule") == name):
            chosen[key] = record
    return [
        {
            "event": event,
            "what": CARD[name][0],
            "score": name,
            "first": first,
            "second": second,
            "difference": record["value"],
            **{key: record.get(key) for key in COPIED},
            "better": _better(record, CARD[name][1], (first, second)),
        }
        for (event, first, second, name), record in chosen.items()
    ]


def _better(record: Mapping[str, Any], sign: int, names: tuple[str, str]) -> str | None:
    """The name of the better one, where the interval leaves 0 out."""
    if record["low"] is None or record["low"] <= 0 <= record["high"]:
        return None
    return names[0] if sign * record["value"] > 0 else names[1]

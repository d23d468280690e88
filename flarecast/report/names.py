"""Names of forecasts and classes as readers meet them, the same in every table, figure and sentence."""

from collections.abc import Sequence
from itertools import pairwise

LABELS = {
    "model": "the model",
    "raw": "the model, uncalibrated",
    "swpc": "SWPC",
    "recent_27": "rate of the last 27 days",
    "recent_365": "rate of the last 365 days",
    "climatology": "climatology",
    "climatology_phase": "climatology by phase",
    "persistence": "persistence",
    "persistence_calibrated": "calibrated persistence",
    "history_decay": "flare history",
    "truth_observed": "best possible",
    "truth": "hidden state known",
}
"""Name in scores.json: as it is written for people."""


def label_of(name: str) -> str:
    """A forecast's name for people."""
    return LABELS.get(name, name.replace("_", " "))


def class_names(classes: Sequence[str]) -> list[str]:
    """Classes between the events in words: `below M1.0`, `M1.0 to X1.0`, `X1.0 or more`.

    Args:
        classes: As in a confusion matrix of scores.json: first that without an event, then the events.
    """
    events = classes[1:]
    between = [f"{low} to {high}" for low, high in pairwise(events)]
    return [f"below {events[0]}", *between, f"{events[-1]} or more"]

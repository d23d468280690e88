"""Names of forecasts as readers meet them, the same in every table, figure and sentence."""

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

"""Colours of classes and roles, the same in every picture.

Distinct for colour-blind eyes and in grey (after Paul Tol's schemes); what they stand for is named besides.
"""

from typing import Any

CLASS_COLOURS = {
    "X": "#882255",
    "M": "#cc3311",
    "C": "#ee7733",
    "B": "#0077bb",
    "A": "#33bbee",
    "quiet": "#555555",
    "uncertain": "#aa8833",
    "unknown": "#999999",
}
"""Strongest first."""

ROLE_COLOURS = {
    "train": "#8fbfe0",
    "validation": "#ddaa33",
    "calibration": "#bb5566",
    "test": "#004488",
    "unused": "#d8d8d8",
}
"""By role, in the order in which they are drawn."""

ROLE_HATCHES = {"train": "", "validation": "//", "calibration": "..", "test": "", "unused": "xxx"}
"""A second mark beside the colour."""

FORECAST_COLOURS = {
    "model": "#1f6fb5",
    "raw": "#6f9fc9",
    "swpc": "#d1731d",
    "truth_observed": "#3f9a68",
    "truth": "#7fbf98",
    "climatology": "#7d8590",
    "climatology_phase": "#55606d",
    "recent_27": "#8a7a2e",
    "recent_365": "#a89b55",
    "history_decay": "#b5485f",
    "persistence": "#b07aa8",
    "persistence_calibrated": "#8060b8",
    "other_1": "#2f8f9d",
    "other_2": "#c2518f",
    "other_3": "#7a8f1f",
    "other_4": "#9a6a3c",
}
"""By forecast; those without a name of their own take the others in turn."""

FORECAST_LINES: dict[str, Any] = {
    "model": "-",
    "raw": (0, (1, 1)),
    "swpc": "--",
    "truth_observed": "-.",
    "truth": (0, (3, 1, 1, 1)),
    "climatology": "--",
    "climatology_phase": "-.",
    "recent_27": (0, (6, 1, 1, 1, 1, 1)),
    "recent_365": (0, (1, 3)),
    "history_decay": ":",
    "persistence": (0, (4, 3)),
    "persistence_calibrated": (0, (4, 3, 1, 3)),
    "other_1": (0, (7, 2)),
    "other_2": (0, (2, 1)),
    "other_3": (0, (7, 2, 2, 2)),
    "other_4": (0, (1, 2)),
}
"""A second mark beside the colour: what matplotlib draws a line with; others keep their place's."""

"""Colours of classes and roles, the same in every picture.

Distinct for colour-blind eyes and in grey (after Paul Tol's schemes); what they stand for is named besides.
"""

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

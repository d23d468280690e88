"""Ways to keep a calibration up to date after it was fitted, with what is known when a forecast is issued."""

from collections.abc import Callable, Mapping
from typing import Any

from flarecast.calibrators.history import FloatArray, History
from flarecast.calibrators.prior_shift import black_box, em
from flarecast.calibrators.refit import refit
from flarecast.calibrators.sequential import sequential


def none(history: History, start: Mapping[str, Any]) -> FloatArray:  # noqa: ARG001 (one signature for all)
    """The fixed calibration, for good."""
    return history.probability.copy()


UPDATES: dict[str, Callable[..., FloatArray]] = {
    "none": none,
    "sequential": sequential,
    "refit": refit,
    "em": em,
    "black_box": black_box,
}
"""Name in the configuration: function of (history, start, *, options) that gives probabilities.

A probability may hang on outcomes whose `known_time` is not after its issue time, and on forecasts issued no
later; the audit of a run checks that. NaN stays NaN.
"""

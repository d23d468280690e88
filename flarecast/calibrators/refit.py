"""Calibration fitted anew from time to time on the outcomes known by then."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from flarecast.calibrators import auto
from flarecast.calibrators.history import FloatArray, History
from flarecast.errors import FlarecastError


def refit(  # noqa: PLR0913 (an option is a keyword argument, for every update)
    history: History,
    start: Mapping[str, Any],  # noqa: ARG001 (one signature for all updates)
    *,
    name: str = "platt",
    span: Literal["expanding", "sliding"] = "expanding",
    span_days: float = 730.0,
    every_days: float = 27.0,
    min_events: int = 20,
) -> FloatArray:
    """Probabilities through a calibrator that is fitted anew every so many days, on top of the fixed one.

    A fit uses outcomes known when the first forecast after it is issued: all of them, or those of forecasts
    issued in the last `span_days`. With too few events the fixed calibration stands.

    Args:
        history: Forecasts and outcomes.
        start: Not used.
        name: Which calibrator, entry of `auto.CANDIDATES`.
        span: Whether old outcomes stay or leave.
        span_days: How long they stay when `sliding` [d].
        every_days: How often it is fitted [d].
        min_events: With fewer events, or fewer non-events, the fixed calibration stands.

    Returns:
        Shape (n,).

    Raises:
        FlarecastError: An unknown calibrator, or a number of days that is not above 0.
    """
    if name not in auto.CANDIDATES or name == "prior":
        known = ", ".join(one for one in auto.CANDIDATES if one != "prior")
        raise FlarecastError(f"calibrate.update_options: name: expected one of {known}, got {name!r}")
    check_days(span_days=span_days, every_days=every_days)
    fit, apply = auto.CANDIDATES[name]
    order, known_time = history.outcomes()
    found = history.probability.copy()
    for first, stop, time in history.spans(every_days):
        rows = order[: int(np.searchsorted(known_time, time, side="right"))]
        if span == "sliding":
            rows = rows[history.issue_time[rows] > time - span_days * 86_400]
        numbers = fit(history.probability[rows], history.occurred[rows] == 1, min_events=min_events)
        found[first:stop] = apply(history.probability[first:stop], numbers)
    return found


def check_days(**days: float) -> None:
    """Raise unless all spans are at least a day long."""
    for name, value in days.items():
        if not (np.isfinite(value) and value >= 1):
            raise FlarecastError(f"calibrate.update_options: {name}: expected at least 1 day, got {value}")

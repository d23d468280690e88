"""Calibration that learns as outcomes come in, and forgets: a line through the logit that follows drift."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flarecast.calibrators.history import FloatArray, History
from flarecast.calibrators.log_odds import log_odds
from flarecast.errors import FlarecastError

STEPS = 3
"""Newton steps for each batch of outcomes; the batches are small, so that these suffice."""

SLOPES = (0.1, 3.0)
INTERCEPT = 4.0
"""Bounds of what a line may become: beyond them something is broken that no calibration should hide."""


def sequential(
    history: History,
    start: Mapping[str, Any],  # noqa: ARG001 (one signature for all updates)
    *,
    half_life_days: float = 365.0,
    intercept_spread: float = 0.5,
    slope_spread: float = 0.2,
) -> FloatArray:
    """Probabilities along a line through the logit that is moved by every outcome once it is known.

    At each issue time the line is the mode of a normal posterior: all outcomes known by then, each counting
    half as much for every half life since, and a prior around the line that changes nothing. What outcomes
    have told is forgotten towards that prior, so that years without events lead back to the fixed calibration
    and not to a line that nothing holds.

    Args:
        history: Forecasts and outcomes.
        start: Not used.
        half_life_days: After so long an outcome counts half [d].
        intercept_spread: Spread of the prior of the intercept.
        slope_spread: Spread of the prior of the slope around 1.

    Returns:
        Shape (n,).

    Raises:
        FlarecastError: An option is not above 0.
    Source: Kulhavy & Zarrop (1993), Int. J. Control 58, 905 (forgetting towards a prior).
    """
    for name, value in (
        ("half_life_days", half_life_days),
        ("intercept_spread", intercept_spread),
        ("slope_spread", slope_spread),
    ):
        if not (np.isfinite(value) and value > 0):
            raise FlarecastError(f"calibrate.update_options: {name}: expected a number above 0, got {value}")
    logit = log_odds(history.probability)
    prior = np.diag([intercept_spread**-2, slope_spread**-2])
    line, information = np.zeros(2), prior.copy()  # of intercept and slope - 1
    order, known = history.outcomes()
    found, used, last = history.probability.copy(), 0, 0
    times, starts = np.unique(history.issue_time, return_index=True)
    stops = np.append(starts, logit.size)[1:]
    for time, first, stop in zip(times.tolist(), starts, stops, strict=True):
        fresh = int(np.searchsorted(known, time, side="right"))
        if fresh > used:
            kept = 0.5 ** ((time - last) / (half_life_days * 86_400)) if used else 1.0
            held = kept * information + (1 - kept) * prior
            line = kept * np.linalg.solve(held, information @ line)
            rows = order[used:fresh]
            line, information = _learned(
                line, held, logit[rows], history.occurred[rows] == 1, history.weight[rows]
            )
            used, last = fresh, time
        if used:
            found[first:stop] = 1 / (1 + np.exp(-(line[0] + (1 + line[1]) * logit[first:stop])))
    return found


def _learned(
    line: FloatArray, held: FloatArray, logit: FloatArray, occurred: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Line and its information matrix after some outcomes, from the normal prior (line, held)."""
    before, information = line, held
    for _ in range(STEPS):
        rate = 1 / (1 + np.exp(-(line[0] + (1 + line[1]) * logit)))
        spread, error = weight * rate * (1 - rate), weight * (occurred - rate)
        cross = (spread * logit).sum()
        information = held + np.array([[spread.sum(), cross], [cross, (spread * logit**2).sum()]])
        gradient = np.array([error.sum(), (error * logit).sum()]) - held @ (line - before)
        line = line + np.linalg.solve(information, gradient)
        line = np.clip(line, (-INTERCEPT, SLOPES[0] - 1), (INTERCEPT, SLOPES[1] - 1))
    return line, information

"""Venn-Abers predictors: two isotonic fits that give a range, and one probability inside it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast.calibrators.identity import FloatArray, check_min_events, too_few
from flarecast.calibrators.isotonic import by_level, interpolate, rising_rates

MOST_PLACES = 200
"""Probabilities, evenly spaced in rank, at which both fits are made; between them straight lines."""


def fit(probability: FloatArray, occurred: NDArray[np.bool_], *, min_events: int = 20) -> dict[str, Any]:
    """Fit what isotonic calibration says once with the window as a non-event added, once as an event.

    One of the two is calibrated whatever the forecasts are, if windows are exchangeable; the distance between
    them says how much a single outcome matters there. The probability is upper / (1 - lower + upper), which
    loses least under log loss whichever comes. Overlapping windows are no independent outcomes, so ranges are
    too narrow for them.

    Args:
        probability: Forecasts of one event, shape (n,).
        occurred: Whether it came, shape (n,).
        min_events: With fewer events, or fewer non-events, the identity is kept.

    Returns:
        `probability`, `lower` and `upper`, all rising, or all None; and `reason`, the text why nothing was
        fitted or None.

    Raises:
        FlarecastError: An option out of range.
    Source: Vovk, Petej & Fedorova (2015), NIPS 28, 892 (inductive Venn-Abers predictors).
    """
    check_min_events(min_events)
    reason = too_few(occurred, min_events)
    if reason is not None:
        return {"probability": None, "lower": None, "upper": None, "reason": reason}
    levels, n, n_events = by_level(probability, occurred)
    rank = np.linspace(0, levels.size - 1, min(levels.size, MOST_PLACES)).round().astype(np.int64)
    places = np.unique(np.concatenate([[0.0, 1.0], levels[rank]]))
    found = {"probability": places.tolist()}
    for name, came in (("lower", 0.0), ("upper", 1.0)):
        rates = np.array([_rate_with(place, came, levels, n, n_events) for place in places])
        found[name] = np.maximum.accumulate(rates).tolist()
    return {**found, "reason": None}


def apply(probability: FloatArray, numbers: Mapping[str, Any]) -> FloatArray:
    """One probability inside the range."""
    if numbers["probability"] is None:
        return probability.copy()
    lower, upper = ranges(probability, numbers)
    return upper / (1 - lower + upper)


def ranges(probability: FloatArray, numbers: Mapping[str, Any]) -> tuple[FloatArray, FloatArray]:
    """Lower and upper end of the range; without a fit both are the probability itself."""
    if numbers["probability"] is None:
        return probability.copy(), probability.copy()
    lower = interpolate(probability, numbers["probability"], numbers["lower"])
    return lower, interpolate(probability, numbers["probability"], numbers["upper"])


def _rate_with(place: float, came: float, levels: FloatArray, n: FloatArray, n_events: FloatArray) -> float:
    """Isotonic rate at a probability after one more window there, with the outcome `came`."""
    at = int(np.searchsorted(levels, place))
    if at < levels.size and levels[at] == place:
        n, n_events = n.copy(), n_events.copy()
        n[at] += 1
        n_events[at] += came
    else:
        n, n_events = np.insert(n, at, 1.0), np.insert(n_events, at, came)
    return float(rising_rates(n, n_events)[at])

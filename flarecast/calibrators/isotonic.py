"""Isotonic calibration: the best rising map, by pooling neighbours that are out of order."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast.calibrators.identity import FloatArray, check_min_events, too_few


def fit(probability: FloatArray, occurred: NDArray[np.bool_], *, min_events: int = 20) -> dict[str, Any]:
    """Fit the rising map with the smallest Brier score (CORP) and keep the ends of its steps.

    It bends as the outcomes ask, and follows their noise where they are few. A lowest step without an event
    would say 0, whose log loss is infinite when one comes: it says what one more outcome at the base rate
    would make of it, but no more than the next step; the highest step likewise.

    Args:
        probability: Forecasts of one event, shape (n,).
        occurred: Whether it came, shape (n,).
        min_events: With fewer events, or fewer non-events, the identity is kept.

    Returns:
        `probability` and `rate`, the ends of the steps, both rising, or both None; and `reason`, the text why
        nothing was fitted or None.

    Raises:
        FlarecastError: An option out of range.
    Source: Dimitriadis, Gneiting & Jordan (2021), PNAS 118, e2016191118; Zadrozny & Elkan (2002), KDD 8, 694.
    """
    check_min_events(min_events)
    reason = too_few(occurred, min_events)
    if reason is not None:
        return {"probability": None, "rate": None, "reason": reason}
    levels, n, n_events = by_level(probability, occurred)
    rate = rising_rates(n, n_events)
    starts = np.flatnonzero(np.diff(rate, prepend=-1.0) > 0)
    ends = np.append(starts[1:], rate.size) - 1
    steps = _off_the_ends(rate[starts], np.add.reduceat(n, starts), float(occurred.mean()))
    ends_of_steps = np.stack([levels[starts], levels[ends]], axis=1).ravel()
    return {"probability": ends_of_steps.tolist(), "rate": np.repeat(steps, 2).tolist(), "reason": None}


def apply(probability: FloatArray, numbers: Mapping[str, Any]) -> FloatArray:
    """Probabilities on the steps, and on straight lines between them."""
    if numbers["probability"] is None:
        return probability.copy()
    return interpolate(probability, numbers["probability"], numbers["rate"])


def interpolate(probability: FloatArray, places: list[float], values: list[float]) -> FloatArray:
    """Values on straight lines between given places, constant beyond them; NaN stays NaN."""
    found = np.interp(probability, np.asarray(places, np.float64), np.asarray(values, np.float64))
    return np.where(np.isnan(probability), np.nan, found)


def by_level(
    probability: FloatArray, occurred: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distinct probabilities, rising, and how many windows and events have each, shapes (level,)."""
    levels, place = np.unique(probability, return_inverse=True)
    n = np.bincount(place, minlength=levels.size).astype(np.float64)
    n_events = np.bincount(place[occurred], minlength=levels.size).astype(np.float64)
    return levels, n, n_events


def rising_rates(n: FloatArray, n_events: FloatArray) -> FloatArray:
    """Event rates of levels in rising order, pooled until they rise, shape (level,)."""
    from scipy.optimize import isotonic_regression

    rates: FloatArray = isotonic_regression(n_events / n, weights=n).x
    return rates


def _off_the_ends(rate: FloatArray, n: FloatArray, base_rate: float) -> FloatArray:
    """Rates of the steps, a first of 0 and a last of 1 moved inwards but not past their neighbours."""
    moved = rate.copy()
    if moved[0] == 0:
        moved[0] = min(base_rate / (n[0] + 1), rate[1])
    if moved[-1] == 1:
        moved[-1] = max((n[-1] + base_rate) / (n[-1] + 1), rate[-2])
    return moved

"""An event rate that nobody has told, estimated from the forecasts alone, without outcomes.

Both ways assume that the event rate moved and the look of events and of non-events did not. Between solar
cycles that is an assumption, and forecasts that follow the activity already know the rate:
docs/calibration.md shows where it helps and where it hurts.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from flarecast.calibrators.history import FloatArray, History
from flarecast.calibrators.log_odds import log_odds
from flarecast.calibrators.refit import check_days

RATES = (1e-4, 1 - 1e-4)
"""Bounds of an estimated rate."""

FEWEST = 100
"""With fewer forecasts to go by, the rate is taken to be that of calibration."""

MOST_STEPS = 1000


def em_rate(probability: FloatArray, rate: float) -> float:
    """Event rate of some forecasts, by expectation and maximisation, from that which they were made for.

    Args:
        probability: Calibrated forecasts for a rate, shape (n,).
        rate: That rate.

    Returns:
        The rate that makes the forecasts, moved to it, have it as their mean.
    Source: Saerens, Latinne & Decaestecker (2002), Neural Comput. 14, 21, eq. 3.5.
    """
    before = float(np.clip(rate, *RATES))
    now = before
    for _ in range(MOST_STEPS):
        up, down = probability * now / before, (1 - probability) * (1 - now) / (1 - before)
        after = float(np.clip((up / (up + down)).mean(), *RATES))
        if abs(after - now) < 1e-9:
            break
        now = after
    return now


def black_box_rate(probability: FloatArray, mean_quiet: float, mean_event: float) -> float:
    """Event rate of some forecasts, from what forecasts were on the mean without and with an event.

    The mean forecast is rate x mean_event + (1 - rate) x mean_quiet, whatever the forecasts are worth, as
    long as both means hold still.

    Args:
        probability: Forecasts, shape (n,).
        mean_quiet: Mean forecast in calibration where no event came.
        mean_event: Mean forecast in calibration where one came.
    Source: Lipton, Wang & Smola (2018), ICML 35, PMLR 80, 3122.
    """
    apart = mean_event - mean_quiet
    if apart <= 0:
        return float("nan")
    return float(np.clip((probability.mean() - mean_quiet) / apart, *RATES))


def moved(probability: FloatArray, before: float, after: float) -> FloatArray:
    """Forecasts made for one event rate, for another."""
    shift = np.log(after / (1 - after)) - np.log(before / (1 - before))
    return np.asarray(1 / (1 + np.exp(-(log_odds(probability) + shift))), dtype=np.float64)


def em(
    history: History, start: Mapping[str, Any], *, span_days: float = 3650.0, every_days: float = 27.0
) -> FloatArray:
    """Forecasts moved to the rate that `em_rate` finds in those of the last `span_days`.

    Args:
        history: Forecasts; outcomes are not used.
        start: `base_rate` of the calibration.
        span_days: Which forecasts tell the rate [d].
        every_days: How often it is estimated [d].

    Returns:
        Shape (n,).

    Raises:
        FlarecastError: A number of days below 1.
    """
    rate = start["base_rate"]
    estimate = partial(em_rate, rate=float("nan") if rate is None else float(rate))
    return _moved_along(history, start, estimate, span_days, every_days)


def black_box(
    history: History, start: Mapping[str, Any], *, span_days: float = 3650.0, every_days: float = 27.0
) -> FloatArray:
    """Forecasts moved to the rate that `black_box_rate` finds in those of the last `span_days`.

    Args:
        history: Forecasts; outcomes are not used.
        start: `base_rate`, `mean_quiet` and `mean_event` of the calibration.
        span_days: Which forecasts tell the rate [d].
        every_days: How often it is estimated [d].

    Returns:
        Shape (n,).

    Raises:
        FlarecastError: A number of days below 1.
    """
    if start["mean_quiet"] is None or start["mean_event"] is None:
        return history.probability.copy()
    quiet, event = float(start["mean_quiet"]), float(start["mean_event"])
    estimate = partial(black_box_rate, mean_quiet=quiet, mean_event=event)
    return _moved_along(history, start, estimate, span_days, every_days)


def _moved_along(
    history: History,
    start: Mapping[str, Any],
    estimate: Callable[[FloatArray], float],
    span_days: float,
    every_days: float,
) -> FloatArray:
    """Forecasts moved to a rate that is estimated anew from time to time, from forecasts issued before."""
    check_days(span_days=span_days, every_days=every_days)
    before = start["base_rate"]
    found = history.probability.copy()
    if before is None or not RATES[0] <= before <= RATES[1]:
        return found
    for first, stop, time in history.spans(every_days):
        since = int(np.searchsorted(history.issue_time, time - span_days * 86_400, side="right"))
        recent = history.probability[since:first]
        recent = recent[~np.isnan(recent)]
        after = estimate(recent) if recent.size >= FEWEST else float("nan")
        if not np.isnan(after):
            found[first:stop] = moved(found[first:stop], before, after)
    return found

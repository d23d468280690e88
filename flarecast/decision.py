"""Decision thresholds: from which probability on an event is forecast, chosen on known outcomes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_TIE = 1e-12


def best_decision_thresholds(probability: FloatArray, occurred: NDArray[np.bool_]) -> dict[str, float] | None:
    """Decision threshold with the highest score under each of `RULES`.

    Every way to cut the distinct probabilities in two is tried. The event is forecast when probability >=
    decision threshold, which lies midway between the lowest probability that is forecast and the next one
    below, so that rounding does not move a window across; below the lowest probability there is none, and
    it is that one itself. Of equal scores the highest decision threshold is taken: fewest false alarms. A
    useless forecast has one, too; its score says so.

    Args:
        probability: Forecasts in [0, 1], shape (n,).
        occurred: Whether the event came, shape (n,).

    Returns:
        Decision threshold by rule; None where there are no events or no non-events, since then no
        score is defined.
    """
    if occurred.dtype != np.bool_:
        raise TypeError(f"occurred: expected bool, got {occurred.dtype}")
    n_events = int(occurred.sum())
    n_quiet = occurred.size - n_events
    if n_events == 0 or n_quiet == 0:
        return None
    levels, place = np.unique(probability, return_inverse=True)
    hits = np.cumsum(np.bincount(place[occurred], minlength=levels.size)[::-1], dtype=np.float64)
    false_alarms = np.cumsum(np.bincount(place[~occurred], minlength=levels.size)[::-1], dtype=np.float64)
    falling = levels[::-1]
    below = np.append(falling[1:], falling[-1])
    middle = falling / 2 + below / 2
    cuts = np.where(middle > below, middle, falling)
    thresholds = {}
    for rule, score_of in RULES.items():
        score = score_of(hits, false_alarms, n_events, n_quiet)
        thresholds[rule] = float(cuts[int(np.argmax(score >= score.max() - _TIE))])
    return thresholds


def _tss(hits: FloatArray, false_alarms: FloatArray, n_events: int, n_quiet: int) -> FloatArray:
    """True skill statistic, by the two columns of the contingency table."""
    return hits / n_events - false_alarms / n_quiet


def _hss(hits: FloatArray, false_alarms: FloatArray, n_events: int, n_quiet: int) -> FloatArray:
    """Heidke skill score (HSS2), by the two columns of the contingency table."""
    misses, correct_negatives = n_events - hits, n_quiet - false_alarms
    chance = n_events * (misses + correct_negatives) + (hits + false_alarms) * n_quiet
    return 2 * (hits * correct_negatives - false_alarms * misses) / chance


RULES: dict[str, Callable[[FloatArray, FloatArray, int, int], FloatArray]] = {"tss": _tss, "hss": _hss}
"""Score that a rule maximises: function of hits, false alarms (n,), number of events and of non-events."""

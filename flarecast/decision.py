"""Decision thresholds: from which probability on an event is forecast, chosen on known outcomes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
MOST_LEVELS = 1000
"""Distinct probabilities, evenly spaced in rank, that a resample chooses from."""

_TIE = 1e-12


@dataclass(frozen=True)
class Counts:
    """Hits and false alarms, shape (..., level), of so many events and non-events, shape (..., 1)."""

    hits: FloatArray
    false_alarms: FloatArray
    n_events: FloatArray
    n_quiet: FloatArray


Rule = Callable[[Counts], FloatArray]
"""What a rule maximises, shape (..., level)."""


def best_decision_thresholds(
    probability: FloatArray, occurred: BoolArray, rules: Mapping[str, Rule] | None = None
) -> dict[str, float] | None:
    """Decision threshold with the highest score under each of some rules.

    Every way to cut the distinct probabilities in two is tried. The event is forecast when probability >=
    decision threshold, which lies midway between the lowest probability that is forecast and the next one
    below, so that rounding does not move a window across; below the lowest probability there is none, and
    it is that one itself. Of equal scores the highest decision threshold is taken: fewest false alarms. A
    useless forecast has one, too; its score says so.

    Args:
        probability: Forecasts in [0, 1], shape (n,).
        occurred: Whether the event came, shape (n,).
        rules: What to maximise, by name; `RULES` if None.

    Returns:
        Decision threshold by rule; None where there are no events or no non-events, since then no
        score is defined.
    """
    if occurred.dtype != np.bool_:
        raise TypeError(f"occurred: expected bool, got {occurred.dtype}")
    if not occurred.any() or occurred.all():
        return None
    levels, place = np.unique(probability, return_inverse=True)
    events = np.bincount(place[occurred], minlength=levels.size)
    others = np.bincount(place[~occurred], minlength=levels.size)
    cuts = _cuts(levels)
    chosen = _chosen(events[::-1].astype(np.float64), others[::-1].astype(np.float64), rules or RULES)
    return {rule: float(cuts[int(at)]) for rule, at in chosen.items()}


def resampled_thresholds(
    probability: FloatArray,
    occurred: BoolArray,
    cluster: ArrayLike,
    rules: Mapping[str, Rule],
    counts: FloatArray,
) -> dict[str, FloatArray]:
    """Decision thresholds of a block bootstrap, by rule, each shape (resample,).

    Args:
        probability: Forecasts in [0, 1], shape (n,).
        occurred: Whether the event came, shape (n,).
        cluster: Block of each window, from 0, shape (n,).
        rules: What to maximise, by name.
        counts: How often each block was drawn, shape (resample, block). Resamples without events, or without
            non-events, are left out.
    """
    levels = np.unique(probability)
    if levels.size > MOST_LEVELS:
        levels = levels[np.linspace(0, levels.size - 1, MOST_LEVELS).round().astype(np.int64)]
    place = levels.size - np.searchsorted(levels, probability, side="right")
    cell = np.asarray(cluster) * levels.size + place
    size = counts.shape[1] * levels.size
    events, others = (
        counts @ np.bincount(cell[mask], minlength=size).reshape(counts.shape[1], levels.size)
        for mask in (occurred, ~occurred)
    )
    defined = (events.sum(axis=1) > 0) & (others.sum(axis=1) > 0)
    cuts = _cuts(levels)
    chosen = _chosen(events[defined], others[defined], rules)
    return {rule: cuts[at] for rule, at in chosen.items()}


def decision_rules(cost_loss_ratio: float, target_recall: float) -> dict[str, Rule]:
    """All rules, those of `RULES` first.

    Args:
        cost_loss_ratio: What a warning costs over what an event without one costs; the expense is minimised.
        target_recall: Part of the events that should be forecast; the highest threshold that does it.
    """
    return RULES | {
        "unbiased": _unbiased,
        "cost_loss": partial(_savings, ratio=cost_loss_ratio),
        "target_recall": partial(_reaching, target=target_recall),
    }


RULE_NAMES = ("tss", "hss", "unbiased", "cost_loss", "target_recall")
"""Names of `decision_rules`, in their order."""


def _cuts(levels: FloatArray) -> FloatArray:
    """Decision threshold of each number of levels forecast, from the highest level alone to all."""
    falling = levels[::-1]
    below = np.append(falling[1:], falling[-1])
    middle = falling / 2 + below / 2
    return np.where(middle > below, middle, falling)


def _chosen(
    events: FloatArray, others: FloatArray, rules: Mapping[str, Rule]
) -> dict[str, NDArray[np.int64]]:
    """Level, from the highest, down to which each rule forecasts; events by falling level (..., level)."""
    hits, false_alarms = np.cumsum(events, axis=-1), np.cumsum(others, axis=-1)
    counts = Counts(hits, false_alarms, hits[..., -1:], false_alarms[..., -1:])
    found = {}
    for name, rule in rules.items():
        score = rule(counts)
        found[name] = np.argmax(score >= score.max(axis=-1, keepdims=True) - _TIE, axis=-1)
    return found


def _tss(counts: Counts) -> FloatArray:
    """True skill statistic, by the two columns of the contingency table."""
    return counts.hits / counts.n_events - counts.false_alarms / counts.n_quiet


def _hss(counts: Counts) -> FloatArray:
    """Heidke skill score (HSS2), by the two columns of the contingency table."""
    misses, correct_negatives = counts.n_events - counts.hits, counts.n_quiet - counts.false_alarms
    forecast = counts.hits + counts.false_alarms
    chance = counts.n_events * (misses + correct_negatives) + forecast * counts.n_quiet
    return 2 * (counts.hits * correct_negatives - counts.false_alarms * misses) / chance


def _unbiased(counts: Counts) -> FloatArray:
    """Minus how far the number of forecasts is from the number of events."""
    return -np.abs(counts.hits + counts.false_alarms - counts.n_events)


def _savings(counts: Counts, ratio: float) -> FloatArray:
    """Minus the expense of warnings and missed events, in units of the loss by one event."""
    return -(ratio * (counts.hits + counts.false_alarms) + counts.n_events - counts.hits)


def _reaching(counts: Counts, target: float) -> FloatArray:
    """Minus the number of forecasts where enough events are hit."""
    enough = counts.hits >= target * counts.n_events - _TIE
    return np.where(enough, -(counts.hits + counts.false_alarms), -np.inf)


RULES: dict[str, Rule] = {"tss": _tss, "hss": _hss}
"""Rules that maximise a score."""

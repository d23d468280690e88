"""Records of scores.json: one per role, event, forecast, score and rule for the decision threshold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast import skill
from flarecast.decision import best_decision_thresholds
from flarecast.evaluate.contenders import MODEL, Contender

SAMPLE_RULE = "scored_sample"
"""Rule of `tss_max`: its decision threshold was chosen on the scored windows themselves."""

CASE_CONTROL = "depends on the base rate, and the windows were chosen by their outcome (case-control)"

Key = tuple[str, str]
"""A score and the rule of its decision threshold, empty where it has none."""


@dataclass(frozen=True)
class Place:
    """What the records of one sample have in common.

    Attributes:
        role: `test` or `all`.
        event: GOES class.
        subset: `all`, or `not_in_progress`: without windows issued during their own flare.
        case_control: Whether windows were chosen by their outcome.
        confidence: Of the intervals.
        training_base_rate: Event rate of the training windows, NaN if unknown.
    """

    role: str
    event: str
    subset: str
    case_control: bool
    confidence: float
    training_base_rate: float


@dataclass(frozen=True)
class Scored:
    """All scores of one contender on one sample, and the decision thresholds behind them."""

    name: str
    main_rule: str
    estimates: dict[Key, skill.Estimate]
    decision_threshold: dict[Key, float]


def score(
    contender: Contender, event: int, rows: NDArray[np.bool_], sample: skill.Sample, place: Place
) -> Scored:
    """Score one contender on the windows `rows`, in value and in every resample.

    Every contingency score takes the contender's main decision threshold and `fixed`, if it has both; the
    threshold with the best HSS is for `hss` alone.
    """
    probability = contender.probability[rows, event]
    rules = contender.rules[event]
    estimates: dict[Key, skill.Estimate] = {}
    thresholds: dict[Key, float] = {}
    for rule, threshold in rules.items():
        found = skill.estimate_contingency(sample, probability, threshold)
        main = rule == next(iter(rules))
        names = ("hss",) if rule == "hss" and not main else tuple(found)
        estimates |= {(name, rule): found[name] for name in names}
        thresholds |= {(name, rule): threshold for name in names}
    for name, estimate in skill.estimate_ranking(sample, probability).items():
        estimates[name, SAMPLE_RULE if name == "tss_max" else ""] = estimate
    best = best_decision_thresholds(probability, sample.occurred)
    thresholds["tss_max", SAMPLE_RULE] = best["tss"] if best else np.nan
    found = skill.estimate_probability(sample, probability, place.training_base_rate)
    estimates |= {(name, ""): estimate for name, estimate in found.items()}
    return Scored(contender.name, next(iter(rules)), estimates, thresholds)


def records(scored: Scored, sample: skill.Sample, place: Place) -> Iterator[dict[str, Any]]:
    """Records of one contender's scores."""
    for key, estimate in scored.estimates.items():
        record = _record(scored.name, key[0], estimate, sample, place)
        yield record | _decision(key, scored.decision_threshold.get(key))


def difference_records(
    model: Scored, other: Scored, sample: skill.Sample, place: Place
) -> Iterator[dict[str, Any]]:
    """Records of the paired differences model minus another, each at its own decision threshold.

    The main rule of the one is compared with the main rule of the other, and best HSS with best HSS.
    """
    for (name, rule), estimate in model.estimates.items():
        if name == "base_rate":
            continue
        theirs = (name, rule)
        if theirs not in other.estimates or rule == model.main_rule:
            theirs = (name, other.main_rule if name in skill.CONTINGENCY else rule)
        difference = skill.minus(estimate, other.estimates[theirs])
        score_name = f"{name}_minus_{other.name}"
        record = _record(MODEL, score_name, difference, sample, place, hangs_on=name)
        record |= _decision((name, rule), model.decision_threshold.get((name, rule)))
        if theirs in other.decision_threshold:
            record["reference_decision_threshold"] = _number(other.decision_threshold[theirs])
        yield record


def _record(
    forecast: str,
    name: str,
    estimate: skill.Estimate,
    sample: skill.Sample,
    place: Place,
    hangs_on: str = "",
) -> dict[str, Any]:
    if place.case_control and skill.SCORES[hangs_on or name].hangs_on_rate:
        nothing = np.full(estimate.resampled.shape, np.nan)
        estimate = skill.Estimate(np.nan, nothing, CASE_CONTROL)
    bounds = skill.interval(estimate, sample, place.confidence)
    return {
        "role": place.role,
        "event": place.event,
        "subset": place.subset,
        "forecast": forecast,
        "score": name,
        "value": _number(estimate.value),
        "low": _number(bounds.low),
        "high": _number(bounds.high),
        "n": sample.n,
        "n_events": sample.n_events,
        "n_blocks": sample.blocks.n,
        "n_event_blocks": sample.n_event_blocks,
        "reason": bounds.reason or None,
    }


def _decision(key: Key, threshold: float | None) -> dict[str, Any]:
    """Decision threshold of a contingency score and the rule that chose it."""
    if threshold is None:
        return {}
    return {"decision_threshold": _number(threshold), "decision_rule": key[1]}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

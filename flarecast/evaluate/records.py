"""Records of scores.json: one per role, event, forecast, score and rule for the decision threshold."""

from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast import skill
from flarecast.decision import best_decision_thresholds
from flarecast.evaluate.contenders import Contender

SAMPLE_RULE = "scored_sample"
"""Rule of `tss_max`: its decision threshold was chosen on the scored windows themselves."""

SEVERAL = "decision_thresholds"
"""Key of the decision thresholds of folds that differ."""

LOST = "tss_lost"
"""What the main decision threshold costs against the best one on the scored sample: tss_max - tss."""

_RECALL = ("recall", "false_alarm_ratio", "precision", "frequency_bias", "tss")
RULE_SCORES: dict[str, tuple[str, ...]] = {
    "hss": ("hss",),
    "unbiased": ("frequency_bias", "csi", "f1", "tss", "hss"),
    "cost_loss": ("recall", "false_alarm_ratio", "frequency_bias", "tss"),
    "target_recall": _RECALL,
    "guaranteed_recall": _RECALL,
}
"""Scores that a decision threshold beside the main one is for; `fixed` has all."""

CASE_CONTROL = "depends on the base rate, and the windows were chosen by their outcome (case-control)"

Key = tuple[str, str]
"""A score and the rule of its decision threshold, empty where it has none."""


Estimates = tuple[skill.Estimate, ...]
"""One score on one sample, resampled in every way that the sample is."""


Cut = float | NDArray[np.float64]
"""A decision threshold, or that of each window."""


PValues = dict[str, dict[tuple[str, str, str], float]]
"""By what is taken as a whole: p-value by score, rule of the decision threshold, and the other's rule."""


@dataclass(frozen=True)
class Drawn:
    """Windows scored together, and the ways to resample them: what is drawn as a whole, and the draws.

    `rng` is the source of swaps of blocks between two forecasts, the same swaps for every pair.
    """

    ways: dict[str, skill.Sample]
    rng: np.random.Generator

    def draw_swaps(self, way: str) -> NDArray[np.uint8]:
        """Which blocks change sides, as many times as there are resamples, shape (permutation, block)."""
        resamples, n_blocks = self.ways[way].counts.shape
        return skill.draw_swaps(n_blocks, resamples, deepcopy(self.rng))

    @property
    def first(self) -> skill.Sample:
        """The sample, where the way to resample it does not matter."""
        return next(iter(self.ways.values()))


@dataclass(frozen=True)
class Place:
    """What the records of one sample have in common.

    Attributes:
        role: `test` or `all`.
        event: GOES class.
        subset: `all`, or `not_in_progress`: without windows issued during their own flare.
        case_control: Whether windows were chosen by their outcome.
        confidence: Of the intervals.
        form: How intervals follow from resamples.
        training_base_rate: Event rate of the training windows, NaN if unknown; of several folds, of each
            window's.
    """

    role: str
    event: str
    subset: str
    case_control: bool
    confidence: float
    training_base_rate: Cut
    form: skill.Form = "shifted"


@dataclass(frozen=True)
class Scored:
    """All scores of one contender on one sample, and the decision thresholds behind them."""

    name: str
    main_rule: str
    estimates: dict[Key, Estimates]
    decision_threshold: dict[Key, Cut]


def score(contender: Contender, event: int, rows: NDArray[np.bool_], drawn: Drawn, place: Place) -> Scored:
    """Score one contender on the windows `rows`, in value and in every resample.

    Every contingency score takes the contender's main decision threshold and `fixed`, if it has both; those
    of other rules are for `RULE_SCORES` alone.
    """
    probability = contender.probability[rows, event]
    rules = {rule: cut_of(threshold, rows) for rule, threshold in contender.rules[event].items()}
    thresholds: dict[Key, Cut] = {}
    for rule, threshold in rules.items():
        main = rule == next(iter(rules))
        names = tuple(skill.CONTINGENCY) if main else RULE_SCORES.get(rule, tuple(skill.CONTINGENCY))
        thresholds |= {(name, rule): threshold for name in names}
    best = best_decision_thresholds(probability, drawn.first.occurred)
    thresholds["tss_max", SAMPLE_RULE] = best["tss"] if best else np.nan
    rate = cut_of(place.training_base_rate, rows)
    ways = [_estimates(probability, rules, sample, rate) for sample in drawn.ways.values()]
    keys = [key for key in ways[0] if key in thresholds or key[0] not in skill.CONTINGENCY]
    return Scored(
        contender.name,
        next(iter(rules)),
        {key: tuple(way[key] for way in ways) for key in keys},
        thresholds,
    )


def _estimates(
    probability: NDArray[np.float64], rules: dict[str, Cut], sample: skill.Sample, training_rate: Cut
) -> dict[Key, skill.Estimate]:
    """All scores under all rules, resampled in one way."""
    found: dict[Key, skill.Estimate] = {}
    for rule, threshold in rules.items():
        contingency = skill.estimate_contingency(sample, probability, threshold)
        found |= {(name, rule): estimate for name, estimate in contingency.items()}
    for name, estimate in skill.estimate_ranking(sample, probability).items():
        found[name, SAMPLE_RULE if name == "tss_max" else ""] = estimate
    sums = skill.estimate_probability(sample, probability, training_rate)
    sums |= skill.estimate_calibration(sample, probability) | skill.estimate_economic(sample, probability)
    return found | {(name, ""): estimate for name, estimate in sums.items()}


def records(
    scored: Scored, drawn: Drawn, place: Place, scores: Collection[str] = ()
) -> Iterator[dict[str, Any]]:
    """Records of one contender's scores, of all or of some."""
    for key, estimates in scored.estimates.items():
        if not scores or key[0] in scores:
            record = record_of(scored.name, key[0], estimates, drawn, place)
            yield record | _decision(key, scored.decision_threshold.get(key))


def lost_record(scored: Scored, drawn: Drawn, place: Place) -> dict[str, Any]:
    """Record of what a contender's main decision threshold costs against the best on the scored sample.

    One threshold costs nothing at least; those of several folds may do better than the best for all of them.
    """
    best, main = scored.estimates["tss_max", SAMPLE_RULE], ("tss", scored.main_rule)
    pairs = zip(best, scored.estimates[main], strict=True)
    difference = tuple(skill.minus(highest, own) for highest, own in pairs)
    decision = _decision(main, scored.decision_threshold.get(main))
    if SEVERAL not in decision:
        difference = tuple(
            replace(one, value=float(np.maximum(one.value, 0.0)), limits=(0.0, np.inf)) for one in difference
        )
    return record_of(scored.name, LOST, difference, drawn, place, hangs_on="tss") | decision


def difference_records(
    model: Scored, other: Scored, drawn: Drawn, place: Place, p_values: PValues | None = None
) -> Iterator[dict[str, Any]]:
    """Records of the paired differences model minus another, each at its own decision threshold.

    The main rule of the one is compared with the main rule of the other, and best HSS with best HSS. The
    p-value is that of swaps of the blocks that the interval draws; null where there is no interval.
    """
    for (name, rule), estimates in model.estimates.items():
        if name in ("base_rate", "uncertainty"):  # of the windows, whoever forecasts them
            continue
        if (
            rule not in ("hss", model.main_rule) and rule in RULE_SCORES
        ):  # the other has none for that purpose
            continue
        theirs = (name, rule)
        if theirs not in other.estimates or rule == model.main_rule:
            theirs = (name, other.main_rule if name in skill.CONTINGENCY else rule)
        pairs = zip(estimates, other.estimates[theirs], strict=True)
        difference = tuple(skill.minus(ours, its) for ours, its in pairs)
        score_name = f"{name}_minus_{other.name}"
        record = record_of(model.name, score_name, difference, drawn, place, hangs_on=name)
        record |= _decision((name, rule), model.decision_threshold.get((name, rule)))
        p_value = (p_values or {}).get(record["blocks"], {}).get((name, rule, theirs[1]), np.nan)
        record |= {"reference": other.name, "p_value": None if record["low"] is None else number_of(p_value)}
        if theirs in other.decision_threshold:
            reference = _decision(theirs, other.decision_threshold[theirs])
            record["reference_decision_threshold"] = reference["decision_threshold"]
        yield record


def relative_skill_record(first: Scored, other: Scored, drawn: Drawn, place: Place) -> dict[str, Any]:
    """Record of the Brier skill of one contender with another as its reference: 1 - brier / brier_other."""
    pairs = zip(first.estimates["brier", ""], other.estimates["brier", ""], strict=True)
    relative = tuple(skill.relative(ours, its) for ours, its in pairs)
    return record_of(first.name, f"bss_against_{other.name}", relative, drawn, place, hangs_on="brier")


def record_of(
    forecast: str, name: str, estimates: Estimates, drawn: Drawn, place: Place, hangs_on: str = ""
) -> dict[str, Any]:
    """Record of one score of one forecast, or of a difference, which hangs on the rate if `hangs_on` does."""
    if place.case_control and skill.find_score(hangs_on or name).hangs_on_rate:
        nothing = np.full(estimates[0].resampled.shape, np.nan)
        estimates = (skill.Estimate(np.nan, nothing, CASE_CONTROL),) * len(estimates)
    blocks, bounds = widest(estimates, drawn, place.confidence, place.form)
    sample = drawn.ways[blocks]
    return {
        "role": place.role,
        "event": place.event,
        "subset": place.subset,
        "forecast": forecast,
        "score": name,
        "value": number_of(estimates[0].value),
        "low": number_of(bounds.low),
        "high": number_of(bounds.high),
        "n": sample.n,
        "n_events": sample.n_events,
        "blocks": blocks,
        "n_blocks": sample.blocks.n,
        "n_event_blocks": sample.n_event_blocks,
        "reason": bounds.reason or None,
    }


def widest(
    estimates: Estimates, drawn: Drawn, confidence: float, form: skill.Form
) -> tuple[str, skill.Interval]:
    """The widest interval of all ways to resample; none where one way has too few blocks for any."""
    found = {
        name: skill.interval(estimate, sample, confidence, form)
        for (name, sample), estimate in zip(drawn.ways.items(), estimates, strict=True)
    }
    width = {name: np.inf if np.isnan(one.high) else one.high - one.low for name, one in found.items()}
    widest = max(width, key=width.__getitem__)
    return widest, found[widest]


def cut_of(threshold: Cut, rows: NDArray[np.bool_]) -> Cut:
    """Decision threshold of some windows."""
    return threshold[rows] if isinstance(threshold, np.ndarray) else threshold


def _decision(key: Key, threshold: Cut | None) -> dict[str, Any]:
    """Decision threshold of a contingency score and the rule that chose it; of folds that differ, all."""
    if threshold is None:
        return {}
    values = np.unique(threshold)
    several = {SEVERAL: values.tolist()} if values.size > 1 else {}
    one = number_of(values[0]) if values.size == 1 else None
    return {"decision_threshold": one, "decision_rule": key[1], **several}


def number_of(value: float) -> float | None:
    """A number as JSON has it: None for what is undefined, no -0.0."""
    return float(value) + 0.0 if np.isfinite(value) else None

"""What gives the outcome away in train: label columns, a single feature, gaps, the hour of day.

A cheap estimate of the area under the ROC curve comes first; only where it is near a limit are whole regions
drawn with replacement, so that a limit is passed by the lower bound of its 95 % interval and not by luck.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flarecast import skill
from flarecast.audit.evidence import Evidence
from flarecast.audit.findings import Finding, counted, note
from flarecast.schema import ROLES
from flarecast.split.roles import TRAIN, RoleArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FEATURE_LIMIT = 0.98
"""Lower bound of the AUC of one feature, or of its gaps, above which it is no precursor but the answer."""

HOUR_LIMIT = 0.90
"""The same for the hour of day, which the Sun does not know."""

ODD_LIMIT = 0.60
"""AUC of the hour of day or of gaps above which how the windows were chosen shows in them."""

EVENT_REGIONS = 20
"""Blocks with an event from which a single column can be judged."""

RESAMPLES = 400

LABEL_NAMES = re.compile(
    r"[ABCMX]FLARE(_LABEL)?(_LOC)?|XR_(MAX|QUAL)"  # SWAN-SF's columns of outcomes
    r"|(flare_?|goes_?|xray_?)?(label|class|target|outcome|category)|labels?|lab"
    r"|(is_?)?flar(e|ed|ing)(_?(label|class|flag|id|number|list))?"
    r"|occurred|y|y_true|ground_?truth|truth_.*|(peak|max)_?(flux|class)(_upper)?|flare_(start|peak|end).*",
    re.IGNORECASE,
)
"""Names that say that a column holds what is to be forecast."""


@dataclass(frozen=True)
class Outcome:
    """The known train windows of one event.

    Attributes:
        event: GOES class.
        index: Windows with known outcome, shape (n,).
        occurred: Shape (n,).
        block: Independent block, shape (n,).
        n_blocks: Blocks with an event.
    """

    event: str
    index: IntArray
    occurred: BoolArray
    block: IntArray
    n_blocks: int


def train_outcomes(evidence: Evidence, role: RoleArray) -> list[Outcome]:
    """The events of the train role that have both outcomes."""
    outcomes = []
    for column, event in enumerate(evidence.events):
        index = np.flatnonzero((role == TRAIN) & (evidence.occurred[:, column] >= 0))
        occurred = evidence.occurred[index, column] == 1
        if occurred.any() and not occurred.all():
            block = evidence.block[index]
            outcomes.append(Outcome(event, index, occurred, block, int(np.unique(block[occurred]).size)))
    return outcomes


def label_names(evidence: Evidence) -> Iterator[Finding]:
    """Leak: features that are called like an outcome."""
    names = tuple(name for name in evidence.names if LABEL_NAMES.fullmatch(name.strip()))
    if names:
        text = (
            f"{counted(len(names), 'feature')} ({', '.join(names[:5])}) "
            f"{'is' if len(names) == 1 else 'are'} named like what is to be forecast; leave "
            f"{'it' if len(names) == 1 else 'them'} out of the features"
        )
        yield Finding("label column", "leak", text, len(names), names[:5], (ROLES[TRAIN],))


def giveaways(evidence: Evidence, role: RoleArray, rng: np.random.Generator) -> Iterator[Finding]:
    """Leaks and warnings of single columns, gaps and the hour of day, an event at a time.

    Args:
        evidence: The windows.
        role: Role in one fold, shape (window,).
        rng: Draws regions.
    """
    for outcome in train_outcomes(evidence, role):
        yield from _columns(evidence, outcome, rng)
        yield from _gaps(evidence, outcome, rng)
        yield from _hour(evidence, outcome, rng, grave=outcome.event == main_event(evidence.events))


def few_to_judge(evidence: Evidence, role: RoleArray) -> Iterator[Finding]:
    """Note: events of train in too few regions to judge single columns by."""
    few = [one.event for one in train_outcomes(evidence, role) if one.n_blocks < EVENT_REGIONS]
    none = [event for event, n in zip(evidence.events, _n_events(evidence, role), strict=True) if n == 0]
    if few or none:
        text = (
            f"train has {', '.join([*few, *none])} in fewer than {EVENT_REGIONS} blocks; whether a single "
            "feature, its gaps or the hour of day give that away is not judged"
        )
        yield note("single feature", text)


def auc(ranks: NDArray[np.integer], occurred: BoolArray) -> float:
    """Chance that an event has a higher rank than a non-event, ties half; NaN without one of them.

    Args:
        ranks: Whole numbers from 0, shape (n,).
        occurred: Shape (n,).
    """
    windows = np.bincount(ranks) if ranks.size else np.zeros(1, dtype=np.int64)
    events = np.bincount(ranks[occurred], minlength=windows.size)
    others = windows - events
    pairs = float(events.sum()) * float(others.sum())
    below = np.cumsum(others) - others
    return float((events * (below + others / 2)).sum() / pairs) if pairs else np.nan


def lower_bound(
    ranks: NDArray[np.integer], outcome: Outcome, rng: np.random.Generator, chosen: BoolArray | None = None
) -> float:
    """Lower bound of the 95 % interval of a column's AUC, from drawn blocks; NaN if there is none.

    A column that is lower at events counts as its negative.

    Args:
        ranks: Whole numbers from 0, shape (n,).
        outcome: What to tell apart.
        rng: Draws blocks.
        chosen: Windows that count, shape (n,); all if None.
    """
    keep = np.ones(outcome.occurred.size, dtype=np.bool_) if chosen is None else chosen
    occurred, chosen_ranks = outcome.occurred[keep], ranks[keep]
    value = chosen_ranks / max(1, int(chosen_ranks.max()))
    sample = skill.draw_sample(occurred, outcome.block[keep], rng, resamples=RESAMPLES)
    falls = auc(chosen_ranks, occurred) < 0.5
    estimate = skill.estimate_ranking(sample, 1 - value if falls else value)["roc_auc"]
    return skill.interval(estimate, sample).low


def _n_events(evidence: Evidence, role: RoleArray) -> list[int]:
    """Events of each class in train."""
    return [int(n) for n in (evidence.occurred[role == TRAIN] == 1).sum(axis=0)]


def _columns(evidence: Evidence, outcome: Outcome, rng: np.random.Generator) -> Iterator[Finding]:
    """Leaks: features that repeat the outcome, or tell it far better than any precursor does."""
    for place, name in enumerate(evidence.names):
        ranks = evidence.ranks[outcome.index, place]
        there = ranks >= 0
        area = auc(ranks[there], outcome.occurred[there])
        if not _either_way(area) > FEATURE_LIMIT:
            continue
        if (
            area in (0.0, 1.0)
            and np.unique(ranks[there]).size == 2
            and outcome.n_blocks >= EVENT_REGIONS // 4
        ):
            text = f"feature {name} takes two values and repeats {outcome.event} in train; leave it out"
            yield Finding("label column", "leak", text, 1, (name,), (ROLES[TRAIN],))
        elif outcome.n_blocks >= EVENT_REGIONS:
            low = lower_bound(ranks, outcome, rng, there)
            if low > FEATURE_LIMIT:
                text = (
                    f"feature {name} alone tells {outcome.event} in train (AUC {_either_way(area):.3f}, "
                    f"lower bound {low:.3f}, limit {FEATURE_LIMIT}); no precursor does, leave it out"
                )
                yield Finding("single feature", "leak", text, 1, (name,), (ROLES[TRAIN],))


def _gaps(evidence: Evidence, outcome: Outcome, rng: np.random.Generator) -> Iterator[Finding]:
    """Leak or warning: missing values that tell the outcome; the most telling feature is named."""
    missing = evidence.missing[outcome.index]
    areas = np.array([_either_way(auc(column, outcome.occurred)) for column in missing.T])
    if not areas.size or not areas.max() > ODD_LIMIT:
        return
    place = int(areas.argmax())
    low = lower_bound(missing[:, place], outcome, rng)
    name = evidence.names[place]
    words = f"(AUC {areas[place]:.3f}, lower bound {low:.3f}"
    if low > FEATURE_LIMIT and outcome.n_blocks >= EVENT_REGIONS:
        text = (
            f"missing values of {name} alone tell {outcome.event} in train {words}, limit {FEATURE_LIMIT}); "
        )
        yield Finding("missingness", "leak", text + "mend the data", 1, (name,), (ROLES[TRAIN],))
    elif low > 0.5:
        text = (
            f"missing values of {name} go with {outcome.event} in train {words}); a model may learn how the "
            "data were made"
        )
        yield Finding("missingness", "warning", text, 1, (name,), (ROLES[TRAIN],))


def _either_way(area: float) -> float:
    """AUC of a column that may rise or fall with the event."""
    return max(area, 1 - area)


def main_event(events: Sequence[str]) -> str:
    """The event that a run is about: M1.0 where it is among the events, else the first."""
    return "M1.0" if "M1.0" in events else events[0]


def _hour(evidence: Evidence, outcome: Outcome, rng: np.random.Generator, grave: bool) -> Iterator[Finding]:
    """Leak (for the main event) or warning: the hour at which a window was issued tells the outcome."""
    second = evidence.spans.issue_time[outcome.index] % 86_400
    if second.min() == second.max():
        return
    _, rate = np.unique(hour_rate(second, outcome, rng), return_inverse=True)
    falling, areas = (
        1 - auc(second, outcome.occurred),
        (auc(second, outcome.occurred), auc(rate, outcome.occurred)),
    )
    telling = [
        (lower_bound(column, outcome, rng), area)
        for column, area in ((second, max(areas[0], falling)), (rate, areas[1]))
        if area > ODD_LIMIT
    ]
    if not telling:
        return
    low, best = max(telling)
    words = f"(AUC {best:.3f}, lower bound {low:.3f}"
    if grave and low > HOUR_LIMIT and outcome.n_blocks >= EVENT_REGIONS:
        text = (
            f"the hour of day alone tells {outcome.event} in train {words}, limit {HOUR_LIMIT:.2f}); the "
            "windows' times were chosen by their flares, choose them without"
        )
        yield Finding("hour of day", "leak", text, outcome.index.size, (), (ROLES[TRAIN],))
    elif low > 0.5:
        text = (
            f"the hour of day goes with {outcome.event} in train {words}); the windows' times depend on "
            "their flares"
        )
        yield Finding("hour of day", "warning", text, outcome.index.size, (), (ROLES[TRAIN],))


def hour_rate(second: IntArray, outcome: Outcome, rng: np.random.Generator) -> FloatArray:
    """Event rate of each window's hour among the other half of the blocks, shape (n,).

    No window is judged by its own region, so that rates of hours with few windows give nothing away.

    Args:
        second: Second of the day, shape (n,).
        outcome: Outcomes and blocks.
        rng: Halves the blocks.
    """
    hour = second // 3600
    _, block = np.unique(outcome.block, return_inverse=True)
    half = rng.permutation(int(block.max()) + 1)[block] % 2
    rate = np.empty(hour.size)
    base = outcome.occurred.mean()
    for number in (0, 1):
        mine, others = half == number, half != number
        n = np.bincount(hour[others], minlength=24)
        events = np.bincount(hour[others], weights=outcome.occurred[others], minlength=24)
        rate[mine] = ((events + base) / (n + 1))[hour[mine]]
    return rate

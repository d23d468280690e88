"""The scores by name: the function that computes each, and what it needs to be defined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flarecast.skill.calibration import (
    calibration_intercept,
    calibration_slope,
    discrimination,
    miscalibration,
)
from flarecast.skill.classes import (
    class_precision,
    class_recall,
    gmgs,
    kappa_linear,
    kappa_quadratic,
    rps,
    rpss,
)
from flarecast.skill.contingency import (
    csi,
    f1,
    false_alarm_rate,
    false_alarm_ratio,
    frequency_bias,
    hss,
    precision,
    recall,
    tss,
)
from flarecast.skill.contingency_skill import accuracy, apss, gilbert, hss1, mcc, sedi
from flarecast.skill.decomposition import reliability, resolution, sharpness, uncertainty, within_bin
from flarecast.skill.economic import COST_RATIOS, economic_value
from flarecast.skill.probability import (
    base_rate,
    brier,
    bss,
    bss_train,
    bss_year,
    ece,
    ignorance_skill,
    log_loss,
)
from flarecast.skill.ranking import (
    average_precision,
    precision_at_recall,
    recall_at_far,
    roc_auc,
    tss_max,
)
from flarecast.skill.sums import BoolArray, FloatArray

SHARE, SKILL, POSITIVE, ANY = (0.0, 1.0), (-np.inf, 1.0), (0.0, np.inf), (-np.inf, np.inf)
"""Ranges of scores."""


@dataclass(frozen=True)
class Score:
    """A score of one family of sums.

    Attributes:
        compute: Sums of any shape (...) -> score (...).
        needs: Keys of `NEEDS` without which it is undefined, or would be a number that means nothing.
        hangs_on_rate: Whether it depends on the base rate, so that it has no meaning for windows that
            were chosen by their outcome.
        limits: Smallest and largest value it can have.
        gains: Whether chance alone raises it, because gaps are squared or counted without sign, or because
            something is fitted to the windows scored: the value is too high, a resample even more so.
    """

    compute: Callable[[Any], FloatArray]
    needs: tuple[str, ...] = ()
    hangs_on_rate: bool = True
    limits: tuple[float, float] = SHARE
    gains: bool = False


NEEDS: dict[str, tuple[str, Callable[[Any], BoolArray]]] = {
    "windows": ("no windows", lambda sums: sums.events + sums.non_events > 0),
    "events": ("no events", lambda sums: sums.events > 0),
    "non_events": ("no non-events", lambda sums: sums.non_events > 0),
    "warned": ("no event was forecast at this decision threshold", lambda sums: sums.warned > 0),
    "unwarned": (
        "an event was forecast for every window at this decision threshold",
        lambda sums: sums.misses + sums.correct_negatives > 0,
    ),
    "cells": (
        "one of the four counts is 0 at this decision threshold",
        lambda sums: sums.hits * sums.correct_negatives * sums.false_alarms * sums.misses > 0,
    ),
    "overlap": (
        "some probability parts all events from all non-events, so that no logistic fit exists",
        lambda sums: ~np.isnan(sums.fit[1]) & (sums.events > 0),
    ),
    "class_windows": ("no windows", lambda sums: sums.n > 0),
    "classes": ("a class did not occur", lambda sums: (sums.observed > 0).all(axis=-1)),
    "two_observed": ("all windows are of one class", lambda sums: (sums.observed > 0).sum(axis=-1) > 1),
    "two_classes": (
        "all windows are of one class and forecast to be of it",
        lambda sums: (sums.observed + sums.forecast > 0).sum(axis=-1) > 1,
    ),
    "training_rate": ("training base rate unknown", lambda sums: ~np.isnan(sums.training_error)),
}
"""What scores need: the reason given where it is absent, and the test."""

CONTINGENCY: dict[str, Score] = {
    "tss": Score(tss, ("events", "non_events"), hangs_on_rate=False, limits=(-1.0, 1.0)),
    "hss": Score(hss, ("events", "non_events"), limits=(-1.0, 1.0)),
    "recall": Score(recall, ("events",), hangs_on_rate=False),
    "precision": Score(precision, ("events", "warned")),
    "false_alarm_rate": Score(false_alarm_rate, ("non_events",), hangs_on_rate=False),
    "false_alarm_ratio": Score(false_alarm_ratio, ("events", "warned")),
    "f1": Score(f1, ("events",)),
    "csi": Score(csi, ("events",)),
    "frequency_bias": Score(frequency_bias, ("events",), limits=POSITIVE),
    "hss1": Score(hss1, ("events",), limits=SKILL),
    "gilbert": Score(gilbert, ("events", "non_events"), limits=(-1 / 3, 1.0)),
    "accuracy": Score(accuracy, ("windows",)),
    "apss": Score(apss, ("events", "non_events"), limits=SKILL),
    "mcc": Score(mcc, ("events", "non_events", "warned", "unwarned"), limits=(-1.0, 1.0)),
    "sedi": Score(sedi, ("events", "non_events", "cells"), hangs_on_rate=False, limits=(-1.0, 1.0)),
}
"""Scores of a `ContingencyTable`."""

PROBABILITY: dict[str, Score] = {
    "base_rate": Score(base_rate, ("windows",)),
    "brier": Score(brier, ("windows",)),
    "bss": Score(bss, ("events", "non_events"), limits=SKILL),
    "bss_train": Score(bss_train, ("windows", "training_rate"), limits=SKILL),
    "bss_year": Score(bss_year, ("events", "non_events"), limits=SKILL),
    "log_loss": Score(log_loss, ("windows",), limits=POSITIVE),
    "ece": Score(lambda sums: ece(sums.width_bins), ("windows",), gains=True),
    "ece_mass": Score(lambda sums: ece(sums.mass_bins), ("windows",), gains=True),
    "ignorance_skill": Score(ignorance_skill, ("events", "non_events"), limits=SKILL),
    "reliability": Score(reliability, ("windows",), gains=True),
    "resolution": Score(resolution, ("windows",), gains=True),
    "uncertainty": Score(uncertainty, ("windows",), limits=(0.0, 0.25)),
    "within_bin": Score(within_bin, ("windows",), limits=ANY),
    "sharpness": Score(sharpness, ("windows",), limits=(0.0, 0.5)),
}
"""Scores of `ProbabilitySums`."""

CALIBRATION: dict[str, Score] = {
    "miscalibration": Score(miscalibration, ("windows",), gains=True),
    "discrimination": Score(discrimination, ("windows",), gains=True),
    "calibration_slope": Score(calibration_slope, ("events", "non_events", "overlap"), limits=ANY),
    "calibration_intercept": Score(calibration_intercept, ("events", "non_events", "overlap"), limits=ANY),
}
"""Scores of `CalibrationSums`."""

RANKING: dict[str, Score] = {
    "average_precision": Score(average_precision, ("events",)),
    "roc_auc": Score(roc_auc, ("events", "non_events"), hangs_on_rate=False),
    "recall_at_far_01": Score(
        lambda ranked: recall_at_far(ranked, 0.01), ("events", "non_events"), hangs_on_rate=False
    ),
    "recall_at_far_05": Score(
        lambda ranked: recall_at_far(ranked, 0.05), ("events", "non_events"), hangs_on_rate=False
    ),
    "precision_at_recall_50": Score(lambda ranked: precision_at_recall(ranked, 0.5), ("events",)),
    "precision_at_recall_80": Score(lambda ranked: precision_at_recall(ranked, 0.8), ("events",)),
    "tss_max": Score(tss_max, ("events", "non_events"), hangs_on_rate=False, gains=True),
}
"""Scores of `RankedCounts`."""


def _of_column(compute: Callable[[Any], FloatArray], nth: int) -> Callable[[Any], FloatArray]:
    """A score that is one of several, (..., several), as a score by itself, (...)."""
    return lambda sums: compute(sums)[..., nth]


ECONOMIC: dict[str, Score] = {
    f"economic_value@{one:g}": Score(_of_column(economic_value, nth), ("events", "non_events"), limits=SKILL)
    for nth, one in enumerate(COST_RATIOS)
}
"""Scores of `CostSums`, by cost-loss ratio."""

SCORES: dict[str, Score] = {**CONTINGENCY, **RANKING, **PROBABILITY, **CALIBRATION, **ECONOMIC}
"""All scores of one event, by the names of scores.json."""

CLASSES: dict[str, Score] = {
    "rps": Score(rps, ("class_windows",)),
    "rpss": Score(rpss, ("two_observed",), limits=SKILL),
    "gmgs": Score(gmgs, ("classes",), limits=SKILL),
    "kappa_linear": Score(kappa_linear, ("two_classes",), limits=(-1.0, 1.0)),
    "kappa_quadratic": Score(kappa_quadratic, ("two_classes",), limits=(-1.0, 1.0)),
}
"""Scores of `ClassSums` over all classes, by name."""

PER_CLASS: dict[str, Score] = {
    "class_recall": Score(class_recall, hangs_on_rate=False),
    "class_precision": Score(class_precision),
}
"""Scores of `ClassSums` that each class has; in scores.json their names end with `@` and the class."""


def scores_of_classes(labels: Sequence[str]) -> dict[str, Score]:
    """All scores of `ClassSums`, those of single classes named after them, e.g. `class_recall@M1.0`.

    Args:
        labels: Name of each class, shape (class,).
    """
    found = dict(CLASSES)
    for name, score in PER_CLASS.items():
        for nth, label in enumerate(labels):
            found[f"{name}@{label}"] = replace(score, compute=_of_column(score.compute, nth))
    return found


OCCASIONS: dict[str, Score] = {
    "flare_recall": Score(np.asarray, hangs_on_rate=False),
    "flare_recall_C": Score(np.asarray, hangs_on_rate=False),
    "flare_recall_M": Score(np.asarray, hangs_on_rate=False),
    "flare_recall_X": Score(np.asarray, hangs_on_rate=False),
    "flare_lead_hours": Score(np.asarray, hangs_on_rate=False, limits=(-np.inf, np.inf)),
    "first_flare_recall": Score(np.asarray, hangs_on_rate=False),
    "false_alarm_days": Score(np.asarray, limits=(0.0, 365.25)),
    "all_clear_days": Score(np.asarray),
    "quiet_days_clear": Score(np.asarray, hangs_on_rate=False),
}
"""Scores of occasions: whether they hang on the base rate, and their range (0 to 1 where not said)."""


def find_score(name: str) -> Score:
    """The score of a name in scores.json, whatever its event or class."""
    return SCORES.get(name) or CLASSES.get(name) or OCCASIONS.get(name) or PER_CLASS[name.partition("@")[0]]

"""The scores by name: the function that computes each, and what it needs to be defined."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from flarecast.skill.calibration import (
    calibration_intercept,
    calibration_slope,
    discrimination,
    miscalibration,
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


@dataclass(frozen=True)
class Score:
    """A score of one family of sums.

    Attributes:
        compute: Sums of any shape (...) -> score (...).
        needs: Keys of `NEEDS` without which it is undefined, or would be a number that means nothing.
        hangs_on_rate: Whether it depends on the base rate, so that it has no meaning for windows that
            were chosen by their outcome.
    """

    compute: Callable[[Any], FloatArray]
    needs: tuple[str, ...] = ()
    hangs_on_rate: bool = True


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
    "training_rate": ("training base rate unknown", lambda sums: ~np.isnan(sums.training_error)),
}
"""What scores need: the reason given where it is absent, and the test."""

CONTINGENCY: dict[str, Score] = {
    "tss": Score(tss, ("events", "non_events"), hangs_on_rate=False),
    "hss": Score(hss, ("events", "non_events")),
    "recall": Score(recall, ("events",), hangs_on_rate=False),
    "precision": Score(precision, ("events", "warned")),
    "false_alarm_rate": Score(false_alarm_rate, ("non_events",), hangs_on_rate=False),
    "false_alarm_ratio": Score(false_alarm_ratio, ("events", "warned")),
    "f1": Score(f1, ("events",)),
    "csi": Score(csi, ("events",)),
    "frequency_bias": Score(frequency_bias, ("events",)),
    "hss1": Score(hss1, ("events",)),
    "gilbert": Score(gilbert, ("events", "non_events")),
    "accuracy": Score(accuracy, ("windows",)),
    "apss": Score(apss, ("events", "non_events")),
    "mcc": Score(mcc, ("events", "non_events", "warned", "unwarned")),
    "sedi": Score(sedi, ("events", "non_events", "cells"), hangs_on_rate=False),
}
"""Scores of a `ContingencyTable`."""

PROBABILITY: dict[str, Score] = {
    "base_rate": Score(base_rate, ("windows",)),
    "brier": Score(brier, ("windows",)),
    "bss": Score(bss, ("events", "non_events")),
    "bss_train": Score(bss_train, ("windows", "training_rate")),
    "bss_year": Score(bss_year, ("events", "non_events")),
    "log_loss": Score(log_loss, ("windows",)),
    "ece": Score(lambda sums: ece(sums.width_bins), ("windows",)),
    "ece_mass": Score(lambda sums: ece(sums.mass_bins), ("windows",)),
    "ignorance_skill": Score(ignorance_skill, ("events", "non_events")),
    "reliability": Score(reliability, ("windows",)),
    "resolution": Score(resolution, ("windows",)),
    "uncertainty": Score(uncertainty, ("windows",)),
    "within_bin": Score(within_bin, ("windows",)),
    "sharpness": Score(sharpness, ("windows",)),
}
"""Scores of `ProbabilitySums`."""

CALIBRATION: dict[str, Score] = {
    "miscalibration": Score(miscalibration, ("windows",)),
    "discrimination": Score(discrimination, ("windows",)),
    "calibration_slope": Score(calibration_slope, ("events", "non_events", "overlap")),
    "calibration_intercept": Score(calibration_intercept, ("events", "non_events", "overlap")),
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
    "tss_max": Score(tss_max, ("events", "non_events"), hangs_on_rate=False),
}
"""Scores of `RankedCounts`."""

SCORES: dict[str, Score] = {**CONTINGENCY, **RANKING, **PROBABILITY, **CALIBRATION}
"""All scores by the names of scores.json."""

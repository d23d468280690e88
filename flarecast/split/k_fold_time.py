"""Folds by time: every span is tested on once, by a model of all others."""

import numpy as np
import xarray as xr

from flarecast.split.borders import chosen_embargo, settle
from flarecast.split.fractions import check_folds
from flarecast.split.interleaving import PATTERN, interleave_training, make_calendar
from flarecast.split.roles import TEST, TRAIN, Roles
from flarecast.split.spans import check_filled, in_words, mark


def k_fold_time(
    windows: xr.Dataset,
    rng: np.random.Generator,  # noqa: ARG001 (one signature for all strategies; dates decide here)
    *,
    embargo_hours: float | None = None,
    folds: int = 5,
    block_rotations: int | None = None,
    pattern: str = PATTERN,
) -> Roles:
    """Cut the time into equal spans; each fold tests on one and learns from those before and after it.

    Validation and calibration are interleaved in what a fold learns from. Models know what came after test,
    which no forecaster does: the folds say how scores vary, not how well a forecast of tomorrow will do.

    Args:
        windows: A windows Dataset.
        rng: Not used.
        embargo_hours: Least time between the issue times of two roles [h]; None: that of the file.
        folds: How many.
        block_rotations: 27-day rotations in a block; None: six or fewer, as the span and 2.5 embargoes need.
        pattern: Roles of the blocks in turn: t train, v validation, c calibration.

    Raises:
        FlarecastError: Fewer than two folds, a span without windows, one that the embargo empties, or blocks
            too short or too long.
    """
    embargo = chosen_embargo(windows, embargo_hours)
    check_folds(folds)
    calendar = make_calendar(block_rotations, pattern, embargo)
    issue_time = windows["issue_time"].values
    edges = np.linspace(issue_time.min(), issue_time.max() + 1, folds + 1).round().astype(np.int64).tolist()
    role = np.full((folds, issue_time.size), TRAIN, dtype=np.int8)
    names, words = [], []
    for fold in range(folds):
        span = (edges[fold], edges[fold + 1])
        mark(role[fold], TEST, span, issue_time)
        check_filled(role[fold], TEST, span, issue_time, f" in fold {fold}")
        words.append(interleave_training(role[fold], issue_time, calendar))
        names.append(f"test {in_words(span)}")
    details = {"blocks": "\n".join(words)} if any(words) else {}
    return settle(windows, role, embargo, fold_names="\n".join(names), **details)

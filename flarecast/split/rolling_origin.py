"""Folds with a rolling origin: each tests on the time after what it learned from."""

from typing import Literal

import numpy as np
import xarray as xr

from flarecast.errors import FlarecastError
from flarecast.split.borders import chosen_embargo, settle
from flarecast.split.fractions import check_folds
from flarecast.split.roles import CALIBRATION, TEST, TRAIN, VALIDATION, Roles
from flarecast.split.spans import Moment, check_filled, in_words, mark, moment


def rolling_origin(  # noqa: PLR0913 (an option is a keyword argument, for every strategy)
    windows: xr.Dataset,
    rng: np.random.Generator,  # noqa: ARG001 (one signature for all strategies; dates decide here)
    *,
    embargo_hours: float | None = None,
    folds: int = 5,
    first_test: Moment = 0.4,
    train: Literal["expanding", "sliding"] = "expanding",
    validation: float = 0.15,
    calibration: float = 0.15,
) -> Roles:
    """Cut the time from the first test on into equal spans, and test each on a model of the time before it.

    In each fold train, validation, calibration and test follow each other in time. `expanding` folds learn
    from the first window on, `sliding` ones from as much time as the first fold has. Validation and
    calibration are the last stretches before test: in the decline of a cycle they have few flares.

    Args:
        windows: A windows Dataset.
        rng: Not used.
        embargo_hours: Least time between the issue times of two roles [h]; None: that of the file.
        folds: How many.
        first_test: Where the first test span starts: a date, or a fraction of the time.
        train: Whether what a fold learns from grows or keeps its length.
        validation: Part of the time before test that is validation.
        calibration: Part of the time before test that is calibration.

    Raises:
        FlarecastError: Fewer than two folds, parts that leave nothing to train on, a span without windows, or
            one that the embargo empties.
    """
    embargo = chosen_embargo(windows, embargo_hours)
    check_folds(folds)
    _check_parts(train, validation, calibration)
    issue_time = windows["issue_time"].values
    origin, after = int(issue_time.min()), int(issue_time.max()) + 1
    begin = moment("first_test", first_test, issue_time)
    if not origin < begin < after:
        raise FlarecastError(
            f"split.first_test: expected a moment inside the data ({in_words((origin, after))}), got "
            f"{first_test!r}"
        )
    edges = np.linspace(begin, after, folds + 1).round().astype(np.int64).tolist()
    role = np.zeros((folds, issue_time.size), dtype=np.int8)
    names = []
    for fold in range(folds):
        start, stop = edges[fold], edges[fold + 1]
        since = origin if train == "expanding" else start - (begin - origin)
        known = start - since
        cuts = [since, start - round((validation + calibration) * known), start - round(calibration * known)]
        bounds = [*cuts, start, stop]
        for number in (TRAIN, VALIDATION, CALIBRATION, TEST):
            span = (bounds[number - 1], bounds[number])
            mark(role[fold], number, span, issue_time)
            check_filled(role[fold], number, span, issue_time, f" in fold {fold}")
        names.append(f"test {in_words((start, stop))}")
    return settle(windows, role, embargo, fold_names="\n".join(names))


def _check_parts(train: str, validation: float, calibration: float) -> None:
    """Raise unless the options say what is before test."""
    if train not in ("expanding", "sliding"):
        raise FlarecastError(f"split.train: expected expanding or sliding, got {train!r}")
    for name, part in (("validation", validation), ("calibration", calibration)):
        if isinstance(part, bool) or not isinstance(part, (int, float)) or not 0 < part < 1:
            raise FlarecastError(f"split.{name}: expected a fraction between 0 and 1, got {part!r}")
    if validation + calibration >= 1:
        raise FlarecastError(
            f"split: expected validation and calibration that leave time for train, got {validation} and "
            f"{calibration}"
        )

"""The calibrator that suits the calibration windows best, by a cross-validated log score."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast.calibrators import beta, identity, isotonic, platt, temperature, venn_abers
from flarecast.calibrators.identity import FloatArray, check_min_events, too_few
from flarecast.calibrators.log_odds import mean_log_loss
from flarecast.errors import FlarecastError

IntArray = NDArray[np.int64]

CANDIDATES: dict[str, tuple[Callable[..., dict[str, Any]], Callable[..., FloatArray]]] = {
    "prior": (identity.fit, identity.apply),
    "temperature": (temperature.fit, temperature.apply),
    "platt": (platt.fit, platt.apply),
    "beta": (beta.fit, beta.apply),
    "isotonic": (isotonic.fit, isotonic.apply),
    "venn_abers": (venn_abers.fit, venn_abers.apply),
}
"""What is chosen from, stiff ones first: of equal scores the first counts."""

UNGROUPED_PARTS = 20
"""Contiguous stretches that stand for groups where none are named."""


def fit(
    probability: FloatArray,
    occurred: NDArray[np.bool_],
    *,
    group: NDArray[Any] | None = None,
    candidates: tuple[str, ...] = tuple(CANDIDATES),
    folds: int = 5,
    min_events: int = 20,
) -> dict[str, Any]:
    """Fit the candidate with the smallest log loss on groups that it was not fitted on.

    Whole groups (regions, or 27-day rotations) are held out in turn: windows of one group are near copies,
    and dealt out one by one they would let the most supple candidate win. With too few events, or events in
    fewer groups than folds, only the prior is corrected.

    Args:
        probability: Forecasts of one event, shape (n,).
        occurred: Whether it came, shape (n,).
        group: What is held out as a whole, shape (n,); None takes stretches of the rows as they come.
        candidates: What to choose from, entries of `CANDIDATES`.
        folds: How many parts are held out in turn.
        min_events: With fewer events, or fewer non-events, only the prior is corrected.

    Returns:
        `chosen`, its `numbers`, the `log_loss` of each candidate, and `reason`, the text why nothing was
        chosen or None.

    Raises:
        FlarecastError: An option out of range.
    """
    check_min_events(min_events)
    unknown = [name for name in candidates if name not in CANDIDATES]
    if unknown or not candidates:
        raise FlarecastError(
            f"calibrate.options: candidates: expected some of {', '.join(CANDIDATES)}, "
            f"got {', '.join(unknown) or 'none'}"
        )
    if folds < 2:
        raise FlarecastError(f"calibrate.options: folds: expected at least 2, got {folds}")
    part = _parts(probability.size, group)
    reason = too_few(occurred, min_events) or _too_few_groups(part, occurred, folds)
    if reason is not None:
        return {"chosen": "prior", "numbers": {"reason": None}, "log_loss": {}, "reason": reason}
    fold = deal(part, occurred, folds)
    ordered = [name for name in CANDIDATES if name in candidates]
    loss = {name: _held_out_loss(name, probability, occurred, fold) for name in ordered}
    chosen = min(loss, key=loss.__getitem__)
    numbers = _fit(chosen, probability, occurred)
    return {"chosen": chosen, "numbers": numbers, "log_loss": loss, "reason": None}


def apply(probability: FloatArray, numbers: Mapping[str, Any]) -> FloatArray:
    """Probabilities by the curve that was chosen."""
    return CANDIDATES[str(numbers["chosen"])][1](probability, numbers["numbers"])


def ranges(probability: FloatArray, numbers: Mapping[str, Any]) -> tuple[FloatArray, FloatArray]:
    """Lower and upper end where Venn-Abers was chosen, else both the probability itself."""
    if numbers["chosen"] == "venn_abers":
        return venn_abers.ranges(probability, numbers["numbers"])
    return (mended := apply(probability, numbers)), mended


def deal(part: IntArray, occurred: NDArray[np.bool_], folds: int) -> IntArray:
    """Fold of each window: groups in the order of their events, each to the fold with fewest so far.

    Args:
        part: Group of each window, from 0, shape (n,).
        occurred: Shape (n,).
        folds: How many.
    """
    n_parts = int(part.max()) + 1
    n, n_events = np.bincount(part, minlength=n_parts), np.bincount(part, occurred, minlength=n_parts)
    fold_of, filled = np.zeros(n_parts, dtype=np.int64), np.zeros((folds, 2))
    for one in np.lexsort((np.arange(n_parts), -n, -n_events)):
        fewest = min(range(folds), key=lambda fold: (*filled[fold], fold))
        fold_of[one] = fewest
        filled[fewest] += n_events[one], n[one]
    return fold_of[part]


def _parts(n: int, group: NDArray[Any] | None) -> IntArray:
    """Number of each window's group."""
    if group is None:
        return np.arange(n) * UNGROUPED_PARTS // max(1, n)
    return np.unique(np.asarray(group).astype(str), return_inverse=True)[1].astype(np.int64)


def _too_few_groups(part: IntArray, occurred: NDArray[np.bool_], folds: int) -> str | None:
    """Why nothing can be held out; None if it can."""
    n_groups = min(np.unique(part[occurred]).size, np.unique(part[~occurred]).size)
    if n_groups >= folds:
        return None
    groups = f"{n_groups} group{'' if n_groups == 1 else 's'}"
    return f"events in {groups} of calibration, {folds} needed: only the prior is corrected"


def _fit(name: str, probability: FloatArray, occurred: NDArray[np.bool_]) -> dict[str, Any]:
    """Numbers of one candidate, fitted however few the events of a fold are."""
    fit_one = CANDIDATES[name][0]
    return fit_one(probability, occurred) if name == "prior" else fit_one(probability, occurred, min_events=1)


def _held_out_loss(name: str, probability: FloatArray, occurred: NDArray[np.bool_], fold: IntArray) -> float:
    """Mean log loss of a candidate over windows that it was not fitted on."""
    mended = np.empty_like(probability)
    for one in np.unique(fold):
        held = fold == one
        numbers = _fit(name, probability[~held], occurred[~held])
        mended[held] = CANDIDATES[name][1](probability[held], numbers)
    return mean_log_loss(mended, occurred)

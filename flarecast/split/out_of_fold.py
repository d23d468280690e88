"""Out-of-fold folds: the whole training span trains the final model, and every part of it is held out once.

Fold 0 is the final model: train, validation and calibration of the strategy are all train, test stays. Each
later fold holds one part of that training span out as calibration and another as validation, and trains on
the rest; pooled, the forecasts of the held-out parts (out-of-fold forecasts) cover the span without a window
that its own model has seen, and calibrators and decision thresholds are fitted on them.

Parts are blocks of 27-day rotations in turn for strategies by time (see `interleaving`; at least 2.5
embargoes each), whole regions for strategies by region.
"""

from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles
from flarecast.errors import FlarecastError
from flarecast.schema import ROLES
from flarecast.split.borders import settle
from flarecast.split.fractions import MOST_FOLDS, deal_regions
from flarecast.split.interleaving import block_of, fitting_rotations
from flarecast.split.regions import linked_regions
from flarecast.split.roles import CALIBRATION, TEST, TRAIN, UNUSED, VALIDATION, RoleArray, Roles


def add_folds(
    windows: xr.Dataset, base: Roles, rng: np.random.Generator, n_folds: int, whole_regions: bool
) -> Roles:
    """Make the final model's fold and n inner folds of a strategy's one fold.

    Args:
        windows: A windows Dataset.
        base: What the strategy gave, one fold.
        rng: Decides which regions go where.
        n_folds: How many parts are held out in turn, at least 2.
        whole_regions: Hold out regions, not blocks of time.

    Returns:
        Roles of n + 1 folds; what borders cost is counted over all of them.

    Raises:
        FlarecastError: The strategy made several folds, fewer than two are asked for, or the training span
            has too few blocks or regions for them.
    """
    if isinstance(n_folds, bool) or not isinstance(n_folds, int) or not 2 <= n_folds <= MOST_FOLDS:
        raise FlarecastError(f"calibrate.folds: expected from 2 to {MOST_FOLDS} folds, got {n_folds!r}")
    if len(base.role) > 1:
        raise FlarecastError(
            f'calibrate.fit_on: expected "calibration" for a strategy that makes folds itself, got '
            f'"out_of_fold" and {len(base.role)} folds'
        )
    planned = base.role if base.planned is None else base.planned
    trains = (planned > UNUSED) & (planned < TEST)
    final = settle(windows, np.where(trains, np.int8(TRAIN), planned), base.embargo_hours)
    span = np.flatnonzero(final.role[0] == TRAIN)
    if whole_regions:
        region, flux = linked_regions(windows)[span], windows["peak_flux"].values[span]
        shares = deal_regions(region, flux, np.full(_n_parts(n_folds), 1 / _n_parts(n_folds)), rng)
        part, words = shares.astype(np.int64) - 1, f"{np.unique(region).size:,} regions in {n_folds} parts"
    else:
        part, words = _blocks_in_turn(windows["issue_time"].values[span], n_folds, base.embargo_hours)
    held = np.zeros((n_folds, planned.shape[1]), dtype=np.int8)
    held[:, span] = _hold_out(part, n_folds)
    _check_filled(held, words)
    inner = settle(windows, held, base.embargo_hours)
    return replace(
        final,
        role=np.concatenate([final.role, inner.role]),
        planned=None,
        n_outside=final.n_outside + inner.n_outside,
        n_straddling_regions=final.n_straddling_regions + inner.n_straddling_regions,
        n_straddling_windows_unused=final.n_straddling_windows_unused + inner.n_straddling_windows_unused,
        n_embargoed=final.n_embargoed + inner.n_embargoed,
        details={"out_of_fold_parts": words, "fold_names": "\n".join(_names(n_folds))},
    )


def _n_parts(n_folds: int) -> int:
    """Parts of the training span; two folds need four, so that something is left to train on."""
    return n_folds if n_folds > 2 else 4


def _names(n_folds: int) -> list[str]:
    """Names of the folds."""
    return ["final model", *(f"holds out part {fold + 1}" for fold in range(n_folds))]


def _hold_out(part: NDArray[np.int64], n_folds: int) -> RoleArray:
    """Roles of a training span in each inner fold, shape (fold, window), from the windows' parts."""
    n_parts = _n_parts(n_folds)
    fold = np.arange(n_folds)[:, None]
    role = np.full((n_folds, part.size), TRAIN, dtype=np.int8)
    role[part % n_parts == (fold + 1) % n_parts] = VALIDATION
    role[part % n_folds == fold] = CALIBRATION
    return role


def _blocks_in_turn(
    issue_time: NDArray[np.int64], n_folds: int, embargo: float
) -> tuple[NDArray[np.int64], str]:
    """Number of the block of each window, and the calendar in words.

    A block is six rotations, or fewer where the span would not go through its parts twice. Blocks without
    windows are not counted, and one that windows fill less than half joins the one before.
    """
    rotations = fitting_rotations(issue_time, 2 * _n_parts(n_folds), embargo)
    block = block_of(issue_time, rotations, embargo)
    there, number = np.unique(block, return_inverse=True)
    first, last = np.full(there.size, issue_time.max()), np.full(there.size, issue_time.min())
    np.minimum.at(first, number, issue_time)
    np.maximum.at(last, number, issue_time)
    begins = last - first >= rotations * cycles.ROTATION_DAYS * cycles.DAY / 2
    begins[0] = True
    number = (np.cumsum(begins) - 1)[number]
    start = cycles.iso(int(issue_time.min()))[:10]
    return number, f"{begins.sum()} blocks of {rotations} rotations from {start}, in {n_folds} parts"


def _check_filled(held: RoleArray, words: str) -> None:
    """Raise unless every inner fold has windows of its three roles."""
    for fold, role in enumerate(held, 1):
        absent = [ROLES[kind] for kind in (TRAIN, VALIDATION, CALIBRATION) if not (role == kind).any()]
        if absent:
            raise FlarecastError(
                f"calibrate.folds: expected a training span that fills {len(held)} folds, got {words} and no "
                f"{' or '.join(absent)} windows in fold {fold}; ask for fewer folds, or set calibrate.fit_on "
                '= "calibration"'
            )

"""Reference forecasts: what anybody could have said with the outcomes known at issue time.

An outcome is known once its span is over: a window issued at t knows the windows with valid_to <= t, of every
role, because what happened is no secret. Rates that are fitted come from the train role only.
"""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from flarecast.schema import ROLES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DAY = 86_400

REFERENCE_NAMES = ("climatology", "recent_27", "recent_365", "persistence", "persistence_calibrated")
"""Training base rate; rate of the last 27 and 365 days; what the region's latest known window did, as 0 or 1,
and as the training rate that follows it."""


def reference_forecasts(
    windows: xr.Dataset,
    occurred: NDArray[np.int8],
    role: NDArray[np.int8],
    train_rate: ArrayLike,
) -> tuple[tuple[str, ...], FloatArray]:
    """Make all reference forecasts.

    Args:
        windows: Dataset with `region`, `issue_time` and `valid_to` (window) [s since 1970].
        occurred: 1, 0 or -1 (unknown), shape (window, event).
        role: Role of each window (index into `schema.ROLES`), shape (window,).
        train_rate: Event rates of the train role, shape (event,).

    Returns:
        Their names, and probabilities of shape (window, event, forecast).
    """
    rates = np.atleast_1d(np.asarray(train_rate, dtype=np.float64))
    issue, valid_to = windows["issue_time"].values, windows["valid_to"].values
    region = region_codes(windows["region"].values)
    out = np.empty((*occurred.shape, len(REFERENCE_NAMES)))
    for event in range(occurred.shape[1]):
        outcome, rate = occurred[:, event], float(rates[event])
        latest = latest_known(region, issue, valid_to, outcome >= 0)
        before = np.where(latest >= 0, outcome[latest], -1)
        out[:, event, 0] = rate
        out[:, event, 1] = trailing_rate(issue, valid_to, outcome, 27, rate)
        out[:, event, 2] = trailing_rate(issue, valid_to, outcome, 365, rate)
        out[:, event, 3] = before == 1
        out[:, event, 4] = _rate_after(before, outcome, role == ROLES.index("train"), rate)
    return REFERENCE_NAMES, out


def trailing_rate(
    issue_time: IntArray, valid_to: IntArray, outcome: NDArray[np.int8], days: float, otherwise: float
) -> FloatArray:
    """Event rate over the windows, of all regions, whose span ended in (issue_time - days, issue_time].

    Args:
        issue_time: When each forecast is issued, shape (window,) [s since 1970].
        valid_to: When each span is over, shape (window,) [s since 1970].
        outcome: 1, 0 or -1 (unknown, not counted), shape (window,).
        days: How far back [d].
        otherwise: Rate where no outcome is known.

    Returns:
        Shape (window,).
    """
    known = outcome >= 0
    order = np.argsort(valid_to[known], kind="stable")
    ends = valid_to[known][order]
    events = np.concatenate([[0], np.cumsum(outcome[known][order], dtype=np.int64)])
    last = np.searchsorted(ends, issue_time, side="right")
    first = np.searchsorted(ends, issue_time - round(days * DAY), side="right")
    count = last - first
    return np.where(count > 0, (events[last] - events[first]) / np.maximum(count, 1), otherwise)


def latest_known(
    region: IntArray, issue_time: IntArray, valid_to: IntArray, known: NDArray[np.bool_]
) -> IntArray:
    """Latest window of the same region whose outcome is known when a window is issued.

    Args:
        region: Number of each window's region, shape (window,).
        issue_time: When each forecast is issued, shape (window,) [s since 1970].
        valid_to: When each span is over, shape (window,) [s since 1970].
        known: Whether the window's outcome is on record, shape (window,).

    Returns:
        Index of that window, shape (window,); -1 where there is none.
    """
    candidates = np.flatnonzero(known)
    if candidates.size == 0:
        return np.full(region.size, -1, dtype=np.int64)
    candidates = candidates[np.lexsort((valid_to[candidates], region[candidates]))]
    # One search over all regions: times are ranked first, so that region and rank make one whole number.
    ends = np.unique(valid_to[candidates])
    width = ends.size + 1
    keys = region[candidates] * width + np.searchsorted(ends, valid_to[candidates], side="right")
    sought = region * width + np.searchsorted(ends, issue_time, side="right")
    place = np.searchsorted(keys, sought, side="right") - 1
    found = candidates[place.clip(0)]
    return np.where((place >= 0) & (region[found] == region), found, -1)


def last_known_class(windows: xr.Dataset, low: IntArray, high: IntArray) -> IntArray:
    """Highest class that the region's latest known window certainly reached.

    Args:
        windows: Dataset with `region`, `issue_time` and `valid_to` (window) [s since 1970].
        low: Lowest exclusive class that each window's outcome allows, shape (window,).
        high: Highest, shape (window,). A window that may have been quiet and may not have been says nothing.

    Returns:
        Exclusive class, shape (window,); -1 where no window of the region is known.
    """
    latest = latest_known(
        region_codes(windows["region"].values),
        windows["issue_time"].values,
        windows["valid_to"].values,
        (low > 0) | (high == low),
    )
    return np.where(latest >= 0, low[latest], -1).astype(np.int64)


def region_codes(region: ArrayLike) -> IntArray:
    """Number of each window's region, shape (window,)."""
    return np.unique(np.asarray(region).astype(str), return_inverse=True)[1].astype(np.int64)


def _rate_after(
    before: NDArray[np.int8], outcome: NDArray[np.int8], trained: NDArray[np.bool_], otherwise: float
) -> FloatArray:
    """Training rate after each latest known outcome (1, 0, none), or `otherwise` after one never trained on.

    NaN where there are no training windows at all: then there is nothing to calibrate with.
    """
    trained = trained & (outcome >= 0)
    rate = np.full(before.size, otherwise if trained.any() else np.nan)
    for state in (-1, 0, 1):
        fitted = outcome[trained & (before == state)]
        if fitted.size:
            rate[before == state] = fitted.mean()
    return rate

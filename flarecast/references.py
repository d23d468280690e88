"""Reference forecasts: what anybody could have said with the outcomes known at issue time.

An outcome is known once its span is over: a window issued at t knows the windows with valid_to <= t, of every
role, because what happened is no secret. Rates that are fitted come from the train role only.
"""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from flarecast.cycles import phase_of
from flarecast.schema import ROLES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DAY = 86_400

REFERENCE_NAMES = (
    *("climatology", "recent_27", "recent_365", "persistence", "persistence_calibrated"),
    *("climatology_phase", "history_decay"),
)
"""Training base rate; rate of the last 27 and 365 days; what the region's latest known window did, as 0 or 1,
and as the training rate that follows it; training rate in the same phase of the solar cycle, whose dates are
known with hindsight; training rate of regions that flared as much, flares of long ago counting less."""

LEAST_RATE = 1e-3
"""A decayed rate below this says that the region has been quiet for ten half-lives."""

HALF_LIFE_DAYS = 3.0
"""After so long an outcome counts half in `history_decay`: active regions change within days [d]."""


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
    phase, trained = phase_of(issue), role == ROLES.index("train")
    out = np.empty((*occurred.shape, len(REFERENCE_NAMES)))
    for event in range(occurred.shape[1]):
        outcome, rate = occurred[:, event], float(rates[event])
        latest = latest_known(region, issue, valid_to, outcome >= 0)
        before = np.where(latest >= 0, outcome[latest], -1)
        out[:, event, 0] = rate
        out[:, event, 1] = trailing_rate(issue, valid_to, outcome, 27, rate)
        out[:, event, 2] = trailing_rate(issue, valid_to, outcome, 365, rate)
        out[:, event, 3] = before == 1
        out[:, event, 4] = _rate_of_state(before, outcome, trained, rate)
        out[:, event, 5] = _rate_of_state(phase, outcome, trained, rate)
        decayed = decayed_rate(region, issue, valid_to, outcome, HALF_LIFE_DAYS)
        out[:, event, 6] = _rate_of_state(_quarters(decayed, trained), outcome, trained, rate)
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


def decayed_rate(
    region: IntArray, issue_time: IntArray, valid_to: IntArray, outcome: NDArray[np.int8], half_life: float
) -> FloatArray:
    """Event rate over the region's windows known at issue, each counting half as much after every half-life.

    Args:
        region: Number of each window's region, shape (window,).
        issue_time: When each forecast is issued, shape (window,) [s since 1970].
        valid_to: When each span is over, shape (window,) [s since 1970].
        outcome: 1, 0 or -1 (unknown, not counted), shape (window,).
        half_life: In days.

    Returns:
        Shape (window,); NaN where no outcome of the region is known.
    """
    known = np.flatnonzero(outcome >= 0)
    order = known[np.lexsort((valid_to[known], region[known]))]
    first = np.flatnonzero(np.diff(region[order], prepend=-1))
    length = np.diff(np.append(first, order.size))
    sums = np.stack([outcome[order], np.ones(order.size)], axis=1).astype(np.float64)
    faded = np.exp2(-np.diff(valid_to[order], prepend=valid_to[order[:1]]).clip(0) / (half_life * DAY))
    for nth in range(1, length.max(initial=0)):  # the nth windows of all regions at once
        here = first[length > nth] + nth
        sums[here] += sums[here - 1] * faded[here, None]
    total = np.full((outcome.size, 2), np.nan)
    total[order] = sums
    # Both sums fade alike since the latest known window, so their ratio is still that of then.
    latest = latest_known(region, issue_time, valid_to, outcome >= 0)
    rate = total[latest, 0] / total[latest, 1]
    return np.where(latest >= 0, rate, np.nan)


def _quarters(rate: FloatArray, trained: NDArray[np.bool_]) -> NDArray[np.int8]:
    """State of a decayed rate: -1 unknown, 0 next to nothing, else its quarter of the training rates."""
    some = rate > LEAST_RATE
    fitted = rate[trained & some]
    edges = np.quantile(fitted, [0.25, 0.5, 0.75]) if fitted.size else np.zeros(0)
    state = np.where(some, 1 + np.searchsorted(edges, rate), 0)
    return np.where(np.isnan(rate), -1, state).astype(np.int8)


def _rate_of_state(
    state: NDArray[np.integer], outcome: NDArray[np.int8], trained: NDArray[np.bool_], otherwise: float
) -> FloatArray:
    """Training rate in each state, or `otherwise` in one never trained on, shape (window,).

    NaN where there are no training windows at all: then there is nothing to calibrate with.
    """
    trained = trained & (outcome >= 0)
    rate = np.full(state.size, otherwise if trained.any() else np.nan)
    for one in np.unique(state[trained]):
        rate[state == one] = outcome[trained & (state == one)].mean()
    return rate

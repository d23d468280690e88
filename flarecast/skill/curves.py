"""Curves behind the scores, and a test for one series in time.

Bands are ours, from blocks; Murphy curves and the Diebold-Mariano test are those of the `scores` library.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flarecast.errors import FlarecastError
from flarecast.skill.bounds import interval
from flarecast.skill.calibration import N_FIT_BINS, fit_isotonic
from flarecast.skill.economic import economic_value, sum_costs
from flarecast.skill.intervals import Estimate, Sample
from flarecast.skill.ranking import rank
from flarecast.skill.scores import SHARE, SKILL
from flarecast.skill.sums import BoolArray, FloatArray, IntArray, check_pair, combined, total

THETAS_AT_ONCE = 10
"""Keeps the arrays of a Murphy curve small, (window, theta)."""


@dataclass(frozen=True)
class Band:
    """A curve `value` over `at` with its pointwise interval, each of shape (point,); NaN where undefined."""

    at: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class DieboldMariano:
    """Mean difference of two daily losses, its statistic, two-sided p-value, and how many days there are."""

    mean: float
    statistic: float
    p_value: float
    n_days: int


def corp_curve(sample: Sample, probability: NDArray[np.float64], confidence: float = 0.95) -> Band:
    """Reliability curve without bins (CORP): frequency after the best increasing map, over the forecasts.

    The diagonal is perfect. The map is exact at each forecast probability that holds at least one window of
    the about 300 rank bins; it is fitted to the scored sample, so steps follow chance where windows are few.

    Args:
        sample: The windows, drawn.
        probability: Forecasts in [0, 1], shape (window,).
        confidence: Of the band, which is pointwise.

    Returns:
        Frequency over ascending probability.

    Source: Dimitriadis, Gneiting & Jordan (2021), PNAS 118, e2016191118.
    """
    blocked = rank(probability, sample.occurred, sample.blocks, N_FIT_BINS)
    whole = total(blocked)
    value = fit_isotonic(whole.in_events, whole.in_non_events)
    drawn = combined(blocked, sample.counts)
    resampled = fit_isotonic(drawn.in_events, drawn.in_non_events)
    order = np.argsort(blocked.lowest)
    return _band(blocked.lowest[order], value[order], resampled[:, order], SHARE, sample, confidence)


def value_curve(
    sample: Sample,
    probability: NDArray[np.float64],
    ratios: Sequence[float] = tuple(np.linspace(0.01, 0.99, 99)),
    confidence: float = 0.95,
) -> Band:
    """Relative economic value over cost-loss ratios, see `economic_value`.

    Args:
        sample: The windows, drawn.
        probability: Forecasts in [0, 1], shape (window,).
        ratios: Cost-loss ratios in (0, 1), ascending.
        confidence: Of the band, which is pointwise.
    """
    blocked = sum_costs(probability, sample.occurred, sample.blocks, ratios)
    value = economic_value(total(blocked))
    resampled = economic_value(combined(blocked, sample.counts))
    return _band(blocked.ratios, value, resampled, SKILL, sample, confidence)


def murphy_curve(
    probability: NDArray[np.float64],
    occurred: BoolArray,
    thetas: Sequence[float] = tuple(np.linspace(0.01, 0.99, 99)),
) -> FloatArray:
    """Murphy curve: mean loss of a user who acts where the probability exceeds theta, over theta.

    A forecast whose curve lies below another's everywhere is better for every user and by every proper score;
    curves that cross mean that the order hangs on the score. No interval: compare with `minus`.

    Args:
        probability: Forecasts in [0, 1], shape (window,).
        occurred: Outcomes, shape (window,).
        thetas: Decision thresholds in (0, 1), shape (theta,).

    Returns:
        Mean elementary score, shape (theta,); 4 times its integral over theta is the Brier score.

    Source: Ehm, Gneiting, Jordan & Krueger (2016), J. R. Stat. Soc. B 78, 505.
    """
    import xarray as xr
    from scores.probability import murphy_score

    check_pair(probability, occurred)
    forecast, truth = (xr.DataArray(one.astype(np.float64), dims="window") for one in (probability, occurred))
    parts = [
        murphy_score(
            forecast, truth, list(thetas[nth : nth + THETAS_AT_ONCE]), functional="expectile", alpha=0.5
        )
        for nth in range(0, len(thetas), THETAS_AT_ONCE)
    ]
    return np.concatenate([one["total"].values for one in parts])


def diebold_mariano(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    occurred: BoolArray,
    day: IntArray,
    *,
    steps_ahead: int = 1,
) -> DieboldMariano:
    """Test whether two forecasts have the same mean squared error, day by day in one series.

    Differences of (p - o)^2 are averaged over the windows of a day. The test takes days further apart than
    `steps_ahead` as independent, which those of an active region are not: prefer `permute_probability`.

    Args:
        first: Forecasts in [0, 1], shape (window,).
        second: Those of the other.
        occurred: Outcomes, shape (window,).
        day: Day of each window, shape (window,).
        steps_ahead: Days from issue to outcome, at least 1.

    Returns:
        The mean of first minus second, and the test of Harvey, Leybourne & Newbold with Student's
        distribution; NaN where all differences are alike.

    Raises:
        FlarecastError: There are not more days than `steps_ahead`.
    Source: Diebold & Mariano (1995), J. Bus. Econ. Stat. 13, 253; Harvey et al. (1997), Int. J. Forecast. 13,
    281.
    """
    import xarray as xr
    from scores.stats.statistical_tests import diebold_mariano as test

    for one in (first, second):
        check_pair(one, occurred)
    days, code = np.unique(day, return_inverse=True)
    if days.size <= max(1, steps_ahead):
        raise FlarecastError(
            f"days: expected more than {max(1, steps_ahead)}, got {days.size}; score a longer span"
        )
    loss = np.bincount(code, (first - occurred) ** 2 - (second - occurred) ** 2) / np.bincount(code)
    if np.ptp(loss) == 0:
        return DieboldMariano(float(loss[0]), np.nan, np.nan, int(days.size))
    series = xr.DataArray(
        loss[None], dims=("pair", "day"), coords={"pair": [0], "h": ("pair", [steps_ahead])}
    )
    found = test(series, "pair", "h", method="HLN", statistic_distribution="t").isel(pair=0)
    below = float(found["confidence_gt_0"])
    p_value = 2 * min(below, 1 - below)
    return DieboldMariano(float(found["mean"]), float(found["dm_test_stat"]), p_value, int(days.size))


def _band(
    at: FloatArray,
    value: FloatArray,
    resampled: FloatArray,
    limits: tuple[float, float],
    sample: Sample,
    confidence: float,
) -> Band:
    """Interval of every point."""
    bounds = [
        interval(
            Estimate(float(value[nth]), np.asarray(resampled[:, nth]), limits=limits), sample, confidence
        )
        for nth in range(at.size)
    ]
    low, high = (np.array([getattr(one, side) for one in bounds]) for side in ("low", "high"))
    return Band(at, value, low, high)

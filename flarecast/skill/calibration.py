"""Scores that refit the forecasts: isotonic (CORP) and logistic recalibration.

The refit is no function of a few sums, but its parts are. The isotonic fit needs events and non-events by
rank, so each resample is refitted on rank bins. The logistic fit of a resample is one Newton step from that
of the whole, whose gradient and curvature add up over blocks.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flarecast.skill.probability import CLIP
from flarecast.skill.ranking import RankedCounts, rank
from flarecast.skill.sums import FIXED, Blocks, BoolArray, FloatArray, add, check_pair, ratio

N_FIT_BINS = 300
"""Most rank bins, about, for the isotonic fit of a resample."""

MOST_STEPS = 100
"""Newton steps of the logistic fit; where forecasts of events and non-events overlap a dozen suffice."""

ALIKE = 1e-5
"""Logits that lie this close are one: the fit's sums of squares could not tell them apart."""


@dataclass(frozen=True)
class CalibrationSums:
    """Sums behind the scores that refit, each of any shape (...) but for the last axes named.

    Attributes:
        squared_error: Sum of (probability - occurred) squared.
        ranked: Windows by rank.
        gradient: Of the log-likelihood at `fit`, by intercept and slope, (..., 2).
        curvature: Minus its second derivatives, (..., 3): intercept twice, both, slope twice.
        fit: Intercept and slope of all windows, (2,); NaN where there are none.
    """

    squared_error: FloatArray
    ranked: RankedCounts
    gradient: FloatArray
    curvature: FloatArray
    fit: FloatArray = field(metadata=FIXED)

    @cached_property
    def isotonic_square(self) -> FloatArray:
        """Mean square of the isotonic fit, shape (...); kept, as both its scores ask for it."""
        return _isotonic_square(self.ranked)

    @property
    def events(self) -> FloatArray:
        """Windows in which it occurred."""
        return self.ranked.events

    @property
    def non_events(self) -> FloatArray:
        """Windows in which it did not."""
        return self.ranked.non_events


def sum_calibration(
    probability: NDArray[np.float64],
    occurred: BoolArray,
    blocks: Blocks | None = None,
    n_bins: int | None = None,
    fit: FloatArray | None = None,
) -> CalibrationSums:
    """Sum what the scores need that refit the forecasts.

    Args:
        probability: Forecasts in [0, 1], shape (window,).
        occurred: Outcomes, shape (window,).
        blocks: Sum inside each block.
        n_bins: Rank bins, see `rank`.
        fit: Intercept and slope of all windows if known already, shape (2,).

    Returns:
        Sums of shape () or, with blocks, (block,).

    Raises:
        FlarecastError: The two are swapped, of different shapes, or a probability is outside [0, 1].
    """
    check_pair(probability, occurred)
    clipped = np.clip(probability, CLIP, 1 - CLIP)
    logit = np.log(clipped) - np.log1p(-clipped)
    fit = _fit_logistic(logit, occurred) if fit is None else fit
    at = np.nan_to_num(fit)  # anywhere if there is none: the scores are NaN through `fit`
    fitted = _logistic(at[0] + at[1] * logit)
    error, weight = occurred - fitted, fitted * (1 - fitted)
    return CalibrationSums(
        squared_error=add((probability - occurred) ** 2, blocks),
        ranked=rank(probability, occurred, blocks, n_bins),
        gradient=np.stack([add(one, blocks) for one in (error, error * logit)], axis=-1),
        curvature=np.stack([add(weight * part, blocks) for part in (1, logit, logit * logit)], axis=-1),
        fit=fit,
    )


def discrimination(sums: CalibrationSums) -> FloatArray:
    """Discrimination (CORP): Brier score that forecasts save against the base rate once recalibrated.

    UNC - S_c, UNC = r (1 - r), S_c the Brier score after the best increasing map (isotonic). From 0 to
    r (1 - r), which is perfect. Looks only at the order of the forecasts; the map is fitted to the
    scored sample, so it is biased upward, more in small samples and in resamples.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Part, shape (...); NaN where there were no windows.

    Source: Dimitriadis, Gneiting & Jordan (2021), PNAS 118, e2016191118.
    """
    return sums.isotonic_square - ratio(sums.events, sums.events + sums.non_events) ** 2


def miscalibration(sums: CalibrationSums) -> FloatArray:
    """Miscalibration (CORP): how much the best increasing map of the forecasts improves their Brier score.

    BS - S_c, so that brier = miscalibration - discrimination + uncertainty. From 0 upward, perfect 0. The map
    is fitted to the scored sample, so calibrated forecasts are above 0, too, more in small samples and in
    resamples, whose interval may lie above the value.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Part, shape (...); NaN where there were no windows.

    Source: Dimitriadis, Gneiting & Jordan (2021), PNAS 118, e2016191118.
    """
    n = sums.events + sums.non_events
    return ratio(sums.squared_error - sums.events, n) + sums.isotonic_square


def calibration_slope(sums: CalibrationSums) -> FloatArray:
    """Calibration slope: b of the logistic recalibration logit P(o) = a + b logit(p).

    Perfect 1; below 1 forecasts are too extreme (overfitted), above 1 too timid, below 0 upside down. Says
    nothing about a bias of all forecasts (see `calibration_intercept`). Probabilities are kept 2.2e-16 from 0
    and 1, so a few forecasts of exactly 0 weigh very much.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Slope, shape (...); NaN where some probability parts all events from all non-events.

    Source: Cox (1958), Biometrika 45, 562; interval by one step, Moulton & Zeger (1991), CSDA 11, 53.
    """
    return np.asarray(sums.fit[1] + _newton_step(sums.gradient, sums.curvature)[1])


def calibration_intercept(sums: CalibrationSums) -> FloatArray:
    """Calibration intercept: a of the logistic recalibration logit P(o) = a + b logit(p).

    Perfect 0. With a slope near 1 below 0 forecasts are too high, above 0 too low; with another slope it is
    the correction at p = 0.5, far from what rare events are given. Read it with `calibration_slope`.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Intercept, shape (...); NaN where some probability parts all events from all non-events.

    Source: Cox (1958), Biometrika 45, 562; interval by one step, Moulton & Zeger (1991), CSDA 11, 53.
    """
    return np.asarray(sums.fit[0] + _newton_step(sums.gradient, sums.curvature)[0])


def fit_isotonic(in_events: FloatArray, in_non_events: FloatArray) -> FloatArray:
    """Frequency of events by rank after the best increasing map of the forecasts.

    Args:
        in_events: Events by rank, from the highest down, any shape (..., bin).
        in_non_events: Non-events by rank.

    Returns:
        Shape (..., bin); of a rank without windows that of the next above, or below at the top; NaN where
        there are no windows at all.
    """
    from scipy.optimize import isotonic_regression

    events = np.asarray(in_events, dtype=np.float64)
    windows = events + in_non_events
    found = np.full(windows.shape, np.nan)
    for nth in np.ndindex(windows.shape[:-1]):
        drawn = np.flatnonzero(windows[nth] > 0)
        if drawn.size:
            size = windows[nth][drawn]
            fit = isotonic_regression(events[nth][drawn] / size, weights=size, increasing=False).x
            last = np.searchsorted(drawn, np.arange(windows.shape[-1]), side="right") - 1
            found[nth] = fit[last.clip(0)]
    return found


def _isotonic_square(ranked: RankedCounts) -> FloatArray:
    """Mean square of the isotonic fit of outcomes on probabilities, shapes (..., bin) -> (...)."""
    windows = np.asarray(ranked.in_events, dtype=np.float64) + ranked.in_non_events
    fit = np.nan_to_num(fit_isotonic(ranked.in_events, ranked.in_non_events))
    return ratio((windows * fit**2).sum(axis=-1), windows.sum(axis=-1))


def _fit_logistic(logit: FloatArray, occurred: BoolArray) -> FloatArray:
    """Intercept and slope of largest likelihood, shape (2,); NaN where there is no largest."""
    yes, no = logit[occurred], logit[~occurred]
    if not (yes.size and no.size and min(yes.max() - no.min(), no.max() - yes.min()) > ALIKE):
        return np.full(2, np.nan)
    rate = yes.size / logit.size
    fit = np.array([np.log(rate / (1 - rate)), 0.0])
    likelihood = _likelihood(fit, logit, occurred)
    for _ in range(MOST_STEPS):
        fitted = _logistic(fit[0] + fit[1] * logit)
        error, weight = occurred - fitted, fitted * (1 - fitted)
        gradient = np.array([error.sum(), error @ logit])
        curvature = np.array([weight.sum(), weight @ logit, weight @ logit**2])
        step = np.array(_newton_step(gradient, curvature))
        while (after := _likelihood(fit + step, logit, occurred)) < likelihood and np.abs(step).max() > 1e-12:
            step /= 2  # the likelihood is concave, so a short enough step improves it
        if np.abs(step).max() < 1e-10:
            return fit
        fit, likelihood = fit + step, after
    return np.full(2, np.nan)


def _newton_step(gradient: FloatArray, curvature: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Steps of intercept and slope, from shapes (..., 2) and (..., 3)."""
    first, both, second = curvature[..., 0], curvature[..., 1], curvature[..., 2]
    determinant = first * second - both**2
    intercept = ratio(second * gradient[..., 0] - both * gradient[..., 1], determinant)
    return intercept, ratio(first * gradient[..., 1] - both * gradient[..., 0], determinant)


def _likelihood(fit: FloatArray, logit: FloatArray, occurred: BoolArray) -> float:
    """Log-likelihood of the outcomes."""
    odds = fit[0] + fit[1] * logit
    return float(odds[occurred].sum() - np.logaddexp(0, odds).sum())


def _logistic(odds: FloatArray) -> FloatArray:
    """1 / (1 + exp(-odds)) without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0, -odds)), dtype=np.float64)

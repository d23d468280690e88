"""From resamples to an interval: three forms, all widened where few blocks say how much blocks differ.

`percentile` takes quantiles of the resamples as they are. `bca` chooses the quantiles by how far the value
lies from the median of the resamples, and by the skewness of what single blocks do to the score. `shifted`
moves the resamples so that their mean is the value; what a score gains from chance alone (see
`Score.gains`) is in the value as much as it is in the resamples on top of it, or not at all, and the interval
holds both cases; it always holds the value. docs/intervals.md says how often each holds the truth.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from flarecast.skill.intervals import Estimate, Sample
from flarecast.skill.sums import FloatArray

Form = Literal["shifted", "bca", "percentile"]

FEWEST_EVENT_BLOCKS = 5
"""With fewer blocks with events (or with non-events) there is no interval."""

FEW_EVENT_BLOCKS = 10
"""With fewer the interval is uncertain, which is said."""

FEWEST_DEGREES = 2.0
"""Degrees of freedom never fall below: the widest levels are then those of the extreme resamples."""


@dataclass(frozen=True)
class Interval:
    """Bounds of an interval, NaN with a reason where there is none; a reason may also warn."""

    low: float
    high: float
    reason: str = ""


def interval(
    estimate: Estimate, sample: Sample, confidence: float = 0.95, form: Form = "shifted"
) -> Interval:
    """Interval of a score from its resamples.

    It is about sampling within the period scored, not between cycles. Resamples in which the score is
    undefined are left out. No bound lies outside the range of the score.

    Args:
        estimate: The score.
        sample: What it was computed on.
        confidence: Chance that the interval holds the truth.
        form: See the head of this file.

    Returns:
        Bounds; NaN where the score is undefined, or fewer than 5 blocks hold events or fewer than 5 hold
        non-events.

    Source: Efron (1987), JASA 82, 171 (BCa); Hesterberg (2015), Am. Stat. 69, 371 (widened percentiles); Bell
    & McCaffrey (2002), Surv. Methodol. 28, 169 (degrees of freedom of unequal clusters).
    """
    if np.isnan(estimate.value):
        return Interval(np.nan, np.nan, estimate.reason)
    for count, what in ((sample.n_event_blocks, "events"), (sample.n_quiet_blocks, "non-events")):
        if count < FEWEST_EVENT_BLOCKS:
            return Interval(np.nan, np.nan, f"no interval: only {_blocks(count)} with {what}")
    known = estimate.resampled[~np.isnan(estimate.resampled)]
    if known.size == 0:
        return Interval(np.nan, np.nan, "no interval: undefined in every resample")
    low, high = np.clip(_bounds(estimate, known, confidence, form), *estimate.limits)
    few = sample.n_event_blocks < FEW_EVENT_BLOCKS
    warning = f"interval uncertain: only {_blocks(sample.n_event_blocks)} with events" if few else ""
    return Interval(float(low), float(high), warning)


def _bounds(estimate: Estimate, resampled: FloatArray, confidence: float, form: Form) -> FloatArray:
    """Low and high."""
    from scipy.special import ndtr

    influence = _influence(estimate)
    reach = _reach(influence, confidence) * np.array([-1.0, 1.0])
    if form == "bca":
        return _quantiles(resampled, ndtr(_accelerated(estimate, resampled, influence, reach)))
    bounds = _quantiles(resampled, np.asarray(ndtr(reach)))
    if form == "percentile":
        return bounds
    excess = resampled.mean() - estimate.value
    once: FloatArray = bounds - excess
    twice = once - excess if estimate.gains else once
    # Of resamples that are nearly all alike and a few far off, all but those lie on one side of their mean.
    return np.array([min(once[0], twice[0], estimate.value), max(once[1], twice[1], estimate.value)])


def _influence(estimate: Estimate) -> FloatArray:
    """What each block does to the score, mean 0: the jackknife; none where that is unknown."""
    known = estimate.left_out[~np.isnan(estimate.left_out)]
    return np.asarray(known.mean() - known, dtype=np.float64) if known.size > 1 else np.zeros(0)


def _reach(influence: FloatArray, confidence: float) -> float:
    """How many standard deviations to either side.

    Of Student's distribution; its degrees of freedom are those of a variance that is estimated from blocks
    that do so unequally much to the score: 2 / (share of the fourth powers - 1 / blocks).
    """
    from scipy.special import ndtri, stdtrit

    level, n = (1 + confidence) / 2, influence.size
    square = (influence**2).sum()
    if n < 2 or not square > 0:
        return float(ndtri(level))
    spread = (influence**4).sum() / square**2 - 1 / n
    degrees = max(FEWEST_DEGREES, 2 / spread) if spread > 0 else np.inf
    wide = ndtri(level) if np.isinf(degrees) else stdtrit(degrees, level)
    return float(wide * np.sqrt(n / (n - 1)))


def _accelerated(
    estimate: Estimate, resampled: FloatArray, influence: FloatArray, reach: FloatArray
) -> FloatArray:
    """Levels of BCa, in standard deviations: moved by the median's bias, stretched by skewness."""
    from scipy.special import ndtri

    below = ((resampled < estimate.value).mean() + (resampled <= estimate.value).mean()) / 2
    bias = ndtri(np.clip(below, 0.5 / resampled.size, 1 - 0.5 / resampled.size))
    square = (influence**2).sum()
    skewness = (influence**3).sum() / (6 * square**1.5) if square > 0 else 0.0
    moved = bias + reach
    # Where a block is so heavy that the formula turns over, the outermost resample is as far as one can go.
    return np.asarray(bias + moved / np.maximum(1 - skewness * moved, 0.05))


def _quantiles(resampled: FloatArray, levels: FloatArray) -> FloatArray:
    return np.asarray(np.quantile(resampled, np.clip(levels, 0, 1)), dtype=np.float64)


def _blocks(count: int) -> str:
    return f"{count} block{'' if count == 1 else 's'}"

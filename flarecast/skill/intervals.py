"""Values of scores with what resampled blocks make of them, and the intervals that follow.

The windows of one region, or of one solar rotation, are near copies of each other; drawing single windows
would give intervals up to six times too narrow. Whole blocks are drawn instead. Such an interval is about
sampling within the period scored, not about the next cycle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flarecast.skill.calibration import N_FIT_BINS, sum_calibration
from flarecast.skill.contingency import contingency_table
from flarecast.skill.probability import sum_probability
from flarecast.skill.ranking import N_RANK_BINS, rank
from flarecast.skill.scores import CALIBRATION, CONTINGENCY, NEEDS, PROBABILITY, RANKING, Score
from flarecast.skill.sums import Blocks, BoolArray, FloatArray, IntArray, blocks_of, combined, ratio, total

FEWEST_EVENT_BLOCKS = 5
"""With fewer blocks with events (or with non-events) there is no interval."""

FEW_EVENT_BLOCKS = 10
"""With fewer the interval is uncertain, which is said."""

MOST_CELLS = 10_000_000
"""Largest array (block, rank bin): where each window is its own block, fewer bins keep memory bounded."""


@dataclass(frozen=True)
class Sample:
    """Windows that are scored together, and how often each of their blocks was drawn in each resample.

    Attributes:
        occurred: Outcomes, shape (window,).
        year: Year of each window, shape (window,).
        blocks: Block of each window.
        counts: Drawn how often, shape (resample, block).
        n_event_blocks: Blocks with at least one event.
        n_quiet_blocks: Blocks with at least one non-event.
    """

    occurred: BoolArray
    year: IntArray
    blocks: Blocks
    counts: FloatArray
    n_event_blocks: int
    n_quiet_blocks: int

    @property
    def n(self) -> int:
        """Windows."""
        return int(self.occurred.size)

    @property
    def n_events(self) -> int:
        """Windows in which it occurred."""
        return int(self.occurred.sum())


@dataclass(frozen=True)
class Estimate:
    """A score: its value, its value in every resample (resample,), and why it is NaN if it is."""

    value: float
    resampled: FloatArray
    reason: str = ""


@dataclass(frozen=True)
class Interval:
    """Bounds of a percentile interval, NaN with a reason where there is none; a reason may also warn."""

    low: float
    high: float
    reason: str = ""


def draw_sample(
    occurred: BoolArray,
    cluster: ArrayLike,
    rng: np.random.Generator,
    *,
    resamples: int = 1000,
    year: IntArray | None = None,
) -> Sample:
    """Draw the blocks of windows with replacement, as many as there are, again and again.

    Args:
        occurred: Outcomes, shape (window,).
        cluster: What is drawn as a whole, a region or a rotation, shape (window,).
        rng: Source of the draws.
        resamples: How many times.
        year: Year of each window, shape (window,); None counts all as one year.

    Returns:
        The sample; forecasts scored on the same one are resampled alike, so that differences are paired.
    """
    blocks = blocks_of(cluster)
    return Sample(
        occurred=occurred,
        year=np.zeros(occurred.size, dtype=np.int64) if year is None else year,
        blocks=blocks,
        counts=draw_counts(blocks.n, resamples, rng),
        n_event_blocks=int(np.unique(blocks.code[occurred]).size),
        n_quiet_blocks=int(np.unique(blocks.code[~occurred]).size),
    )


def draw_counts(n_blocks: int, resamples: int, rng: np.random.Generator) -> FloatArray:
    """How often each of `n_blocks` blocks comes up in `n_blocks` draws, shape (resample, block)."""
    if n_blocks == 0:
        return np.zeros((resamples, 0))
    drawn = rng.integers(n_blocks, size=(resamples, n_blocks))
    drawn += np.arange(resamples)[:, None] * n_blocks
    counts = np.bincount(drawn.ravel(), minlength=resamples * n_blocks)
    return counts.reshape(resamples, n_blocks).astype(np.float64)


def estimate_contingency(
    sample: Sample, probability: NDArray[np.float64], decision_threshold: float | NDArray[np.float64]
) -> dict[str, Estimate]:
    """All scores of yes/no forecasts, value and resamples, by name."""
    table = contingency_table(probability, sample.occurred, decision_threshold, sample.blocks)
    return _estimate(CONTINGENCY, table, total(table), sample.counts)


def estimate_probability(
    sample: Sample, probability: NDArray[np.float64], training_base_rate: float | FloatArray = np.nan
) -> dict[str, Estimate]:
    """All scores of probabilities, value and resamples, by name."""
    sums = sum_probability(
        probability,
        sample.occurred,
        sample.blocks,
        year=sample.year,
        training_base_rate=training_base_rate,
    )
    return _estimate(PROBABILITY, sums, total(sums), sample.counts)


def estimate_ranking(sample: Sample, probability: NDArray[np.float64]) -> dict[str, Estimate]:
    """All scores of the order of forecasts, by name: values exact, resamples from rank bins (see `rank`)."""
    exact = rank(probability, sample.occurred)
    n_bins = min(N_RANK_BINS, MOST_CELLS // max(1, sample.blocks.n))
    binned = rank(probability, sample.occurred, sample.blocks, n_bins)
    found = _estimate(RANKING, binned, exact, sample.counts)
    # The shift from binned to exact may leave [0, 1], the range of every score here, by a hair.
    return {name: Estimate(one.value, one.resampled.clip(0, 1), one.reason) for name, one in found.items()}


def estimate_calibration(sample: Sample, probability: NDArray[np.float64]) -> dict[str, Estimate]:
    """All scores that refit the forecasts, by name: values exact, resamples from bins and one step."""
    exact = sum_calibration(probability, sample.occurred)
    n_bins = min(N_FIT_BINS, MOST_CELLS // max(1, sample.blocks.n))
    binned = sum_calibration(probability, sample.occurred, sample.blocks, n_bins, exact.fit)
    return _estimate(CALIBRATION, binned, exact, sample.counts)


def minus(first: Estimate, second: Estimate) -> Estimate:
    """Paired difference of two forecasts' scores on one sample."""
    reason = first.reason or second.reason
    return Estimate(first.value - second.value, first.resampled - second.resampled, reason)


def relative(first: Estimate, second: Estimate) -> Estimate:
    """Skill of an error with another's as its reference, on one sample: 1 - first / second."""
    if not first.reason and not second.reason and second.value == 0:
        nothing = np.full(first.resampled.shape, np.nan)
        return Estimate(np.nan, nothing, "the forecast that it is compared with is perfect")
    value, resampled = ratio(first.value, second.value), ratio(first.resampled, second.resampled)
    return Estimate(1 - float(value), 1 - resampled, first.reason or second.reason)


def interval(estimate: Estimate, sample: Sample, confidence: float = 0.95) -> Interval:
    """Percentile interval of a score from its resamples.

    Resamples in which the score is undefined are left out.

    Args:
        estimate: The score.
        sample: What it was computed on.
        confidence: Share of the resamples between the bounds.

    Returns:
        Bounds; NaN where the score is undefined, or fewer than 5 blocks hold events or fewer than 5 hold
        non-events.
    """
    if np.isnan(estimate.value):
        return Interval(np.nan, np.nan, estimate.reason)
    for count, what in ((sample.n_event_blocks, "events"), (sample.n_quiet_blocks, "non-events")):
        if count < FEWEST_EVENT_BLOCKS:
            return Interval(np.nan, np.nan, f"no interval: only {_blocks(count)} with {what}")
    known = estimate.resampled[~np.isnan(estimate.resampled)]
    if known.size == 0:
        return Interval(np.nan, np.nan, "no interval: undefined in every resample")
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    few = sample.n_event_blocks < FEW_EVENT_BLOCKS
    warning = f"interval uncertain: only {_blocks(sample.n_event_blocks)} with events" if few else ""
    return Interval(float(low), float(high), warning)


def _blocks(count: int) -> str:
    return f"{count} block{'' if count == 1 else 's'}"


def _estimate(
    scores: Mapping[str, Score], blocked: Any, whole: Any, counts: FloatArray
) -> dict[str, Estimate]:
    """Scores of one family from sums by block, and from exact sums of the whole where those are finer.

    What the finer sums change in the value is added to every resample.
    """
    summed, drawn = total(blocked), combined(blocked, counts)
    found = {}
    for name, score in scores.items():
        reason = next((why for why, met in map(NEEDS.__getitem__, score.needs) if not met(whole)), "")
        if reason:
            found[name] = Estimate(np.nan, np.full(counts.shape[0], np.nan), reason)
            continue
        value = float(score.compute(whole))
        shift = value - float(score.compute(summed))
        defined = np.logical_and.reduce([NEEDS[need][1](drawn) for need in score.needs])
        resampled = np.where(defined, score.compute(drawn) + shift, np.nan)
        found[name] = Estimate(value, resampled, "undefined (0 / 0)" if np.isnan(value) else "")
    return found

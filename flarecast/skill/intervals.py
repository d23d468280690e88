"""Values of scores with what resampled blocks make of them, from which intervals follow (`bounds`).

The windows of one region, or of one solar rotation, are near copies of each other; drawing single windows
would give intervals up to six times too narrow. Whole blocks are drawn instead.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flarecast.skill.calibration import N_FIT_BINS, sum_calibration
from flarecast.skill.classes import sum_classes
from flarecast.skill.contingency import contingency_table
from flarecast.skill.economic import sum_costs
from flarecast.skill.probability import sum_probability
from flarecast.skill.ranking import N_RANK_BINS, rank
from flarecast.skill.scores import (
    CALIBRATION,
    CONTINGENCY,
    ECONOMIC,
    NEEDS,
    PROBABILITY,
    RANKING,
    Score,
    scores_of_classes,
)
from flarecast.skill.sums import (
    Blocks,
    BoolArray,
    FloatArray,
    IntArray,
    blocks_of,
    combined,
    each,
    ratio,
    total,
)

STRIDE = 250
"""Resamples that are worked on together: few enough for their arrays to stay near the processor."""

MOST_CELLS = 10_000_000
"""Largest array (block, rank bin): where each window is its own block, fewer bins keep memory bounded."""

MOST_PRODUCTS = 21_000_000_000
"""Of resamples, blocks and rank bins: 700 bins for 10,000 resamples of 3,000 blocks keep time bounded."""

FEWEST_RANK_BINS = 300
"""Never so few for the sake of time."""


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
    counts: NDArray[np.generic]
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
    """A score, its resamples, and what an interval needs to know of it.

    Attributes:
        value: Of all windows.
        resampled: In every resample, shape (resample,).
        reason: Why the value is NaN if it is.
        left_out: Value without each block, shape (block,); empty where nobody asked for it.
        limits: Smallest and largest value it can have.
        gains: Whether chance alone raises it, see `Score`.
    """

    value: float
    resampled: FloatArray
    reason: str = ""
    left_out: FloatArray = field(default_factory=lambda: np.zeros(0))
    limits: tuple[float, float] = (-np.inf, np.inf)
    gains: bool = False


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


def draw_counts(n_blocks: int, resamples: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """How often each of `n_blocks` blocks comes up in `n_blocks` draws, shape (resample, block).

    A byte holds each: a block that comes up 256 times is one chance in 10^500.
    """
    found = np.zeros((resamples, n_blocks), dtype=np.uint8)
    for start in range(0, resamples if n_blocks else 0, STRIDE):
        part = found[start : start + STRIDE]
        drawn = rng.integers(n_blocks, size=part.shape)
        drawn += np.arange(len(part))[:, None] * n_blocks
        part[:] = np.bincount(drawn.ravel(), minlength=part.size).reshape(part.shape)
    return found


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
    in_time = MOST_PRODUCTS // max(1, sample.counts.size)
    n_bins = min(N_RANK_BINS, max(FEWEST_RANK_BINS, in_time), MOST_CELLS // max(1, sample.blocks.n))
    binned = rank(probability, sample.occurred, sample.blocks, n_bins)
    return _estimate(RANKING, binned, exact, sample.counts)


def estimate_calibration(sample: Sample, probability: NDArray[np.float64]) -> dict[str, Estimate]:
    """All scores that refit the forecasts, by name: values exact, resamples from bins and one step."""
    exact = sum_calibration(probability, sample.occurred)
    n_bins = min(N_FIT_BINS, MOST_CELLS // max(1, sample.blocks.n))
    binned = sum_calibration(probability, sample.occurred, sample.blocks, n_bins, exact.fit)
    return _estimate(CALIBRATION, binned, exact, sample.counts)


def estimate_economic(sample: Sample, probability: NDArray[np.float64]) -> dict[str, Estimate]:
    """Economic value at every cost-loss ratio, value and resamples, by name."""
    sums = sum_costs(probability, sample.occurred, sample.blocks)
    return _estimate(ECONOMIC, sums, total(sums), sample.counts)


def estimate_classes(
    sample: Sample,
    probability: NDArray[np.float64],
    occurred: BoolArray,
    decision_threshold: NDArray[np.float64],
    labels: Sequence[str],
) -> dict[str, Estimate]:
    """All scores of several nested events at once, value and resamples, by name.

    Args:
        sample: The windows, drawn; its own `occurred` is not used.
        probability: In [0, 1], shape (window, event).
        occurred: Outcomes, shape (window, event).
        decision_threshold: Shape (event,) or (window, event).
        labels: Name of each class, shape (class,).
    """
    sums = sum_classes(probability, occurred, decision_threshold, sample.blocks)
    return _estimate(scores_of_classes(labels), sums, total(sums), sample.counts)


def minus(first: Estimate, second: Estimate) -> Estimate:
    """Paired difference of two forecasts' scores on one sample."""
    reason = first.reason or second.reason
    return Estimate(
        first.value - second.value,
        first.resampled - second.resampled,
        reason,
        first.left_out - second.left_out,
        gains=first.gains or second.gains,
    )


def relative(first: Estimate, second: Estimate) -> Estimate:
    """Skill of an error with another's as its reference, on one sample: 1 - first / second."""
    if not first.reason and not second.reason and second.value == 0:
        nothing = np.full(first.resampled.shape, np.nan)
        return Estimate(np.nan, nothing, "the forecast that it is compared with is perfect")
    value, resampled, left_out = (
        1 - ratio(getattr(first, name), getattr(second, name)) for name in ("value", "resampled", "left_out")
    )
    return Estimate(float(value), resampled, first.reason or second.reason, left_out, (-np.inf, 1.0))


def _estimate(
    scores: Mapping[str, Score], blocked: Any, whole: Any, counts: NDArray[Any]
) -> dict[str, Estimate]:
    """Scores of one family from sums by block, and from exact sums of the whole where those are finer.

    What the finer sums change in the value is added to every resample.
    """
    summed = total(blocked)
    found, shift = {}, {}
    for name, score in scores.items():
        reason = next((why for why, met in map(NEEDS.__getitem__, score.needs) if not met(whole)), "")
        value = np.nan if reason else float(score.compute(whole))
        shift[name] = value if reason else value - float(score.compute(summed))
        nothing = (np.full(counts.shape[nth], np.nan) for nth in (0, 1))
        if not reason and np.isnan(value):
            reason = "undefined (0 / 0)"
        found[name] = Estimate(value, next(nothing), reason, next(nothing), score.limits, score.gains)
    defined = {name: score for name, score in scores.items() if not found[name].reason}
    for rows, left_out, sums in _parts(blocked, summed, counts):
        for name, score in defined.items():
            met = np.logical_and.reduce([NEEDS[need][1](sums) for need in score.needs])
            into = found[name].left_out if left_out else found[name].resampled
            into[rows] = np.where(met, score.compute(sums) + shift[name], np.nan)
    return found


def _parts(blocked: Any, summed: Any, counts: NDArray[Any]) -> Iterator[tuple[slice, bool, Any]]:
    """Sums of some resamples at a time, then sums without each of some blocks at a time (said by a flag)."""
    for start in range(0, counts.shape[0], STRIDE):
        rows = slice(start, start + STRIDE)
        yield rows, False, combined(blocked, counts[rows])
    for start in range(0, counts.shape[1], STRIDE):
        rows = slice(start, start + STRIDE)
        yield rows, True, each(lambda whole, part, rows=rows: whole - part[rows], summed, blocked)

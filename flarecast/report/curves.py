"""Curves over the decision threshold with bands: everything is counted by block and probability once.

One histogram a block, of events and of non-events over bins of the probability, resampled as one matrix
product, gives ROC, precision-recall, skill and value over the decision threshold, and reliability.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.evaluate.subsets import draw_ways

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
CurveOf = Callable[[FloatArray, FloatArray], FloatArray]
"""Hits and false alarms, each of shape (..., bin) -> a curve (..., point)."""

N_RESAMPLES = 400
N_EDGES = 160
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Curves:
    """Windows counted by bins of the probability, from the highest down.

    Attributes:
        threshold: Lower edge of each bin: a decision threshold, falling, shape (bin,).
        mean: Mean probability of the windows in each bin, NaN in empty ones, shape (bin,).
        events: In each bin, shape (bin,).
        non_events: In each bin, shape (bin,).
        drawn_events: The same in every resample, a list of ways to draw, each of shape (resample, bin).
        drawn_non_events: As `drawn_events`.
        drawn_sum: Sum of the probabilities in each bin, as `drawn_events`.
    """

    threshold: FloatArray
    mean: FloatArray
    events: FloatArray
    non_events: FloatArray
    drawn_events: tuple[FloatArray, ...]
    drawn_non_events: tuple[FloatArray, ...]
    drawn_sum: tuple[FloatArray, ...]

    @property
    def hits(self) -> FloatArray:
        """Events at or above each decision threshold, shape (bin,)."""
        return self.events.cumsum()

    @property
    def false_alarms(self) -> FloatArray:
        """Non-events at or above each decision threshold, shape (bin,)."""
        return self.non_events.cumsum()

    def band(self, curve: CurveOf) -> tuple[FloatArray, FloatArray]:
        """Pointwise 95 % interval of a curve from the resamples, the wider of all ways to draw.

        Args:
            curve: Function of hits and false alarms, each of shape (..., bin), to a curve (..., point).
        """
        return widest(
            curve(events.cumsum(axis=-1), others.cumsum(axis=-1))
            for events, others in zip(self.drawn_events, self.drawn_non_events, strict=True)
        )


def count_curves(
    forecasts: xr.Dataset,
    event: int,
    probability: FloatArray,
    rows: BoolArray,
    rng: np.random.Generator,
) -> Curves:
    """Count the windows of `rows` by probability, whole and in every resample of their blocks.

    Args:
        forecasts: With outcomes and blocks of the windows.
        event: Column of the event.
        probability: Shape (window,).
        rows: Windows counted, shape (window,), with at least one event and one non-event.
        rng: Source of the resamples.
    """
    drawn = draw_ways(forecasts, event, rows, blocks="wider", rng=rng, resamples=N_RESAMPLES)
    values, came = probability[rows], drawn.first.occurred
    edges = _edges(values, came)
    bins = len(edges) - np.searchsorted(edges, values, side="right")
    n_bins = len(edges)
    found: dict[str, list[FloatArray]] = {"events": [], "non_events": [], "sums": []}
    for sample in drawn.ways.values():
        counts = sample.counts.astype(np.float64)
        code, n_blocks = sample.blocks.code * n_bins + bins, sample.blocks.n
        for name, weight in (("events", came), ("non_events", ~came), ("sums", values)):
            table = np.bincount(code, weights=weight.astype(np.float64), minlength=n_blocks * n_bins)
            found[name].append(counts @ table.reshape(n_blocks, n_bins))
    counted = np.bincount(bins, minlength=n_bins)
    sums = np.bincount(bins, weights=values, minlength=n_bins)
    return Curves(
        threshold=edges[::-1],
        mean=np.divide(sums, counted, out=np.full(n_bins, np.nan), where=counted > 0),
        events=np.bincount(bins[came], minlength=n_bins).astype(np.float64),
        non_events=np.bincount(bins[~came], minlength=n_bins).astype(np.float64),
        drawn_events=tuple(found["events"]),
        drawn_non_events=tuple(found["non_events"]),
        drawn_sum=tuple(found["sums"]),
    )


def widest(ways: Iterable[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Pointwise 95 % band of a curve that was resampled in several ways: of all their bounds the outer ones.

    Args:
        ways: The curve in every resample, an array (resample, point) a way; the undefined is left out.

    Returns:
        Lower and upper bound, each of shape (point,).
    """
    bounds = [_quantiles(resampled) for resampled in ways]
    return np.min([low for low, _ in bounds], axis=0), np.max([high for _, high in bounds], axis=0)


def _quantiles(resampled: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bounds of the middle of resampled values."""
    resampled = np.where(np.isfinite(resampled), resampled, np.nan)
    known = ~np.isnan(resampled).all(axis=0)
    low, high = (np.full(resampled.shape[1], np.nan) for _ in range(2))
    tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    low[known], high[known] = np.nanquantile(resampled[:, known], tails, axis=0)
    return low, high


def _edges(values: FloatArray, occurred: BoolArray) -> FloatArray:
    """Lower edges of bins, rising: quantiles of the events' and of all probabilities, the smallest first."""
    share = np.linspace(0, 1, N_EDGES // 2)
    wanted = np.concatenate([np.quantile(values[occurred], share), np.quantile(values, share)])
    levels = np.unique(values)
    place = np.searchsorted(levels, wanted, side="left").clip(0, levels.size - 1)
    edges: FloatArray = levels[np.unique(np.append(place, 0))]
    return edges

"""Scores of the order of forecasts: arithmetic on events and non-events counted by rank."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flarecast.skill.contingency import ContingencyTable
from flarecast.skill.sums import FIXED, Blocks, BoolArray, FloatArray, IntArray, add_binned, check_pair, ratio

N_RANK_BINS = 2000
"""Most rank bins, about, that resampling keeps apart; with fewer distinct events it is exact."""


@dataclass(frozen=True)
class RankedCounts:
    """Windows counted by bins of the probability, from the highest down.

    Attributes:
        in_events: Events in each bin, any shape (..., bin).
        in_non_events: Non-events in each bin, shape (..., bin).
        lowest: Smallest probability of each bin, shape (bin,).
        tied: Whether all events of a bin have the same rank, shape (bin,); where not, events and non-events
            of the bin are taken as evenly mixed.
    """

    in_events: FloatArray
    in_non_events: FloatArray
    lowest: FloatArray = field(metadata=FIXED)
    tied: BoolArray = field(metadata=FIXED)

    @property
    def events(self) -> FloatArray:
        """Windows in which it occurred, shape (...)."""
        return np.asarray(self.in_events.sum(axis=-1), dtype=np.float64)

    @property
    def non_events(self) -> FloatArray:
        """Windows in which it did not, shape (...)."""
        return np.asarray(self.in_non_events.sum(axis=-1), dtype=np.float64)

    @cached_property
    def hits(self) -> FloatArray:
        """Events in each bin and all above, shape (..., bin); kept, as nearly every score asks for them."""
        return np.asarray(self.in_events.cumsum(axis=-1, dtype=np.float64))

    @cached_property
    def false_alarms(self) -> FloatArray:
        """Non-events in each bin and all above, shape (..., bin)."""
        return np.asarray(self.in_non_events.cumsum(axis=-1, dtype=np.float64))


def rank(
    probability: NDArray[np.float64],
    occurred: BoolArray,
    blocks: Blocks | None = None,
    n_bins: int | None = None,
) -> RankedCounts:
    """Count events and non-events by rank.

    Args:
        probability: Forecasts in [0, 1], shape (window,).
        occurred: Outcomes, shape (window,).
        blocks: Count inside each block.
        n_bins: Merge ranks into at most about twice so many bins. Non-events between two events always
            merge, which no score here can tell; only if that does not suffice neighbours do.
            None keeps every distinct probability.

    Returns:
        Counts of shape (bin,) or, with blocks, (block, bin), the latter in float32, which holds every count
        below 16.7 million exactly.

    Raises:
        FlarecastError: The two are swapped, of different shapes, or a probability is outside [0, 1].
    """
    check_pair(probability, occurred)
    levels, code = np.unique(-probability, return_inverse=True)
    in_events = add_binned(code, levels.size, None, occurred)
    in_non_events = add_binned(code, levels.size, None) - in_events
    bins, tied = np.arange(levels.size), np.ones(levels.size, dtype=bool)
    if n_bins is not None:
        bins, tied = _merge(in_events, in_non_events, n_bins)
    n_merged = int(tied.size)
    lowest = np.zeros(n_merged)
    lowest[bins] = -levels  # of several levels in a bin the last, the smallest probability, stays
    bin_of = bins[code]
    events = add_binned(bin_of, n_merged, blocks, occurred)
    non_events = add_binned(bin_of, n_merged, blocks) - events
    if blocks is not None:
        events, non_events = events.astype(np.float32), non_events.astype(np.float32)
    return RankedCounts(events, non_events, lowest, tied)


def sweep(ranked: RankedCounts) -> ContingencyTable:
    """Contingency tables at every decision threshold, from the highest probability down.

    Args:
        ranked: Counts, any shape (..., bin).

    Returns:
        Counts of shape (..., bin), for the decision thresholds `ranked.lowest`.
    """
    hits, false_alarms = ranked.hits, ranked.false_alarms
    return ContingencyTable(hits, false_alarms, hits[..., -1:] - hits, false_alarms[..., -1:] - false_alarms)


def average_precision(ranked: RankedCounts) -> FloatArray:
    """Average precision: mean over the events of the precision at their rank.

    sum of (R_k - R_(k-1)) P_k over descending probabilities, ties taken together. From about the base rate
    (random order) to 1. Means nothing without the base rate; looks only at the order of the forecasts.
    Also: area under the precision-recall curve (by steps, without interpolation).

    Args:
        ranked: Counts, any shape (..., bin).

    Returns:
        Score, shape (...); NaN where there were no events (scikit-learn has 0 there).

    Source: Davis & Goadrich (2006), ICML; Saito & Rehmsmeier (2015), PLoS ONE 10, e0118432.
    """
    events = np.asarray(ranked.in_events, dtype=np.float64)
    windows = events + ranked.in_non_events
    events_to, windows_to = ranked.hits, ranked.hits + ranked.false_alarms
    terms = np.divide(events_to, windows_to, out=np.zeros_like(windows_to), where=windows_to > 0)
    terms *= events
    mixed = np.flatnonzero(~ranked.tied)
    if mixed.size:
        inside, size = events[..., mixed], windows[..., mixed]
        before = events_to[..., mixed] - inside + 0.5, windows_to[..., mixed] - size + 0.5
        terms[..., mixed] = inside * _mean_precision(inside, size, *before)
    return ratio(terms.sum(axis=-1), events_to[..., -1])


def roc_auc(ranked: RankedCounts) -> FloatArray:
    """Area under the ROC curve: chance that an event has a higher probability than a non-event.

    Ties count half. From 0 to 1, 0.5 for random order, 1 for perfect. Does not depend on the event rate, says
    nothing about calibration, and is easy to please where most windows are plainly quiet; pooled over a solar
    cycle it rewards knowing the phase of the cycle.

    Args:
        ranked: Counts, any shape (..., bin).

    Returns:
        Score, shape (...); NaN where there were no events or no non-events.

    Source: Mason & Graham (2002), QJRMS 128, 2145; Hanley & McNeil (1982), Radiology 143, 29.
    """
    events = np.asarray(ranked.in_events, dtype=np.float64)
    non_events = np.asarray(ranked.in_non_events, dtype=np.float64)
    not_above = ranked.non_events[..., None] - ranked.false_alarms
    won = (events * (not_above + non_events / 2)).sum(axis=-1)
    return ratio(won, ranked.events * ranked.non_events)


def tss_max(ranked: RankedCounts) -> FloatArray:
    """Largest true skill statistic over all decision thresholds, chosen on the scored sample itself.

    From 0 to 1. An upper bound that no forecaster could have reached, because the decision threshold knew the
    outcomes; in small samples far too high. Never quote it as skill.

    Args:
        ranked: Counts, any shape (..., bin).

    Returns:
        Score, shape (...); NaN where there were no events or no non-events.

    Source: Bloomfield et al. (2012), ApJL 747, L41 (thresholds chosen so).
    """
    difference = ranked.hits * ratio(1, ranked.events)[..., None]
    difference -= ranked.false_alarms * ratio(1, ranked.non_events)[..., None]
    return np.asarray(difference.max(axis=-1), dtype=np.float64)


def recall_at_far(ranked: RankedCounts, rate: float) -> FloatArray:
    """Recall at a false alarm rate: share of the events forecast when that share of non-events is, too.

    The ROC curve at that rate, straight inside ties. From 0 to 1, perfect 1, random order gives the rate
    itself. Does not depend on the event rate. Its decision threshold is chosen on the scored sample, so it
    compares orders of forecasts and is no recall that a forecaster had; with fewer than about 1 / rate
    non-events it hangs on a single one.

    Args:
        ranked: Counts, any shape (..., bin).
        rate: False alarm rate, in [0, 1).

    Returns:
        Score, shape (...); NaN where there were no events or no non-events.

    Source: Fawcett (2006), Pattern Recogn. Lett. 27, 861 (points of the ROC curve).
    """
    hits = _reached(ranked.false_alarms, ranked.hits, rate, last=True)
    return np.where(ranked.non_events > 0, ratio(hits, ranked.events), np.nan)


def precision_at_recall(ranked: RankedCounts, share: float) -> FloatArray:
    """Precision at a recall: share of warnings that come true when so many warnings are given.

    R / (R + F), F the false alarms among forecasts above the one that reaches the R-th event; ties are taken
    in random order. From 0 to 1, perfect 1, random order gives the base rate. Means nothing without the base
    rate; the decision threshold is chosen on the scored sample.

    Args:
        ranked: Counts, any shape (..., bin).
        share: Recall, in (0, 1).

    Returns:
        Score, shape (...); NaN where there were no events.

    Source: Davis & Goadrich (2006), ICML (interpolation between points of the curve).
    """
    false_alarms = _reached(ranked.hits, ranked.false_alarms, share, last=False)
    hits = share * ranked.events
    return ratio(hits, hits + false_alarms)


def _merge(in_events: FloatArray, in_non_events: FloatArray, n_bins: int) -> tuple[IntArray, BoolArray]:
    """Bin of each level of probability, and whether each bin's events share one rank.

    Levels without an event join their like. If still more than `n_bins` are left, neighbours join until each
    bin holds about 1 / n_bins of the events, of the non-events and of the logarithm of the rank (their mean
    share), so that what the scores weigh is evenly resolved, precision at the top included; a level that is
    heavier than that stays alone.
    """
    has_event = in_events > 0
    starts = np.ones(has_event.size, dtype=bool)
    starts[1:] = has_event[1:] | has_event[:-1]
    run = np.cumsum(starts) - 1
    n_runs = int(run[-1]) + 1 if run.size else 0
    if n_runs <= n_bins:
        return run, np.ones(n_runs, dtype=bool)
    reach = np.log1p(np.cumsum(in_events + in_non_events))
    share = in_events / max(1.0, in_events.sum()) + in_non_events / max(1.0, in_non_events.sum())
    share += np.diff(reach, prepend=0) / reach[-1]
    weight = np.bincount(run, weights=share) / 3 * n_bins
    slot = np.floor(np.cumsum(weight) - weight).astype(np.int64)
    heavy = weight >= 1
    opens = np.ones(n_runs, dtype=bool)
    opens[1:] = (np.diff(slot) > 0) | heavy[1:] | heavy[:-1]
    bin_of_run = np.cumsum(opens) - 1
    return bin_of_run[run], np.bincount(bin_of_run) == 1


def _mean_precision(
    inside: FloatArray, size: FloatArray, events_before: FloatArray, windows_before: FloatArray
) -> FloatArray:
    """Mean precision along a bin in which events and non-events are evenly mixed.

    Integral over t from 0 to 1 of (events_before + t inside) / (windows_before + t size).
    """
    share = np.nan_to_num(ratio(inside, size))
    rest = events_before - windows_before * share
    return share + np.nan_to_num(ratio(rest * np.log1p(size / windows_before), size))


def _reached(leading: FloatArray, other: FloatArray, share: float, *, last: bool) -> FloatArray:
    """Height of one running sum where another reaches a share of its last value.

    At the first such place, or the last, before it is passed. Inside a bin both are taken as evenly mixed.
    Shapes (..., bin) -> (...).
    """
    if leading.shape[-1] == 0:
        return np.zeros(leading.shape[:-1])
    target = share * leading[..., -1]
    there = leading > target[..., None] if last else leading >= target[..., None]
    nth = there.argmax(axis=-1)[..., None]
    low, high = (
        [
            np.where(at >= 0, np.take_along_axis(one, at.clip(0), axis=-1), 0)[..., 0]
            for one in (leading, other)
        ]
        for at in (nth - 1, nth)
    )
    part = np.nan_to_num(ratio(target - low[0], high[0] - low[0]))
    return np.asarray(low[1] + part * (high[1] - low[1]), dtype=np.float64)

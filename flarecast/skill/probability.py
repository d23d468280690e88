"""Scores of probabilities: arithmetic on sums of errors, on counts by year and by probability bin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flarecast.skill.sums import Blocks, BoolArray, FloatArray, IntArray, add, add_binned, check_pair, ratio

N_BINS = 15
"""Bins of the expected calibration error (Guo et al. 2017)."""

CLIP = float(np.finfo(np.float64).eps)
"""Probabilities are kept this far from 0 and 1 in the logarithm, as scikit-learn does: a certain forecast
that fails costs 36.04 and not infinity."""


@dataclass(frozen=True)
class BinSums:
    """Windows, events and summed probabilities by bin, each of shape (..., bin)."""

    n: FloatArray
    events: FloatArray
    probability: FloatArray


@dataclass(frozen=True)
class ProbabilitySums:
    """Sums behind every score of probabilities, each of any shape (...) but for the last axes named.

    Attributes:
        n: Windows.
        events: Windows in which it occurred.
        squared_error: Sum of (probability - occurred) squared.
        squared_probability: Sum of probability squared.
        log_error: Sum of -log of the probability of what happened (natural logarithm, clipped at `CLIP`).
        training_error: Squared error of the training base rate as a constant forecast; NaN if unknown.
        year_n: Windows of each year, (..., year).
        year_events: Events of each year, (..., year).
        width_bins: Sums in `N_BINS` bins of equal width.
        mass_bins: Sums in `N_BINS` bins of equally many windows.
    """

    n: FloatArray
    events: FloatArray
    squared_error: FloatArray
    squared_probability: FloatArray
    log_error: FloatArray
    training_error: FloatArray
    year_n: FloatArray
    year_events: FloatArray
    width_bins: BinSums
    mass_bins: BinSums

    @property
    def non_events(self) -> FloatArray:
        """Windows in which it did not occur."""
        return self.n - self.events


def sum_probability(
    probability: NDArray[np.float64],
    occurred: BoolArray,
    blocks: Blocks | None = None,
    *,
    year: IntArray | None = None,
    training_base_rate: float | FloatArray = np.nan,
) -> ProbabilitySums:
    """Sum what the scores of probabilities need.

    Args:
        probability: Forecasts in [0, 1], shape (window,).
        occurred: Outcomes, shape (window,).
        blocks: Sum inside each block.
        year: Year of each window, shape (window,); None counts all as one year.
        training_base_rate: Event rate of the training windows, the constant forecast of `bss_train`; of
            windows of several folds that of each.

    Returns:
        Sums of shape () or, with blocks, (block,).

    Raises:
        FlarecastError: The two are swapped, of different shapes, or a probability is outside [0, 1].
    """
    check_pair(probability, occurred)
    year = np.zeros(probability.size, dtype=np.int64) if year is None else year
    years, year_code = np.unique(year, return_inverse=True)
    of_outcome = np.clip(np.where(occurred, probability, 1 - probability), CLIP, 1 - CLIP)
    return ProbabilitySums(
        n=add(np.ones(probability.size), blocks),
        events=add(occurred, blocks),
        squared_error=add((probability - occurred) ** 2, blocks),
        squared_probability=add(probability**2, blocks),
        log_error=add(-np.log(of_outcome), blocks),
        training_error=add((training_base_rate - occurred) ** 2, blocks),
        year_n=add_binned(year_code, years.size, blocks),
        year_events=add_binned(year_code, years.size, blocks, occurred),
        width_bins=_sum_bins(_width_bins(probability), probability, occurred, blocks),
        mass_bins=_sum_bins(_mass_bins(probability), probability, occurred, blocks),
    )


def base_rate(sums: ProbabilitySums) -> FloatArray:
    """Base rate: share of windows in which it occurred; no score, but what half of the scores hang on.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Rate, shape (...); NaN where there were no windows.

    Source: Murphy (1973), J. Appl. Meteor. 12, 595 (sample climatology).
    """
    return ratio(sums.events, sums.n)


def brier(sums: ProbabilitySums) -> FloatArray:
    """Brier score: mean squared error of the probabilities.

    mean (p - o)^2. From 0 to 1, perfect 0. Small by itself where events are rare: compare only on the same
    windows, or use a skill score.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no windows.

    Source: Brier (1950), Mon. Wea. Rev. 78, 1 (half of his two-category score).
    """
    return ratio(sums.squared_error, sums.n)


def bss(sums: ProbabilitySums) -> FloatArray:
    """Brier skill score against the scored sample's own base rate.

    1 - BS / (r (1 - r)), r the base rate of the same windows, recomputed in every resample. Up to 1; 0 is as
    good as that constant. The reference knew the outcomes, so it is a hard one; pooled over a solar cycle
    it still rewards knowing the phase of the cycle (see `bss_year`).

    Args:
        sums: Sums, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no events or no non-events.

    Source: Murphy (1973), J. Appl. Meteor. 12, 595; for flares Barnes et al. (2016), ApJ 829, 89.
    """
    return 1 - ratio(sums.squared_error, sums.events * ratio(sums.non_events, sums.n))


def bss_train(sums: ProbabilitySums) -> FloatArray:
    """Brier skill score against the base rate of the training windows.

    1 - BS / mean (r_train - o)^2. Up to 1, 0 as good as the only climatology known beforehand. Easier than
    `bss` where the event rate changed: most of it may be a better guess of the rate.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Score, shape (...); NaN where the training base rate is unknown or was right in every window.

    Source: Mason (2004), Mon. Wea. Rev. 132, 1891 (on the choice of the reference).
    """
    return 1 - ratio(sums.squared_error, sums.training_error)


def bss_year(sums: ProbabilitySums) -> FloatArray:
    """Brier skill score against each year's own base rate.

    1 - BS / (sum over years of n_y r_y (1 - r_y) / n), r_y recomputed in every resample. Up to 1; what is
    left when knowing the phase of the cycle earns nothing. Years of few windows make the reference too good.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Score, shape (...); NaN where no year had both events and non-events.

    Source: Hamill & Juras (2006), Q. J. R. Meteorol. Soc. 132, 2905 (skill of varying climatology).
    """
    reference = sums.year_events * (1 - np.nan_to_num(ratio(sums.year_events, sums.year_n)))
    return 1 - ratio(sums.squared_error, reference.sum(axis=-1))


def log_loss(sums: ProbabilitySums) -> FloatArray:
    """Log loss: mean of minus the natural logarithm of the probability given to what happened.

    From 0 upward, perfect 0. Punishes certain forecasts that fail without bound; here a probability is kept
    2.2e-16 from 0 and 1, so one such failure costs 36. Also: ignorance (there in bits), cross entropy.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Score [nat], shape (...); NaN where there were no windows.

    Source: Good (1952), J. R. Stat. Soc. B 14, 107; Roulston & Smith (2002), Mon. Wea. Rev. 130, 1653.
    """
    return ratio(sums.log_error, sums.n)


def ignorance_skill(sums: ProbabilitySums) -> FloatArray:
    """Ignorance skill score: log loss avoided of that of the scored sample's own base rate.

    1 - LL / (-r ln r - (1 - r) ln(1 - r)), r recomputed in every resample. Up to 1; 0 is as good as that
    constant. Hard on certain forecasts that fail, as `log_loss` is; the same reference as `bss` has.
    Also: logarithmic skill score, McFadden's pseudo R^2.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no events or no non-events.

    Source: Roulston & Smith (2002), Mon. Wea. Rev. 130, 1653.
    """
    entropy = np.zeros(np.shape(sums.n))
    for part in (sums.events, sums.non_events):
        share = ratio(part, sums.n)
        entropy = entropy - part * np.log(np.where(share > 0, share, 1))
    return 1 - ratio(sums.log_error, entropy)


def ece(bins: BinSums) -> FloatArray:
    """Expected calibration error: mean distance of forecast and observed frequency over probability bins.

    sum over bins of |sum of p - events| / n, on the probability of the event. From 0 to 1, perfect 0. With
    bins of equal width and rare events nearly all windows lie in the first bin, so a constant forecast of the
    base rate scores 0; biased upward in small samples, most for well-calibrated forecasts, and more so in
    resamples, whose interval may even lie above the value. Take the bins of equal mass (`ece_mass`), too.

    Args:
        bins: Sums by bin, any shape (..., bin); the bins stay where the whole sample put them.

    Returns:
        Score, shape (...); NaN where there were no windows.

    Source: Naeini et al. (2015), AAAI; Guo et al. (2017), ICML, eq. 3 (there on the top label).
    """
    return ratio(np.abs(bins.probability - bins.events).sum(axis=-1), bins.n.sum(axis=-1))


def _sum_bins(bins: IntArray, probability: FloatArray, occurred: BoolArray, blocks: Blocks | None) -> BinSums:
    return BinSums(
        add_binned(bins, N_BINS, blocks),
        add_binned(bins, N_BINS, blocks, occurred),
        add_binned(bins, N_BINS, blocks, probability),
    )


def _width_bins(probability: FloatArray) -> IntArray:
    """Bin of equal width (low, high] of each probability; 0 belongs to the first."""
    edges = np.linspace(0, 1, N_BINS + 1)
    return (np.searchsorted(edges, probability, side="left") - 1).clip(0).astype(np.int64)


def _mass_bins(probability: FloatArray) -> IntArray:
    """Bin of equally many windows of each probability; equal probabilities share the bin of their first."""
    rank = np.searchsorted(np.sort(probability), probability, side="left")
    return (rank * N_BINS // max(1, probability.size)).astype(np.int64)

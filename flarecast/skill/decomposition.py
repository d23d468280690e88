"""Parts of the Brier score over probability bins, and how far forecasts spread.

brier = reliability - resolution + uncertainty + within_bin, exactly, in the whole and in every resample.
The bins are those of `ece_mass`: equally many windows in each, kept where the whole sample put them.
"""

import numpy as np

from flarecast.skill.probability import ProbabilitySums
from flarecast.skill.sums import FloatArray, ratio

ROUNDING = 1e-12
"""Share of the mean square below which a variance is that of sums of equal numbers."""


def reliability(sums: ProbabilitySums) -> FloatArray:
    """Reliability part of the Brier score: mean squared gap of forecast and observed frequency over bins.

    sum over bins of n_k (p_k - o_k)^2 / n, p_k and o_k means of the bin. From 0 to 1, perfect 0. Biased
    upward in small samples, and more so in resamples, whose interval may lie above the value (see
    `miscalibration`, which needs no bins).

    Args:
        sums: Sums, any shape (...).

    Returns:
        Part, shape (...); NaN where there were no windows.

    Source: Murphy (1973), J. Appl. Meteor. 12, 595.
    """
    bins = sums.mass_bins
    return ratio(_over_bins((bins.probability - bins.events) ** 2, bins.n), sums.n)


def resolution(sums: ProbabilitySums) -> FloatArray:
    """Resolution part of the Brier score: how far observed frequencies of the bins differ from the base rate.

    sum over bins of n_k (o_k - r)^2 / n. From 0 to r (1 - r), which is perfect. Says nothing about
    calibration; biased upward in small samples, and more so in resamples.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Part, shape (...); NaN where there were no windows.

    Source: Murphy (1973), J. Appl. Meteor. 12, 595.
    """
    bins = sums.mass_bins
    return ratio(_over_bins(bins.events**2, bins.n), sums.n) - ratio(sums.events, sums.n) ** 2


def uncertainty(sums: ProbabilitySums) -> FloatArray:
    """Uncertainty part of the Brier score: that of the base rate as forecast; no score of the forecasts.

    r (1 - r). From 0 to 1/4; the same for all forecasts of the same windows.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Part, shape (...); NaN where there were no windows.

    Source: Murphy (1973), J. Appl. Meteor. 12, 595.
    """
    rate = ratio(sums.events, sums.n)
    return rate * (1 - rate)


def within_bin(sums: ProbabilitySums) -> FloatArray:
    """Within-bin part of the Brier score: what is left because forecasts of one bin differ.

    Variance of the forecasts inside bins less twice their covariance with outcomes. Negative where forecasts
    tell windows of one bin apart; 0 where each bin holds one probability. Far from 0 the bins are too wide
    for `reliability` and `resolution` to be read alone.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Part, shape (...); NaN where there were no windows.

    Source: Stephenson, Coelho & Jolliffe (2008), Wea. Forecasting 23, 752.
    """
    bins = sums.mass_bins
    # Sum of p^2 - 2 p o, as o^2 = o, less the same of the bins' means.
    whole = sums.squared_error - sums.events
    means = _over_bins(bins.probability * (bins.probability - 2 * bins.events), bins.n)
    return ratio(whole - means, sums.n)


def sharpness(sums: ProbabilitySums) -> FloatArray:
    """Sharpness: standard deviation of the forecast probabilities.

    From 0, a constant forecast, to 1/2; perfect forecasts have sqrt(r (1 - r)). A property of the forecasts
    alone: worth something only where they are calibrated, and wrong forecasts can be as sharp as right ones.

    Args:
        sums: Sums, any shape (...).

    Returns:
        Deviation, shape (...); NaN where there were no windows.

    Source: Gneiting, Balabdaoui & Raftery (2007), J. R. Stat. Soc. B 69, 243; Murphy & Winkler (1992).
    """
    mean = ratio(sums.mass_bins.probability.sum(axis=-1), sums.n)
    square = ratio(sums.squared_probability, sums.n)
    variance = square - mean**2
    # Of a constant forecast the two differ by rounding, of which the root would make 1e-8.
    return np.sqrt(np.where(variance <= ROUNDING * square, 0.0, variance))


def _over_bins(of_bin: FloatArray, n: FloatArray) -> FloatArray:
    """Sum over bins of a quantity per window of the bin; empty bins add nothing. (..., bin) -> (...)."""
    return np.asarray(np.nan_to_num(ratio(of_bin, n)).sum(axis=-1), dtype=np.float64)

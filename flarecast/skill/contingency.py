"""Scores of yes/no forecasts: arithmetic on the four counts of a contingency table."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flarecast.skill.sums import Blocks, BoolArray, FloatArray, add, check_pair, ratio


@dataclass(frozen=True)
class ContingencyTable:
    """Counts of yes/no forecasts, each of any shape (...)."""

    hits: FloatArray
    false_alarms: FloatArray
    misses: FloatArray
    correct_negatives: FloatArray

    @property
    def events(self) -> FloatArray:
        """Windows in which it occurred."""
        return self.hits + self.misses

    @property
    def non_events(self) -> FloatArray:
        """Windows in which it did not."""
        return self.false_alarms + self.correct_negatives

    @property
    def warned(self) -> FloatArray:
        """Windows for which it was forecast."""
        return self.hits + self.false_alarms

    @property
    def n(self) -> FloatArray:
        """Windows."""
        return self.events + self.non_events


def contingency_table(
    probability: NDArray[np.float64],
    occurred: BoolArray,
    decision_threshold: float | NDArray[np.float64],
    blocks: Blocks | None = None,
) -> ContingencyTable:
    """Count hits, false alarms, misses and correct negatives of probabilities cut at a decision threshold.

    Args:
        probability: Forecasts in [0, 1], shape (window,).
        occurred: Outcomes, shape (window,).
        decision_threshold: An event is forecast where probability >= it; one, or one a window.
        blocks: Count inside each block.

    Returns:
        Counts of shape () or, with blocks, (block,).

    Raises:
        FlarecastError: The two are swapped, of different shapes, or a probability is outside [0, 1].
    """
    check_pair(probability, occurred)
    warned = probability >= decision_threshold
    return ContingencyTable(
        add(warned & occurred, blocks),
        add(warned & ~occurred, blocks),
        add(~warned & occurred, blocks),
        add(~warned & ~occurred, blocks),
    )


def tss(table: ContingencyTable) -> FloatArray:
    """True skill statistic: hit rate minus false-alarm rate.

    H / (H + M) - F / (F + C). From -1 to 1; 0 for constant or random forecasts, 1 for perfect ones. Does not
    depend on the event rate as long as the non-events keep their mix, and says nothing about calibration;
    for rare events its best decision threshold warns often and is wrong nearly each time.
    Also: Peirce, Hanssen-Kuipers, Youden's J.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no events or no non-events.

    Source: Peirce (1884), Science ns-4, 453; for flares Bloomfield et al. (2012), ApJL 747, L41.
    """
    return recall(table) - false_alarm_rate(table)


def hss(table: ContingencyTable) -> FloatArray:
    """Heidke skill score (HSS2): share of correct forecasts beyond what chance with the same margins gives.

    2 (H C - F M) / ((H + M)(M + C) + (H + F)(F + C)). From -1 to 1; 0 for chance, 1 for perfect forecasts.
    Depends on the event rate: do not compare samples of different rates. Also: Cohen's kappa.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no events or no non-events.

    Source: Heidke (1926), Geogr. Ann. 8, 301; HSS2 in Bobra & Couvidat (2015), ApJ 798, 135.
    """
    top = 2 * (table.hits * table.correct_negatives - table.false_alarms * table.misses)
    bottom = table.events * (table.misses + table.correct_negatives) + table.warned * table.non_events
    return np.where((table.events > 0) & (table.non_events > 0), ratio(top, bottom), np.nan)


def recall(table: ContingencyTable) -> FloatArray:
    """Recall: share of the events that were forecast.

    H / (H + M). From 0 to 1, perfect 1; forecasting every window reaches it. Also: hit rate, probability of
    detection, sensitivity.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no events.

    Source: Wilks (2019), Statistical Methods in the Atmospheric Sciences, 4th ed., chapter 9.
    """
    return ratio(table.hits, table.events)


def precision(table: ContingencyTable) -> FloatArray:
    """Precision: share of the forecast events that occurred.

    H / (H + F). From 0 to 1, perfect 1. Rises with the event rate at equal skill; says nothing about misses.
    Also: success ratio, positive predictive value; 1 - false alarm ratio.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where no event was forecast.

    Source: Wilks (2019), Statistical Methods in the Atmospheric Sciences, 4th ed., chapter 9.
    """
    return ratio(table.hits, table.warned)


def false_alarm_rate(table: ContingencyTable) -> FloatArray:
    """False alarm rate: share of the non-events for which an event was forecast.

    F / (F + C). From 0 to 1, perfect 0. Small by itself where events are rare. Not the false alarm *ratio*.
    Also: probability of false detection, fall-out.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no non-events.

    Source: Barnes et al. (2009), Wea. Forecasting 24, 1452 (rate and ratio told apart).
    """
    return ratio(table.false_alarms, table.non_events)


def false_alarm_ratio(table: ContingencyTable) -> FloatArray:
    """False alarm ratio: share of the forecast events that did not occur.

    F / (H + F). From 0 to 1, perfect 0. Falls with the event rate at equal skill. Not the false alarm
    *rate*. Also: false discovery rate; 1 - precision.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where no event was forecast.

    Source: Barnes et al. (2009), Wea. Forecasting 24, 1452 (rate and ratio told apart).
    """
    return ratio(table.false_alarms, table.warned)


def f1(table: ContingencyTable) -> FloatArray:
    """F1: harmonic mean of precision and recall.

    2 H / (2 H + F + M). From 0 to 1, perfect 1. Ignores correct negatives and depends on the event rate.
    Also: Dice coefficient.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no events and none was forecast.

    Source: van Rijsbergen (1979), Information Retrieval, chapter 7.
    """
    return ratio(2 * table.hits, 2 * table.hits + table.false_alarms + table.misses)


def csi(table: ContingencyTable) -> FloatArray:
    """Critical success index: hits among all windows with an event forecast or occurred.

    H / (H + F + M). From 0 to 1, perfect 1. Ignores correct negatives; depends on the event rate, and chance
    does not give 0. Also: threat score, Jaccard index.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no events and none was forecast.

    Source: Gilbert (1884), Amer. Meteor. J. 1, 166 (ratio of verification); Schaefer (1990), WAF 5, 570.
    """
    return ratio(table.hits, table.hits + table.false_alarms + table.misses)


def frequency_bias(table: ContingencyTable) -> FloatArray:
    """Frequency bias: events forecast per event that occurred.

    (H + F) / (H + M). From 0 upward, perfect 1; above 1 over-forecasts. Says nothing about which windows.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no events.

    Source: Wilks (2019), Statistical Methods in the Atmospheric Sciences, 4th ed., chapter 9.
    """
    return ratio(table.warned, table.events)

"""More scores of yes/no forecasts: against never warning, against chance, and for rare events."""

import numpy as np

from flarecast.skill.contingency import ContingencyTable, false_alarm_rate, recall
from flarecast.skill.sums import FloatArray, ratio


def accuracy(table: ContingencyTable) -> FloatArray:
    """Accuracy: share of the forecasts that were right.

    (H + C) / n. From 0 to 1, perfect 1. Where events are rare, never warning is right nearly always: Finley's
    tornado forecasts have 0.966, never warning 0.982. Also: proportion correct, rate correct.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no windows.

    Source: Finley (1884), Amer. Meteor. J. 1, 85; Wilks (2019), chapter 9.
    """
    return ratio(table.hits + table.correct_negatives, table.n)


def hss1(table: ContingencyTable) -> FloatArray:
    """Heidke skill score against never warning (HSS1): hits less false alarms, per event.

    (H - F) / (H + M). From minus non-events per event to 1; 0 for never warning, 1 for perfect forecasts.
    Depends on the event rate, and most forecasts of rare flares are below 0; where events are more common
    than non-events the reference is no longer the best constant one (see `apss`). Not `hss` (HSS2).

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no events.

    Source: Barnes & Leka (2008), ApJL 688, L107; HSS1 in Bobra & Couvidat (2015), ApJ 798, 135.
    """
    return ratio(table.hits - table.false_alarms, table.events)


def apss(table: ContingencyTable) -> FloatArray:
    """Appleman skill score: share of the better constant forecast's errors that is avoided.

    (H - F) / (H + M) where events are the rarer, (C - M) / (F + C) where they are not. Up to 1; 0 is as good
    as always forecasting the more common outcome. Equals `hss1` for rare events; counts a miss and a false
    alarm as equally bad, so it asks for few warnings.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no events or no non-events.

    Source: Appleman (1960), Bull. Amer. Meteor. Soc. 41, 64; for flares Barnes et al. (2016), ApJ 829, 89.
    """
    errors = table.false_alarms + table.misses
    return 1 - ratio(errors, np.minimum(table.events, table.non_events))


def gilbert(table: ContingencyTable) -> FloatArray:
    """Gilbert skill score: critical success index beyond what chance with the same margins gives.

    (H - h) / (H + F + M - h), h = (H + F)(H + M) / n. From -1/3 to 1; 0 for chance, 1 for perfect forecasts.
    Depends on the event rate; orders forecasts as `hss` does (it is HSS / (2 - HSS)).
    Also: equitable threat score (ETS), though it is not equitable in small samples.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where there were no events or no non-events.

    Source: Gilbert (1884), Amer. Meteor. J. 1, 166; Hogan et al. (2010), Wea. Forecasting 25, 710.
    """
    chance = ratio(table.warned * table.events, table.n)
    top, bottom = table.hits - chance, table.warned + table.misses - chance
    return np.where((table.events > 0) & (table.non_events > 0), ratio(top, bottom), np.nan)


def mcc(table: ContingencyTable) -> FloatArray:
    """Matthews correlation coefficient: correlation of yes/no forecasts with outcomes.

    (H C - F M) / sqrt((H + F)(H + M)(F + C)(M + C)). From -1 to 1; 0 for no association, 1 for perfect
    forecasts. Depends on the event rate; undefined for forecasts that are all alike, where other libraries
    give 0. Also: phi coefficient.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where outcomes or forecasts were all alike.

    Source: Matthews (1975), Biochim. Biophys. Acta 405, 442.
    """
    quiet = table.misses + table.correct_negatives
    top = table.hits * table.correct_negatives - table.false_alarms * table.misses
    return ratio(top, np.sqrt(table.warned * quiet) * np.sqrt(table.events * table.non_events))


def sedi(table: ContingencyTable) -> FloatArray:
    """Symmetric extremal dependence index: association that does not fade as events get rarer.

    (ln f - ln h - ln(1 - f) + ln(1 - h)) / (ln f + ln h + ln(1 - f) + ln(1 - h)), h the hit rate, f the false
    alarm rate. From -1 to 1; 0 for random forecasts, 1 for perfect ones. Does not depend on the event rate;
    meant for forecasts of frequency bias 1, and hedging by warning more often can raise it.

    Args:
        table: Counts, any shape (...).

    Returns:
        Score, shape (...); NaN where any of the four counts is 0.

    Source: Ferro & Stephenson (2011), Wea. Forecasting 26, 699.
    """
    hit, false = recall(table), false_alarm_rate(table)
    inside = (hit > 0) & (hit < 1) & (false > 0) & (false < 1)
    hit, false = np.where(inside, hit, np.nan), np.where(inside, false, np.nan)
    odds = np.log(false) - np.log1p(-false), np.log(hit) - np.log1p(-hit)
    return ratio(odds[0] - odds[1], np.log(false) + np.log(hit) + np.log1p(-false) + np.log1p(-hit))

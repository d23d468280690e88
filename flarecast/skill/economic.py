"""Worth of probabilities to those who must decide: arithmetic on hits and false alarms by cost-loss ratio."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flarecast.skill.sums import FIXED, Blocks, BoolArray, FloatArray, add, check_pair, ratio

COST_RATIOS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Cost of protection as a share of the loss that it avoids, of the records in scores.json."""


@dataclass(frozen=True)
class CostSums:
    """Counts at several decision thresholds, each of shape (..., ratio) but for those of windows, (...).

    Attributes:
        hits: Events with a probability of at least the ratio.
        false_alarms: Non-events with such a probability.
        events: Windows in which it occurred, (...).
        non_events: Windows in which it did not, (...).
        ratios: Cost-loss ratios, (ratio,).
    """

    hits: FloatArray
    false_alarms: FloatArray
    events: FloatArray
    non_events: FloatArray
    ratios: FloatArray = field(metadata=FIXED)


def sum_costs(
    probability: NDArray[np.float64],
    occurred: BoolArray,
    blocks: Blocks | None = None,
    ratios: Sequence[float] = COST_RATIOS,
) -> CostSums:
    """Count what users of several cost-loss ratios protect themselves against: probability >= ratio.

    Args:
        probability: Forecasts in [0, 1], shape (window,).
        occurred: Outcomes, shape (window,).
        blocks: Count inside each block.
        ratios: Cost-loss ratios in (0, 1), shape (ratio,).

    Returns:
        Counts with leading shape () or, with blocks, (block,).

    Raises:
        FlarecastError: The two are swapped, of different shapes, or a probability is outside [0, 1].
    """
    check_pair(probability, occurred)
    warned = [probability >= one for one in ratios]
    return CostSums(
        hits=np.stack([add(one & occurred, blocks) for one in warned], axis=-1),
        false_alarms=np.stack([add(one & ~occurred, blocks) for one in warned], axis=-1),
        events=add(occurred, blocks),
        non_events=add(~occurred, blocks),
        ratios=np.asarray(ratios, dtype=np.float64),
    )


def economic_value(sums: CostSums) -> FloatArray:
    """Relative economic value: expense saved by acting on the forecast, as a share of what perfect ones save.

    (E_climate - E_forecast) / (E_climate - E_perfect) for a user who pays the cost alpha of protection where
    p >= alpha and the loss 1 in each event without it: E_forecast = alpha (H + F) + M, E_perfect = alpha
    (H + M), E_climate = min(alpha n, H + M), always or never protecting. Up to 1, perfect 1, 0 as good as the
    better constant. Takes probabilities at their word, so uncalibrated ones may be far below 0; largest near
    the base rate, so compare at the user's ratio. Real protection is seldom complete.

    Args:
        sums: Counts, any shape (..., ratio).

    Returns:
        Score, shape (..., ratio); NaN where there were no events or no non-events.

    Source: Richardson (2000), QJRMS 126, 649; Wilks (2001), Meteorol. Appl. 8, 209.
    """
    events, cost = np.asarray(sums.events)[..., None], sums.ratios
    n = events + np.asarray(sums.non_events)[..., None]
    climate = np.minimum(cost * n, events)
    forecast = cost * (sums.hits + sums.false_alarms) + events - sums.hits
    return ratio(climate - forecast, climate - cost * events)

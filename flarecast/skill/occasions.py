"""Scores of occasions, flares and days, rather than windows: shares and means, summed by block.

Overlapping windows count one flare many times; a forecaster asks how many flares were warned of, how long
before, and on how many days in vain.
"""

import numpy as np

from flarecast.skill.intervals import Estimate, Sample
from flarecast.skill.scores import OCCASIONS
from flarecast.skill.sums import FloatArray, IntArray, ratio

NOTHING = {
    "flare_lead_hours": "no flare was warned of, or the times of the peaks are unknown",
    "first_flare_recall": "no flare after so many quiet days",
    "all_clear_days": "no day without a warning",
    "quiet_days_clear": "no day after so many quiet ones",
}
"""Why a score is undefined; `no such flares` where not said."""


def estimate_occasions(sample: Sample, name: str, block: IntArray, gain: FloatArray) -> Estimate:
    """A score of occasions: the mean of what each brought, value and resamples.

    Args:
        sample: Windows that are scored, resampled by block.
        name: A score of `OCCASIONS`.
        block: Block of each occasion, shape (occasion,).
        gain: What it brought: 1 or 0 for a share, hours for a mean, shape (occasion,).

    Returns:
        The estimate; NaN with a reason where there was no such occasion.
    """
    top = np.bincount(block, weights=gain, minlength=sample.blocks.n)
    bottom = np.bincount(block, minlength=sample.blocks.n).astype(np.float64)
    counts = sample.counts.astype(np.float64)
    if not block.size:
        reason = NOTHING.get(name, "no such flares")
        return Estimate(np.nan, np.full(counts.shape[0], np.nan), reason)
    return Estimate(
        float(top.sum() / bottom.sum()),
        ratio(counts @ top, counts @ bottom),
        left_out=ratio(top.sum() - top, bottom.sum() - bottom),
        limits=OCCASIONS[name].limits,
    )

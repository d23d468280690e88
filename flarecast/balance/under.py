"""Fewer negatives."""

import numpy as np

from flarecast.balance.balanced import Balanced, IntArray, equal_weights, two_sides


def undersample(
    low: IntArray,
    high: IntArray,
    n_classes: int,  # noqa: ARG001 -- all remedies share one signature
    positive_class: int,
    rng: np.random.Generator,
    *,
    ratio: float = 1.0,
) -> Balanced:
    """Keep every positive and draw `ratio` negatives for each, without replacement.

    Negatives are drawn regardless of their class, so the climatology of the classes on either side stays as
    it was, in expectation. Where there are no more negatives than wanted all stay. Windows that may be
    either positive or negative are left out: they have no side to be drawn for.

    Args:
        low: Lowest exclusive class that each train window may have, shape (window,).
        high: Highest one, shape (window,).
        n_classes: Number of exclusive classes.
        positive_class: Exclusive classes from this one on count as events.
        rng: Source of the draw.
        ratio: Negatives per positive afterwards.

    Raises:
        FlarecastError: There are no positives or no negatives.
    Source: `under/class, climatology kept`, after Ahmadzadeh et al. (2021), ApJS 254, 23.
    """
    from imblearn.under_sampling import RandomUnderSampler

    positive, negative = two_sides(low, high, positive_class, ratio)
    wanted = min(int(negative.sum()), max(1, round(ratio * int(positive.sum()))))
    known = np.flatnonzero(positive | negative)
    sampler = RandomUnderSampler(sampling_strategy={0: wanted}, random_state=int(rng.integers(2**32)))
    sampler.fit_resample(known[:, None], positive[known].astype(np.int64))
    return equal_weights(known[sampler.sample_indices_])

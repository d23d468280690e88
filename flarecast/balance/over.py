"""More positives."""

import numpy as np

from flarecast.balance.balanced import Balanced, IntArray, equal_weights, two_sides


def oversample(
    low: IntArray,
    high: IntArray,
    n_classes: int,  # noqa: ARG001 -- all remedies share one signature
    positive_class: int,
    rng: np.random.Generator,
    *,
    ratio: float = 1.0,
) -> Balanced:
    """Keep every window and repeat positives, drawn with replacement, until `ratio` negatives stand for each.

    Positives are drawn regardless of their class, so the climatology of the classes on either side stays as
    it was, in expectation. Where there are as many positives as wanted nothing is repeated. Windows that
    may be either positive or negative are left out: they have no side to be drawn for.

    Args:
        low: Lowest exclusive class that each train window may have, shape (window,).
        high: Highest one, shape (window,).
        n_classes: Number of exclusive classes.
        positive_class: Exclusive classes from this one on count as events.
        rng: Source of the draw.
        ratio: Negatives per positive afterwards.

    Raises:
        FlarecastError: There are no positives or no negatives.
    Source: `over/class, climatology kept`, after Ahmadzadeh et al. (2021), ApJS 254, 23.
    """
    from imblearn.over_sampling import RandomOverSampler

    positive, negative = two_sides(low, high, positive_class, ratio)
    wanted = max(int(positive.sum()), round(int(negative.sum()) / ratio))
    known = np.flatnonzero(positive | negative)
    sampler = RandomOverSampler(sampling_strategy={1: wanted}, random_state=int(rng.integers(2**32)))
    sampler.fit_resample(known[:, None], positive[known].astype(np.int64))
    return equal_weights(known[sampler.sample_indices_])

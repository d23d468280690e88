"""Fewer negatives."""

import numpy as np

from flarecast.balance.balanced import Balanced, balanced, require_positive
from flarecast.balance.train_windows import TrainWindows


def undersample(train: TrainWindows, rng: np.random.Generator, *, ratio: float = 1.0) -> Balanced:
    """Keep every positive and draw `ratio` negatives for each, without replacement.

    Negatives are drawn regardless of their class, so the climatology of the classes on either side stays as
    it was, in expectation. Where there are no more negatives than wanted all stay. Windows that may be
    either positive or negative are left out: they have no side to be drawn for.

    Args:
        train: The train windows.
        rng: Source of the draw.
        ratio: Negatives per positive afterwards.

    Raises:
        FlarecastError: There are no positives or no negatives.
    Source: `under/class, climatology kept`, after Ahmadzadeh et al. (2021), ApJS 254, 23.
    """
    from imblearn.under_sampling import RandomUnderSampler

    require_positive("ratio", ratio)
    positive, negative = train.sides()
    wanted = min(int(negative.sum()), max(1, round(ratio * int(positive.sum()))))
    known = np.flatnonzero(positive | negative)
    sampler = RandomUnderSampler(sampling_strategy={0: wanted}, random_state=int(rng.integers(2**32)))
    sampler.fit_resample(known[:, None], positive[known].astype(np.int64))
    return balanced(train, known[sampler.sample_indices_], analytic=True)

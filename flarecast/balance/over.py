"""More positives."""

import numpy as np

from flarecast.balance.balanced import Balanced, balanced, require_positive
from flarecast.balance.train_windows import TrainWindows


def oversample(train: TrainWindows, rng: np.random.Generator, *, ratio: float = 1.0) -> Balanced:
    """Keep every window and repeat positives, drawn with replacement, until `ratio` negatives stand for each.

    Positives are drawn regardless of their class, so the climatology of the classes on either side stays as
    it was, in expectation. Where there are as many positives as wanted nothing is repeated. Windows that
    may be either positive or negative are left out: they have no side to be drawn for.

    Args:
        train: The train windows.
        rng: Source of the draw.
        ratio: Negatives per positive afterwards.

    Raises:
        FlarecastError: There are no positives or no negatives.
    Source: `over/class, climatology kept`, after Ahmadzadeh et al. (2021), ApJS 254, 23.
    """
    from imblearn.over_sampling import RandomOverSampler

    require_positive("ratio", ratio)
    positive, negative = train.sides()
    wanted = max(int(positive.sum()), round(int(negative.sum()) / ratio))
    known = np.flatnonzero(positive | negative)
    sampler = RandomOverSampler(sampling_strategy={1: wanted}, random_state=int(rng.integers(2**32)))
    sampler.fit_resample(known[:, None], positive[known].astype(np.int64))
    return balanced(train, known[sampler.sample_indices_], analytic=True)

"""Remedies that compare whole windows with each other: one adapter to imbalanced-learn.

A window is flattened, step after step, to one row of numbers; only windows of the train role are shown. They
are scaled and filled before, so that no feature outweighs the others and none is missing.
"""

import numpy as np
from numpy.typing import NDArray

from flarecast.balance.balanced import Balanced, Made, balanced, require_positive
from flarecast.balance.targets import over_targets
from flarecast.balance.train_windows import IntArray, TrainWindows
from flarecast.errors import FlarecastError


def smote(
    train: TrainWindows, rng: np.random.Generator, *, ratio: float = 1.0, neighbours: int = 5
) -> Balanced:
    """Keep every window and add mixtures of positives until `ratio` negatives stand for each positive.

    A made window lies between a window and one of its nearest neighbours of the same exclusive class, at the
    same fraction of the way in every step and feature; the classes of the event keep their mix. Windows
    whose class is open are left out. Neighbours of an overlapping window are mostly its own copies, so
    expect little news from it.

    Args:
        train: The train windows.
        rng: Source of the mixtures.
        ratio: Negatives per positive afterwards.
        neighbours: How many neighbours a window may be mixed with.

    Raises:
        FlarecastError: There are no positives or no negatives, a class has no more windows than neighbours,
            or a value is missing.
    Source: Chawla et al. (2002), J. Artif. Intell. Res. 16, 321.
    """
    from imblearn.over_sampling import SMOTE

    require_positive("ratio", ratio)
    require_positive("neighbours", neighbours)
    train.sides()
    known = np.flatnonzero(train.low == train.high)
    label = train.low[known]
    counts = np.bincount(label, minlength=train.n_classes)
    of_event = np.arange(train.n_classes) >= train.positive_class
    targets = np.maximum(over_targets(counts, of_event, "climatology_kept", ratio), counts)
    for one in np.flatnonzero((targets > counts) & (counts <= neighbours)):
        raise FlarecastError(
            f"smote: expected more than {neighbours} train windows of class {train.classes[one]}, got "
            f"{counts[one]}; lower balance.options.neighbours, or use oversample"
        )
    grown = {int(one): int(targets[one]) for one in np.flatnonzero(targets > counts)}
    if not grown:  # positives are the majority already
        return balanced(train, known, analytic=False)
    sampler = SMOTE(sampling_strategy=grown, k_neighbors=neighbours, random_state=_seed(rng))
    shown = np.isin(label, list(grown))
    shown[np.flatnonzero(~shown)[:1]] = True  # a sampler wants two classes; the other one needs no more
    flat, shape = flattened(train, known[shown], "smote")
    grown_flat, grown_label = sampler.fit_resample(flat, label[shown])
    steps = grown_flat[len(flat) :].reshape(-1, *shape).astype(np.float32)
    classes = grown_label[len(flat) :].astype(np.int64)
    made = Made(steps, classes, classes, np.full(classes.size, -1))
    return balanced(train, known, analytic=False, made=made)


def tomek_links(train: TrainWindows, rng: np.random.Generator) -> Balanced:  # noqa: ARG001 -- shared signature
    """Leave out each negative that is nearest to a positive whose nearest it is itself.

    Windows that may be either positive or negative are left out, too.

    Args:
        train: The train windows.
        rng: Not used.

    Raises:
        FlarecastError: There are no positives or no negatives, or a value is missing.
    Source: Tomek (1976), IEEE Trans. Syst. Man Cybern. 6, 769.
    """
    from imblearn.under_sampling import TomekLinks

    return _cleaned(train, TomekLinks(sampling_strategy=[0]), "tomek_links")


def edited_neighbours(
    train: TrainWindows,
    rng: np.random.Generator,  # noqa: ARG001 -- shared signature
    *,
    neighbours: int = 3,
) -> Balanced:
    """Leave out each negative with a positive among its nearest neighbours.

    Windows that may be either positive or negative are left out, too.

    Args:
        train: The train windows.
        rng: Not used.
        neighbours: How many neighbours are asked.

    Raises:
        FlarecastError: There are no positives or no negatives, there are no more windows than neighbours, no
            negative is left, or a value is missing.
    Source: Wilson (1972), IEEE Trans. Syst. Man Cybern. 2, 408.
    """
    from imblearn.under_sampling import EditedNearestNeighbours

    require_positive("neighbours", neighbours)
    n_known = int(np.logical_or(*train.sides()).sum())
    if n_known <= neighbours:
        raise FlarecastError(
            f"edited_neighbours: expected more than {neighbours} train windows, got {n_known}; "
            "lower balance.options.neighbours"
        )
    sampler = EditedNearestNeighbours(sampling_strategy=[0], n_neighbors=neighbours)
    return _cleaned(train, sampler, "edited_neighbours")


def flattened(train: TrainWindows, index: IntArray, name: str) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Whole windows as rows of numbers, shape (n, step x feature), and (step, feature).

    Raises:
        FlarecastError: A value is missing.
    """
    steps = train.steps(index)
    missing = np.isnan(steps)
    if missing.any():
        n_windows = int(missing.any(axis=(1, 2)).sum())
        raise FlarecastError(
            f"{name}: expected windows without missing values, got NaN in {n_windows:,} of {index.size:,}; "
            "fill them first, or use undersample or oversample"
        )
    return steps.reshape(index.size, -1), (steps.shape[1], steps.shape[2])


def _cleaned(train: TrainWindows, sampler: object, name: str) -> Balanced:
    """What a cleaning sampler leaves of the windows of known side."""
    positive, negative = train.sides()
    known = np.flatnonzero(positive | negative)
    flat, _ = flattened(train, known, name)
    sampler.fit_resample(flat, positive[known].astype(np.int64))  # type: ignore[attr-defined]
    kept = known[sampler.sample_indices_]  # type: ignore[attr-defined]
    if not negative[kept].any():
        raise FlarecastError(
            f"{name}: expected negatives that are unlike the positives, got none among {negative.sum():,}; "
            "lower balance.options.neighbours, or use undersample"
        )
    return balanced(train, kept, analytic=False)


def _seed(rng: np.random.Generator) -> int:
    """A seed for samplers that take one."""
    return int(rng.integers(2**32))

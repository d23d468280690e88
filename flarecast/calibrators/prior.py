"""Undo the prior that balancing moved."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flarecast.errors import FlarecastError

FloatArray = NDArray[np.float64]


def correct_prior(probability: FloatArray, prior_natural: ArrayLike, prior_trained: ArrayLike) -> FloatArray:
    """Probabilities of nested events under the natural prior, from a model trained under another.

    K nested events make K + 1 exclusive classes, p_k = p(event k - 1) - p(event k). Each is multiplied by
    its natural over its trained prior, all are scaled to sum 1, and summed up again from the top. This is
    exact where training saw the same p(x | class) in another mix, as resampling and class weights do it. A
    class that training never saw (trained prior 0) has no ratio of its own and takes that of the nearest
    class below that was seen (else above), so that it keeps its share of that side. Where some events of a
    row are NaN, the classes between the others are merged, with their priors.

    Args:
        probability: Nested probabilities, falling along event, shape (window, event); NaN stays NaN.
        prior_natural: Shares of the exclusive classes in the train windows, shape (event + 1,).
        prior_trained: Shares as training weighed them, shape (event + 1,).

    Returns:
        Shape (window, event).

    Raises:
        FlarecastError: The priors are no shares of event + 1 classes.
    Source: Elkan (2001), IJCAI 17, 973; Saerens, Latinne & Decaestecker (2002), Neural Comput. 14, 21.
    """
    natural = _shares("prior_natural", prior_natural, probability.shape[1] + 1)
    trained = _shares("prior_trained", prior_trained, probability.shape[1] + 1)
    out = np.full(probability.shape, np.nan)
    there = ~np.isnan(probability)
    for pattern in np.unique(there, axis=0):
        if not pattern.any():
            continue
        rows = np.flatnonzero((there == pattern).all(axis=1))
        starts = np.concatenate([[0], np.flatnonzero(pattern) + 1])
        ratio = _ratios(np.add.reduceat(natural, starts), np.add.reduceat(trained, starts))
        out[np.ix_(rows, pattern)] = _reweighted(probability[np.ix_(rows, pattern)], ratio)
    return out


def _reweighted(probability: FloatArray, ratio: FloatArray) -> FloatArray:
    """Nested probabilities (row, event) whose exclusive classes are multiplied by ratios (event + 1,)."""
    edges = np.pad(probability, ((0, 0), (1, 1)), constant_values=((0, 0), (1, 0)))
    exclusive = np.clip(edges[:, :-1] - edges[:, 1:], 0, None) * ratio
    at_least = np.cumsum(exclusive[:, ::-1], axis=1)[:, ::-1]
    total = at_least[:, :1]
    # All mass on classes without natural prior contradicts the priors: such a row stays as it is.
    return np.where(total > 0, at_least[:, 1:] / np.where(total > 0, total, 1), probability)


def _ratios(natural: FloatArray, trained: FloatArray) -> FloatArray:
    """Natural over trained prior of each class; one never trained takes its neighbour's, below or above."""
    seen = np.flatnonzero(trained > 0)
    nearest = seen[np.clip(np.searchsorted(seen, np.arange(trained.size), side="right") - 1, 0, None)]
    return natural[nearest] / trained[nearest]


def _shares(name: str, prior: ArrayLike, n_classes: int) -> FloatArray:
    """A prior as shares with sum 1."""
    shares = np.asarray(prior, dtype=np.float64)
    total = shares.sum()
    if shares.shape != (n_classes,) or not (shares >= 0).all() or not 0 < total < np.inf:
        raise FlarecastError(
            f"{name}: expected shares of {n_classes} exclusive classes, got {shares.tolist()}"
        )
    normalised: FloatArray = shares / total
    return normalised

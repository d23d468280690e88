"""Lagged, summed and decayed series with a stated memory.

Every function takes one series on a regular grid (one track), time along the first axis, and gives a series
of the same shape. Step t of the result reads the steps t - memory + 1 to t and nothing else: data before that
change no digit of it. NaN is a missing step; a sum over a span with missing steps is scaled up by the share
of the weight that is known, as if the missing steps had been like the others, and is NaN where less than
`least_known` of the weight is known. Steps before the series begins are missing steps.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

LEAST_KNOWN = 0.25
"""Share of the weight of a sum that has to be known; a sum scaled up more than fourfold says little."""


def weighted_sum(values: FloatArray, weights: FloatArray, least_known: float = LEAST_KNOWN) -> FloatArray:
    """Sum over the last steps of a series, each with the weight of its age.

    Args:
        values: Series, shape (step, ...).
        weights: Weight by age, shape (memory,); the first is the weight of the step itself.
        least_known: Share of the weight that has to be known.

    Returns:
        Shape (step, ...); NaN where too little is known.
    """
    recent = _recent(values, weights.size)
    known = ~np.isnan(recent)
    weight_known = np.where(known, weights, 0.0).sum(axis=-1)
    total = np.where(known, recent * weights, 0.0).sum(axis=-1)
    enough = (weight_known > 0) & (weight_known >= least_known * weights.sum())
    scale = weights.sum() / np.where(enough, weight_known, 1.0)
    return np.where(enough, total * scale, np.nan)


def trailing_sum(values: FloatArray, memory: int, least_known: float = LEAST_KNOWN) -> FloatArray:
    """Sum over the last `memory` steps, this one included, shape (step, ...)."""
    return weighted_sum(values, np.ones(memory), least_known)


def trailing_mean(values: FloatArray, memory: int, least_known: float = LEAST_KNOWN) -> FloatArray:
    """Mean over the last `memory` steps, this one included, shape (step, ...)."""
    return trailing_sum(values, memory, least_known) / memory


def decayed_sum(
    values: FloatArray, half_life: float, memory: int, least_known: float = LEAST_KNOWN
) -> FloatArray:
    """Sum in which a step counts half as much after every half-life, cut off where its memory ends.

    Args:
        values: Series, shape (step, ...).
        half_life: In steps.
        memory: Steps that count; older ones have weight 0.
        least_known: Share of the weight that has to be known.

    Returns:
        Shape (step, ...), in the unit of the series; the step itself has weight 1.
    """
    return weighted_sum(values, np.exp2(-np.arange(memory) / half_life), least_known)


def lagged(values: FloatArray, lag: int) -> FloatArray:
    """The series `lag` steps earlier, shape (step, ...); memory lag + 1."""
    return _recent(values, lag + 1)[..., lag]


def change(values: FloatArray, lag: int) -> FloatArray:
    """The series minus itself `lag` steps earlier, shape (step, ...); NaN where either is; memory lag + 1."""
    return values - lagged(values, lag)


def steps_since(occurred: FloatArray, memory: int) -> FloatArray:
    """Steps since something last occurred, at most `memory`.

    Args:
        occurred: More than 0 where it did, 0 where it did not, NaN where not known, shape (step, ...).
        memory: Steps to look back over, this one included.

    Returns:
        0 where it occurred at this step, `memory` where it is not known to have occurred within the memory;
        NaN where nothing is known there, shape (step, ...).
    """
    recent = _recent(occurred, memory)
    hit = recent > 0
    age = np.where(hit.any(axis=-1), hit.argmax(axis=-1), memory).astype(np.float64)
    return np.where(np.isnan(recent).all(axis=-1), np.nan, age)


def _recent(values: FloatArray, memory: int) -> FloatArray:
    """The last `memory` steps at every step, youngest first, shape (step, ..., memory); NaN where none."""
    if memory < 1:
        raise ValueError(f"memory: expected at least 1 step, got {memory}")
    before = np.full((memory - 1, *values.shape[1:]), np.nan)
    padded = np.concatenate([before, values.astype(np.float64)])
    view: FloatArray = sliding_window_view(padded, memory, axis=0)[..., ::-1]
    return view

"""Error retention: the error of the forecasts that are kept when the doubted ones are left out."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flarecast.skill.sums import FIXED, Blocks, FloatArray, add_binned, ratio

RETAINED = np.linspace(0.05, 1.0, 96)
"""Shares of the windows that are kept, those of least doubt."""


@dataclass(frozen=True)
class RetainedSums:
    """Windows kept and their error, by the share that is kept.

    Attributes:
        n: Windows, shape (..., share).
        error: Sum of their errors, shape (..., share).
        share: Of all windows, those of least doubt, shape (share,).
    """

    n: FloatArray
    error: FloatArray
    share: FloatArray = field(metadata=FIXED)


def sum_retained(
    error: NDArray[np.float64],
    doubt: NDArray[np.float64],
    blocks: Blocks | None = None,
    share: FloatArray = RETAINED,
) -> RetainedSums:
    """Sum errors over the windows of least doubt; at least one window is kept.

    Args:
        error: Of each window, as its squared error, shape (window,).
        doubt: The larger, the sooner a window is left out, shape (window,); of equals the last first.
        blocks: Block of each window; None sums over all.
        share: Shares that are kept, rising, shape (share,).
    """
    kept = np.maximum(1, np.round(share * doubt.size))
    place = np.empty(doubt.size, dtype=np.int64)
    place[np.argsort(doubt, kind="stable")] = np.arange(doubt.size)
    step = np.searchsorted(kept, place, side="right")
    n_steps = share.size + 1  # the last holds what is never kept
    n, errors = (add_binned(step, n_steps, blocks, values) for values in (None, error))
    return RetainedSums(n[..., :-1].cumsum(axis=-1), errors[..., :-1].cumsum(axis=-1), share)


def retained_error(sums: RetainedSums) -> FloatArray:
    """Mean error of the windows that are kept, by share.

    With squared errors the Brier score of those kept. It falls towards small shares where doubt goes with
    error, which by itself proves little: the doubted forecasts of a rare event are those of high
    probability, whose squared errors are large whatever they are worth. Compare the curve with that of
    p (1 - p), what the probability alone says.

    Returns:
        Shape (..., share); NaN where nothing is kept.
    """
    return ratio(sums.error, sums.n)

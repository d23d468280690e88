"""Lagged, summed and decayed series with a stated memory; statistics of each feature over a window.

A function of a series takes one on a regular grid (one track), time along the first axis, and gives one of
the same shape. Step t of the result reads the steps t - memory + 1 to t and nothing else: data before that
change no digit of it. NaN is a missing step; a sum over a span with missing steps is scaled up by the share
of the weight that is known, as if the missing steps had been like the others, and is NaN where less than
`least_known` of the weight is known. Steps before the series begins are missing steps.

`window_statistics` is what classical models see of a gathered window. Its statistics are float64, because the
square of a SHARP parameter like `TOTFX` overflows float32; the fourth power of what float32 holds does not
overflow float64. Missing steps are left out of each; a feature without any known step has NaN for all of them
and a missing share of 1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LEAST_KNOWN = 0.25
"""Share of the weight of a sum that has to be known; a sum scaled up more than fourfold says little."""


CHANGES: dict[str, float] = {
    "change_step": 0.0,
    "change_quarter": 0.25,
    "change_half": 0.5,
    "change_all": 1.0,
}
"""Latest known value minus the one known so much of the window earlier (the first: one step earlier)."""

MOMENTS = ("mean", "std", "min", "max", "slope", "skewness", "kurtosis", "missing_share")

STATISTICS = ("last", *MOMENTS, *CHANGES)
"""`last` is the latest known value; `std`, `skewness` and the excess `kurtosis` are those of the known values
themselves, 0 where they are all alike; `slope` is the least-squares change over the whole window."""

BLOCK_BYTES = 1 << 20
"""Float64 values worked on at once: so much stays in the cache of one core."""


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


def window_statistics(steps: NDArray[np.floating], names: Sequence[str] = STATISTICS) -> FloatArray:
    """Statistics of each feature of gathered windows.

    Args:
        steps: Values, NaN = missing, shape (window, step, feature), float32 (or float64 within its range).
        names: Entries of `STATISTICS`.

    Returns:
        Shape (window, statistic, feature), statistics in the order of `names`.

    Raises:
        ValueError: No step, or no such statistic.
    """
    unknown = [name for name in names if name not in STATISTICS]
    if unknown or not steps.shape[1]:
        raise ValueError(
            f"statistics: expected steps and {', '.join(STATISTICS)}, got {unknown or 'no step'}"
        )
    n, n_steps, n_features = steps.shape
    out = np.empty((n, len(names), n_features))
    size = max(1, BLOCK_BYTES // (8 * n_steps * max(n_features, 1)))
    for start in range(0, n, size):
        block = steps[start : start + size]
        # Steps first: each sum over steps is then a sum of long rows.
        wide = block.transpose(1, 0, 2).astype(np.float64, order="C").reshape(n_steps, -1)
        found = _statistics(wide, names)
        for place, name in enumerate(names):
            out[start : start + size, place] = found[name].reshape(len(block), n_features)
    return out


def _statistics(values: FloatArray, names: Sequence[str]) -> dict[str, FloatArray]:
    """All statistics asked for of series in columns, shape (step, series) each to (series,)."""
    missing = np.isnan(values)
    there = None if not missing.any() else ~missing
    found = _changes(values, there, names)
    if set(names) & set(MOMENTS):
        found |= _moments(values, there)
    return found


def _moments(values: FloatArray, there: BoolArray | None) -> dict[str, FloatArray]:
    """Statistics that do not depend on the order of steps, and the slope; the values are overwritten."""
    n_steps = len(values)
    low, high = (values, values) if there is None else (np.where(there, values, np.inf),
                                                        np.where(there, values, -np.inf))  # fmt: skip
    least, most = low.min(axis=0), high.max(axis=0)
    count = np.full(values.shape[1], float(n_steps)) if there is None else there.sum(axis=0, dtype=np.float64)
    known = count > 0
    some = np.maximum(count, 1.0)
    if there is not None:
        values[~there] = 0.0
    mean = _total(values) / some
    values -= mean
    if there is not None:
        values[~there] = 0.0
    slope = _slope(values, there, count)
    square = values * values
    second = _total(square) / some
    values *= square
    third = _total(values) / some
    square *= square
    fourth = _total(square) / some
    varies = known & (least < most)
    second = np.where(varies, second, 1.0)
    found = {
        "mean": np.where(varies, mean, least),
        "std": np.where(varies, np.sqrt(second), 0.0),
        "min": least,
        "max": most,
        "slope": np.where(varies, slope, 0.0),
        "skewness": np.where(varies, third / second**1.5, 0.0),
        "kurtosis": np.where(varies, fourth / second**2 - 3.0, 0.0),
    }
    if there is not None:
        found = {name: np.where(known, value, np.nan) for name, value in found.items()}
    return found | {"missing_share": 1.0 - count / n_steps}


def _slope(centred: FloatArray, there: BoolArray | None, count: FloatArray) -> FloatArray:
    """Least-squares change over the whole window of values minus their mean, 0 where missing, (series,)."""
    time = np.linspace(-0.5, 0.5, len(centred)) if len(centred) > 1 else np.zeros(1)
    covariance = _total(time[:, None] * centred)
    if there is None:
        return np.asarray(covariance / max(float((time**2).sum()), 1e-12), dtype=np.float64)
    weight = there.astype(np.float64)
    first, second = _total(time[:, None] * weight), _total((time**2)[:, None] * weight)
    spread = second - first**2 / np.maximum(count, 1.0)
    return np.where(spread > 1e-12, covariance / np.maximum(spread, 1e-12), 0.0)


def _total(values: FloatArray) -> FloatArray:
    """Sum over steps in turn, the same digits however many series stand side by side, shape (series,)."""
    total = np.zeros(values.shape[1])
    for row in values:
        total += row
    return total


def _changes(values: FloatArray, there: BoolArray | None, names: Sequence[str]) -> dict[str, FloatArray]:
    """The latest known value, and minus what was known some steps before the end."""
    final = len(values) - 1
    found = {"last": _known_at(values, there, final)}
    for name, share in CHANGES.items():
        if name in names:
            before = min(final, max(1, round(share * final)))
            found[name] = found["last"] - _known_at(values, there, final - before)
    return found


def _known_at(values: FloatArray, there: BoolArray | None, step: int) -> FloatArray:
    """Latest known value at or before a step, NaN where none, shape (series,)."""
    if there is None:
        return np.array(values[step])
    age = there[step::-1].argmax(axis=0)
    return np.asarray(values[step - age, np.arange(values.shape[1])])

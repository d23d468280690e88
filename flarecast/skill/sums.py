"""Additive sums, per block or over all windows, and the one matrix product that resamples them.

Everything that is scored is first summed: `contingency_table`, `sum_probability` and `rank` return frozen
dataclasses of arrays. With `Blocks` their arrays have a leading block axis, without they are the sums over
all windows. A score is a function of such a dataclass of any leading shape, so the same function gives the
value, the sweep over decision thresholds, and the value in every resample.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import count
from math import prod
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flarecast.errors import FlarecastError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

Sums = TypeVar("Sums")

FIXED = {"additive": False}
"""Metadata of a field that describes the sums (a bin's edge) and is not summed."""


@dataclass(frozen=True)
class Blocks:
    """Windows that are resampled together: the block of each window, `code` (window,), out of `n`."""

    code: IntArray
    n: int


def blocks_of(cluster: ArrayLike) -> Blocks:
    """Number the blocks of windows by the names of their clusters, shape (window,)."""
    names, code = np.unique(np.asarray(cluster).astype(str), return_inverse=True)
    return Blocks(code.astype(np.int64), int(names.size))


def check_pair(probability: NDArray[Any], occurred: NDArray[Any]) -> None:
    """Check that forecasts come first, as floats in [0, 1], and outcomes second, as booleans, alike in shape.

    Raises:
        FlarecastError: They do not; swapped arguments are named as such.
    """
    got = f"{probability.dtype} {probability.shape} and {occurred.dtype} {occurred.shape}"
    what = "probability and occurred: expected floats in [0, 1] first and booleans second"
    if probability.dtype.kind != "f" or occurred.dtype.kind != "b":
        swapped = probability.dtype.kind == "b" and occurred.dtype.kind == "f"
        raise FlarecastError(f"{what}, got {got}" + ("; swap them" if swapped else ""))
    if probability.shape != occurred.shape or probability.ndim != 1:
        raise FlarecastError(f"{what}, both of one shape (window,), got {got}")
    # A NaN compares as False, so it fails here too.
    if not ((probability >= 0) & (probability <= 1)).all():
        wrong = probability[~((probability >= 0) & (probability <= 1))][0]
        raise FlarecastError(f"{what}, got a probability of {wrong:g}; leave out windows without a forecast")


def add(values: NDArray[Any], blocks: Blocks | None) -> FloatArray:
    """Sum values of windows, shape (window,) -> (block,), or () without blocks."""
    if blocks is None:
        return np.asarray(values.sum(), dtype=np.float64)
    return np.bincount(blocks.code, weights=values, minlength=blocks.n).astype(np.float64)


def add_binned(bins: IntArray, n_bins: int, blocks: Blocks | None, values: Any = None) -> FloatArray:
    """Sum values (or count) of windows by bin, shape (window,) -> (block, bin), or (bin,) without blocks."""
    code = bins if blocks is None else blocks.code * n_bins + bins
    shape = (n_bins,) if blocks is None else (blocks.n, n_bins)
    sums = np.bincount(code, weights=values, minlength=int(np.prod(shape)))
    return sums.astype(np.float64).reshape(shape)


def each(change: Callable[..., Any], *sums: Sums) -> Sums:
    """Sums of one kind made into another of that kind, array by array; what is no sum stays the first's."""
    changed: dict[str, Any] = {}
    for field in fields(cast(Any, sums[0])):
        values = [getattr(one, field.name) for one in sums]
        if is_dataclass(values[0]):
            changed[field.name] = each(change, *values)
        elif field.metadata.get("additive", True):
            changed[field.name] = change(*values)
    return cast(Sums, replace(cast(Any, sums[0]), **changed))


def combined(sums: Sums, counts: NDArray[Any]) -> Sums:
    """Add up blocks, each as often as it was drawn: one matrix product for all arrays of one type.

    Args:
        sums: Frozen dataclass of arrays (block, ...).
        counts: How often each block was drawn, shape (resample, block).

    Returns:
        The same with arrays (resample, ...).
    """
    arrays: list[NDArray[Any]] = []
    each(arrays.append, sums)
    products: dict[int, NDArray[Any]] = {}
    for dtype in {array.dtype for array in arrays}:
        alike = [nth for nth, array in enumerate(arrays) if array.dtype == dtype]
        flat = [arrays[nth].reshape(counts.shape[1], prod(arrays[nth].shape[1:])) for nth in alike]
        product = counts.astype(dtype) @ np.concatenate(flat, axis=1)
        edges = np.cumsum([one.shape[1] for one in flat])[:-1]
        products |= dict(zip(alike, np.split(product, edges, axis=1), strict=True))
    nth = count()
    return each(lambda array: products[next(nth)].reshape(len(counts), *array.shape[1:]), sums)


def total(sums: Sums) -> Sums:
    """Add up all blocks once: arrays (block, ...) become (...)."""
    return each(lambda value: value.sum(axis=0), sums)


def ratio(top: ArrayLike, bottom: ArrayLike) -> FloatArray:
    """Divide, any shapes that broadcast; NaN where the bottom is 0."""
    top, bottom = np.broadcast_arrays(np.asarray(top, np.float64), np.asarray(bottom, np.float64))
    quotient: FloatArray = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)
    return quotient

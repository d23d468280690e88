"""Bags: as many regions as there are, drawn with replacement, each with all its windows."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.clusters import clusters
from flarecast.config import Config
from flarecast.errors import FlarecastError

IntArray = NDArray[np.int64]


def bag_of(windows: xr.Dataset, trained: IntArray, low: IntArray, config: Config) -> IntArray:
    """Places among the train windows of those that a member of a bagging is trained on; else of all.

    A bag that lacks the largest class of the train windows, or the smallest, is drawn anew: where few regions
    have events, one in so many bags would hold none, and its member could know nothing of them.

    Args:
        windows: A windows Dataset.
        trained: Numbers of the train windows, shape (n,).
        low: Lowest class that the outcome of each allows, shape (n,).
        config: Sections run and ensemble are used.

    Raises:
        FlarecastError: The windows are of one region.
    """
    if config.ensemble.name != "bagging" or config.ensemble.member is None:
        return np.arange(trained.size)
    cluster, rng = clusters(windows)[trained], config.generator("bag")
    while True:
        bag = draw_bag(cluster, rng)
        if low[bag].max() == low.max() and low[bag].min() == low.min():
            return bag


def draw_bag(cluster: NDArray[np.object_], rng: np.random.Generator) -> IntArray:
    """Places of the windows of a bag.

    Windows of a region are near copies of each other, so drawing single windows would leave each bag with
    nearly every region: all members would be alike.

    Args:
        cluster: Region of each window, of the disk its rotation, shape (window,).
        rng: Draws the clusters.

    Returns:
        Place of each window of the bag, ascending, those of a region drawn twice twice, shape (n,).

    Raises:
        FlarecastError: There is one region, and so one bag.
    """
    names, code = np.unique(cluster.astype(str), return_inverse=True)
    if names.size < 2:
        raise FlarecastError(
            "ensemble.name bagging: expected labelled train windows of several regions (of the disk: "
            f"rotations), got {names.size}, so that all members would be alike; use another ensemble"
        )
    order = np.argsort(code, kind="stable")
    start = np.searchsorted(code[order], np.arange(names.size + 1))
    drawn = rng.integers(names.size, size=names.size)
    return np.sort(np.concatenate([order[start[one] : start[one + 1]] for one in drawn])).astype(np.int64)

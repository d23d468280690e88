"""Which outcomes training may learn from: all that are known, or those of a share of the regions.

Labels are hidden by whole regions (of the disk: by rotations): windows of a region are near copies of each
other, and whoever knows the outcome of one knows most of the others'. Only the train role loses labels.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.clusters import clusters
from flarecast.config import Config
from flarecast.schema import ROLES

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class PseudoLabels:
    """Outcomes that a model gave, not nature: windows of the file and their classes, each of shape (n,)."""

    index: IntArray
    label: IntArray
    weight: float


def hidden_labels(
    windows: xr.Dataset, role: NDArray[np.int8], low: IntArray, known: BoolArray, config: Config
) -> BoolArray:
    """Whether the outcome of a train window is hidden by `train.label_share`, shape (window,).

    Regions that reached each class are drawn by themselves, at least one of each, so that few labels still
    hold every class that the train role holds. A smaller share keeps a part of what a larger one keeps.

    Args:
        windows: A windows Dataset.
        role: Index into `ROLES`, shape (window,).
        low: Lowest class that each outcome allows, shape (window,).
        known: Whether anything is known of it, shape (window,).
        config: The configuration; the draw depends on its seed.
    """
    train = np.flatnonzero(known & (role == ROLES.index("train")))
    hidden = np.zeros(role.size, dtype=bool)
    if config.train.label_share == 1 or not train.size:
        return hidden
    _, region = np.unique(clusters(windows.isel(window=train)).astype(str), return_inverse=True)
    reached = np.zeros(region.max() + 1, dtype=np.int64)
    np.maximum.at(reached, region, low[train])
    rank = config.generator("labels").permutation(reached.size)
    kept = np.zeros(reached.size, dtype=bool)
    for number in np.unique(reached):
        mine = np.flatnonzero(reached == number)
        count = max(1, round(config.train.label_share * mine.size))
        kept[mine[np.argsort(rank[mine])[:count]]] = True
    hidden[train[~kept[region]]] = True
    return hidden

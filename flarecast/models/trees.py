"""Decision trees as flat arrays, walked for all windows and trees at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flarecast.models.shape import Shape
from flarecast.models.tabular import Statistic, Tabular


@dataclass(frozen=True)
class Tree:
    """One tree; a node without children is a leaf.

    Attributes:
        column: Column of the table that a node asks for, shape (node,).
        threshold: A window with a value of at most this goes left, shape (node,).
        left: Node on the left, shape (node,).
        right: Node on the right, shape (node,).
        leaf: Whether the node has no children, shape (node,).
        value: What the tree says at each node, shape (node, class).
    """

    column: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    leaf: NDArray[np.bool_]
    value: NDArray[np.float64]


class Trees(Tabular):
    """A sum over trees."""

    column: Tensor
    threshold: Tensor
    left: Tensor
    right: Tensor
    value: Tensor
    root: Tensor
    depth: Tensor
    sized_by_data: ClassVar[tuple[str, ...]] = ("column", "threshold", "left", "right", "value", "root")

    def __init__(self, shape: Shape, statistics: Sequence[Statistic], mask: bool) -> None:
        super().__init__(shape, statistics, mask)
        for name in ("column", "left", "right", "root"):
            self.register_buffer(name, torch.zeros(0, dtype=torch.int64))
        self.register_buffer("threshold", torch.zeros(0, dtype=torch.float64))
        self.register_buffer("value", torch.zeros(0, shape.n_classes, dtype=torch.float64))
        self.register_buffer("depth", torch.zeros((), dtype=torch.int64))

    def total(self, values: Tensor) -> Tensor:
        """Sum of what the trees say, shape (b, class); 0 without trees."""
        node = self.root.expand(len(values), -1)
        for _ in range(int(self.depth)):
            asked = values.gather(1, self.column[node])
            node = torch.where(asked <= self.threshold[node], self.left[node], self.right[node])
        return self.value[node].sum(dim=1)

    def keep_trees(self, trees: Sequence[Tree], depth: int) -> None:
        """Lay trees one after another; a leaf is its own child, so that a walk stays there."""
        count = [len(tree.column) for tree in trees]
        root = np.cumsum([0, *count[:-1]])
        arrays: dict[str, list[NDArray[Any]]] = {name: [] for name in self.sized_by_data}
        for start, tree in zip(root, trees, strict=True):
            here = np.arange(len(tree.column)) + start
            arrays["column"].append(np.where(tree.leaf, 0, tree.column))
            arrays["threshold"].append(np.where(tree.leaf, np.inf, tree.threshold))
            arrays["left"].append(np.where(tree.leaf, here, tree.left + start))
            arrays["right"].append(np.where(tree.leaf, here, tree.right + start))
            arrays["value"].append(tree.value)
        arrays["root"].append(root)
        self.keep(depth=np.array(depth), **{name: np.concatenate(part) for name, part in arrays.items()})

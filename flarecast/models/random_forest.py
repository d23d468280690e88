"""Random forest on statistics of the window: many trees, each grown on a resample, that vote."""

from typing import Annotated

import numpy as np
from pydantic import Field
from sklearn.ensemble import RandomForestClassifier
from torch import Tensor

from flarecast.models.shape import Shape
from flarecast.models.tabular import ALL, Statistic, Table, drawn_seed
from flarecast.models.trees import Tree, Trees


class RandomForest(Trees):
    """The mean of what the trees say; the class priors count as one tree more."""

    def __init__(
        self, shape: Shape, settings: dict[str, float], statistics: tuple[Statistic, ...], mask: bool
    ) -> None:
        super().__init__(shape, statistics, mask)
        self.settings = settings

    def votes(self, values: Tensor) -> Tensor:
        """Mean of the trees, as scikit-learn's `predict_proba`, shape (b, class)."""
        # scikit-learn's trees compare values as float32 with float64 thresholds.
        return self.total(values.float().double()) / max(len(self.root), 1)

    def probabilities(self, values: Tensor) -> Tensor:
        """Of each class, shape (b, class)."""
        n_trees = len(self.root)
        return (n_trees * self.votes(values) + self.prior) / (n_trees + 1)

    def fit_table(self, table: Table) -> None:
        """Fit by scikit-learn and copy the trees."""
        forest = RandomForestClassifier(**self.settings, random_state=drawn_seed())
        forest.fit(table.values, table.classes, table.weight)
        trees = []
        for one in forest.estimators_:
            grown = one.tree_
            value = np.zeros((grown.node_count, len(self.prior)))
            value[:, table.present] = grown.value[:, 0]
            trees.append(
                Tree(
                    column=grown.feature,
                    threshold=grown.threshold,
                    left=grown.children_left,
                    right=grown.children_right,
                    leaf=grown.children_left < 0,
                    value=value,
                )
            )
        self.keep_trees(trees, max(one.tree_.max_depth for one in forest.estimators_))


def build(
    shape: Shape,
    *,
    trees: Annotated[int, Field(ge=1, le=5000)] = 200,
    min_leaf: Annotated[int, Field(ge=1)] = 10,
    columns: Annotated[float, Field(gt=0, le=1)] = 0.2,
    statistics: Annotated[tuple[Statistic, ...], Field(min_length=1)] = ALL,
    mask: bool = True,
) -> RandomForest:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        trees: Number of trees.
        min_leaf: Windows that a leaf has at least. Overlapping windows repeat each other, so it is to be
            larger than for independent samples.
        columns: Share of the columns that a node chooses among.
        statistics: Which statistics of each feature over the window are used.
        mask: Whether they are of observed values alone, not of gaps filled with the value before.
    """
    settings = {"n_estimators": trees, "min_samples_leaf": min_leaf, "max_features": columns}
    return RandomForest(shape, settings, statistics, mask)

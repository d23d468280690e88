"""Histogram gradient boosting on statistics of the window: small trees, each mending the sum of those before.

scikit-learn publishes no arrays of these trees, so they are read from inside its object. Every fit therefore
ends with a comparison of our probabilities with scikit-learn's, and fails rather than save what differs.
"""

from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits
from torch import Tensor

from flarecast.errors import FlarecastError
from flarecast.models.shape import Shape
from flarecast.models.tabular import ALL, Statistic, Table, drawn_seed
from flarecast.models.trees import Tree, Trees

CHECKED = 1000
"""Training windows that both probabilities are compared for."""


class GradientBoosting(Trees):
    """A softmax of the sum over trees, each of one class."""

    base: Tensor
    kept_as: ClassVar[str] = "fitted arrays, read from inside scikit-learn and compared with its forecasts"

    def __init__(
        self, shape: Shape, settings: dict[str, float], statistics: tuple[Statistic, ...], mask: bool
    ) -> None:
        super().__init__(shape, statistics, mask)
        self.settings = settings
        self.register_buffer("base", torch.zeros(shape.n_classes, dtype=torch.float64))

    def probabilities(self, values: Tensor) -> Tensor:
        """Of each class, shape (b, class), as scikit-learn's `predict_proba`."""
        if not len(self.root):
            return self.prior.expand(len(values), -1)
        return torch.softmax(self.base + self.total(values), dim=1)

    def fit_table(self, table: Table) -> None:
        """Fit by scikit-learn and copy the trees.

        Raises:
            FlarecastError: This version of scikit-learn keeps its trees in another way.
        """
        boosting = HistGradientBoostingClassifier(
            **self.settings, early_stopping=False, random_state=drawn_seed()
        )
        with threadpool_limits(torch.get_num_threads(), user_api="openmp"):
            boosting.fit(table.values, table.classes, table.weight)
            shown = table.values[np.linspace(0, len(table.values) - 1, CHECKED).astype(np.int64)]
            expected = boosting.predict_proba(shown)
        try:
            self._copy(boosting, table)
            got = self.probabilities(torch.from_numpy(shown).to(self.base)).cpu().numpy()[:, table.present]
            same = np.allclose(got, expected, rtol=0, atol=1e-9)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            same = False
        if not same:
            raise FlarecastError(
                "gradient_boosting: expected trees as scikit-learn 1.8 keeps them, got others; "
                "install scikit-learn 1.8 or train another model"
            )

    def _copy(self, boosting: HistGradientBoostingClassifier, table: Table) -> None:
        """Copy the trees and what they start from; of two classes only the higher has trees."""
        classes = table.present if table.present.size > 2 else table.present[1:]
        base = np.full(len(self.prior), -np.inf)
        base[table.present] = 0.0
        base[classes] = np.ravel(boosting._baseline_prediction)
        trees, depth = [], 0
        for turn in boosting._predictors:
            for number, one in zip(classes, turn, strict=True):
                nodes = one.nodes
                value = np.zeros((len(nodes), len(self.prior)))
                value[:, number] = nodes["value"]
                trees.append(
                    Tree(
                        column=nodes["feature_idx"].astype(np.int64),
                        threshold=nodes["num_threshold"],
                        left=nodes["left"].astype(np.int64),
                        right=nodes["right"].astype(np.int64),
                        leaf=nodes["is_leaf"].astype(bool),
                        value=value,
                    )
                )
                depth = max(depth, int(nodes["depth"].max()))
        self.keep(base=base)
        self.keep_trees(trees, depth)


def build(  # noqa: PLR0913  (options of scikit-learn's model)
    shape: Shape,
    *,
    rounds: Annotated[int, Field(ge=1, le=5000)] = 60,
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.05,
    leaves: Annotated[int, Field(ge=2)] = 8,
    min_leaf: Annotated[int, Field(ge=1)] = 20,
    statistics: Annotated[tuple[Statistic, ...], Field(min_length=1)] = ALL,
    mask: bool = True,
) -> GradientBoosting:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        rounds: Trees of each class, one after another.
        learning_rate: Share of each tree's correction that is taken.
        leaves: Leaves of a tree at most.
        min_leaf: Windows that a leaf has at least.
        statistics: Which statistics of each feature over the window are used.
        mask: Whether they are of observed values alone, not of gaps filled with the value before.
    """
    settings = {
        "max_iter": rounds,
        "learning_rate": learning_rate,
        "max_leaf_nodes": leaves,
        "min_samples_leaf": min_leaf,
    }
    return GradientBoosting(shape, settings, statistics, mask)

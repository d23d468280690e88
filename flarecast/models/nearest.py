"""The k nearest training windows, by their statistics: what followed them is the forecast."""

from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from flarecast.models.shape import Shape
from flarecast.models.tabular import FEW, Statistic, Table, Tabular

CHUNK = 256
"""Windows whose distances to the whole table are held at once."""


class Nearest(Tabular):
    """Shares of the classes among the neighbours, each with its weight; the priors are one neighbour more."""

    centre: Tensor
    spread: Tensor
    known: Tensor
    vote: Tensor
    sized_by_data: ClassVar[tuple[str, ...]] = ("known", "vote")
    kept_as: ClassVar[str] = "training table; nothing is fitted anew on load"

    def __init__(
        self,
        shape: Shape,
        neighbours: int,
        max_windows: int,
        statistics: tuple[Statistic, ...],
        mask: bool,
    ) -> None:
        super().__init__(shape, statistics, mask)
        self.neighbours, self.max_windows = neighbours, max_windows
        size = shape.n_features * len(statistics)
        self.register_buffer("centre", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("spread", torch.ones(size, dtype=torch.float64))
        self.register_buffer("known", torch.zeros(0, size, dtype=torch.float64))
        self.register_buffer("vote", torch.zeros(0, shape.n_classes, dtype=torch.float64))

    def votes(self, values: Tensor) -> Tensor:
        """Weights of the classes among the neighbours, shape (b, class)."""
        standardised = (values - self.centre) / self.spread
        count = min(self.neighbours, len(self.known))
        size = self.known.square().sum(dim=1)
        found = []
        for part in torch.split(standardised, CHUNK):
            distance = size - 2 * part @ self.known.T  # squared, but for what is the same for all neighbours
            near = distance.topk(count, dim=1, largest=False).indices
            found.append(self.vote[near].sum(dim=1))
        return torch.cat(found) if found else self.vote.new_zeros(0, len(self.prior))

    def probabilities(self, values: Tensor) -> Tensor:
        """Of each class, shape (b, class)."""
        votes = self.votes(values) + self.prior
        return votes / votes.sum(dim=1, keepdim=True)

    def fit_table(self, table: Table) -> None:
        """Standardise the table and keep it, evenly thinned where it is too long."""
        kept = min(len(table.classes), self.max_windows)
        chosen = np.linspace(0, len(table.classes) - 1, kept).astype(np.int64)
        values = table.values[chosen]
        deviation = values.std(axis=0)
        spread = np.where(deviation > 1e-9, deviation, 1.0)
        vote = np.zeros((kept, len(self.prior)))
        vote[np.arange(kept), table.classes[chosen]] = table.weight[chosen]
        centre = values.mean(axis=0)
        self.keep(centre=centre, spread=spread, known=(values - centre) / spread, vote=vote)


def build(
    shape: Shape,
    *,
    neighbours: Annotated[int, Field(ge=1)] = 50,
    max_windows: Annotated[int, Field(ge=2)] = 20_000,
    statistics: Annotated[tuple[Statistic, ...], Field(min_length=1)] = FEW,
    mask: bool = True,
) -> Nearest:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        neighbours: How many training windows are asked. Overlapping windows repeat each other, so it is to be
            larger than for independent samples.
        max_windows: Training windows kept, evenly spaced in their order where there are more.
        statistics: Which statistics of each feature over the window are used.
        mask: Whether they are of observed values alone, not of gaps filled with the value before.
    """
    return Nearest(shape, neighbours, max_windows, statistics, mask)

"""Poisson rates by class of spot group: what a human forecaster's table of McIntosh classes says.

The class is the combination of the latest values of the features, so the features are to be few and whole
numbers: `model.features = ["mcintosh_z", "mcintosh_p", "mcintosh_c"]`. A window tells whether there was a
flare of at least a class, not how many: the rate per window is -ln(1 - share of windows with one), and the
probability of one or more is 1 - exp(-rate).

Source: Gallagher, Moon & Wang (2002), Sol. Phys. 209, 171.
"""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from flarecast.batches import Batch
from flarecast.errors import FlarecastError
from flarecast.models.shape import LEAST_PRIOR, Shape, log_prior
from flarecast.models.tabular import Tabular

MOST_CLASSES = 1000
"""More combinations than this are no classes of anything; McIntosh's scheme allows 60."""


class SpotClass(Tabular):
    """Rates of nested events looked up by the latest values; a combination never seen has the rate of all."""

    group: Tensor
    rate: Tensor
    rate_of_all: Tensor
    sized_by_data: ClassVar[tuple[str, ...]] = ("group", "rate")

    def __init__(self, shape: Shape, windows_of_all: float) -> None:
        super().__init__(shape, ("last",), mask=False)
        self.windows_of_all = windows_of_all
        self.register_buffer("group", torch.zeros(0, shape.n_features, dtype=torch.float64))
        self.register_buffer("rate", torch.zeros(0, shape.n_classes - 1, dtype=torch.float64))
        self.register_buffer("rate_of_all", torch.zeros(shape.n_classes - 1, dtype=torch.float64))

    def probabilities(self, values: Tensor) -> Tensor:
        """Of each class, shape (b, class)."""
        rate = self.rate_of_all.expand(len(values), -1)
        if len(self.group):
            same, place = (values[:, None] == self.group).all(dim=2).max(dim=1)
            rate = torch.where(same[:, None], self.rate[place], rate)
        edges = torch.nn.functional.pad(-torch.expm1(-rate), (1, 1))
        edges[:, 0] = 1.0
        return edges[:, :-1] - edges[:, 1:]

    @torch.no_grad()
    def fit_directly(self, batches: Iterable[Batch], prior: Tensor) -> dict[str, Any]:
        """Count the events of each combination, beside some windows of the rate of all.

        A window counts for each event that it is known to hold or not.

        Args:
            batches: The training windows with their weights.
            prior: Class priors of the training windows, shape (class,).

        Returns:
            What the model file says of it.

        Raises:
            FlarecastError: There are too many combinations to be classes.
        """
        share = log_prior(prior).exp()
        self.prior.copy_(share / share.sum())
        of_all = self.prior.flip(0).cumsum(0).flip(0)[1:]
        parts = [(self.table(one.steps), one.low, one.high, one.weight.double()) for one in batches]
        values, low, high, weight = (torch.cat(part) for part in zip(*parts, strict=True))
        group, which = torch.unique(values, dim=0, return_inverse=True)
        if len(group) > MOST_CLASSES:
            raise FlarecastError(
                f"spot_class: expected at most {MOST_CLASSES} combinations of the features' latest values, "
                f'got {len(group)}; set model.features = ["mcintosh_z", "mcintosh_p", "mcintosh_c"]'
            )
        events = torch.arange(len(of_all), device=low.device)
        occurred = (low[:, None] > events).double() * weight[:, None]
        known = ((low[:, None] > events) | (high[:, None] <= events)).double() * weight[:, None]
        hits, count = (torch.zeros(len(group), len(of_all)).to(of_all) for _ in range(2))
        hits.index_add_(0, which, occurred)
        count.index_add_(0, which, known)
        found = (hits + self.windows_of_all * of_all) / (count + self.windows_of_all)
        nested = found.cummin(dim=1).values.clamp_max(1 - LEAST_PRIOR)
        self.group, self.rate = group, -torch.log1p(-nested)
        self.rate_of_all.copy_(-torch.log1p(-of_all.clamp_max(1 - LEAST_PRIOR)))
        return {"kept_as": self.kept_as, "windows_fitted": len(values), "spot_classes": len(group)}


def build(shape: Shape, *, windows_of_all: Annotated[float, Field(gt=0)] = 10.0) -> SpotClass:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        windows_of_all: Windows of the overall rate that each class is given beside its own, so that a rare
            class does not say 0 or 1.
    """
    return SpotClass(shape, windows_of_all)

"""What models on a table of window statistics share: the table, and a module that holds what was fitted.

scikit-learn fits; what it found is copied into plain arrays, which are all that is saved, and the forecast is
computed from them alone. No scikit-learn object is kept, so nothing is pickled and no version of it is needed
to forecast.
"""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from flarecast.batches import Batch
from flarecast.features import window_statistics
from flarecast.models.shape import LEAST_PRIOR, Shape, log_prior

Statistic = Literal[
    "last",
    "mean",
    "std",
    "min",
    "max",
    "slope",
    "skewness",
    "kurtosis",
    "change_step",
    "change_quarter",
    "change_half",
    "change_all",
    "missing_share",
]
ALL: tuple[Statistic, ...] = get_args(Statistic)
"""Entries of `features.STATISTICS`. Without a mask a model sees gaps filled, and nothing is missing."""

FEW: tuple[Statistic, ...] = ("last", "mean", "std", "slope")
"""For models that suffer from many columns."""


@dataclass(frozen=True)
class Table:
    """Training windows whose class is known.

    Attributes:
        values: Shape (window, statistic x feature).
        classes: Shape (window,).
        weight: Shape (window,).
    """

    values: NDArray[np.float64]
    classes: NDArray[np.int64]
    weight: NDArray[np.float64]

    @property
    def present(self) -> NDArray[np.int64]:
        """Classes that some window has, ascending."""
        return np.unique(self.classes)


class Tabular(nn.Module):
    """Class probabilities from a table of statistics; subclasses say how."""

    prior: Tensor
    sized_by_data: ClassVar[tuple[str, ...]] = ()
    kept_as: ClassVar[str] = "fitted arrays"

    def __init__(self, shape: Shape, statistics: Sequence[Statistic], mask: bool) -> None:
        super().__init__()
        self.statistics, self.mask, self.n_features = tuple(statistics), mask, shape.n_features
        uniform = torch.full((shape.n_classes,), 1 / shape.n_classes, dtype=torch.float64)
        self.register_buffer("prior", uniform)

    def table(self, steps: Tensor) -> Tensor:
        """Statistics of windows, shape (b, statistic x feature), float64, where the steps are.

        With a mask, only of what was observed; what then has none is 0, the mean of training after scaling.
        """
        values = steps[:, :, : self.n_features]
        if self.mask:
            values = values.masked_fill(steps[:, :, self.n_features :] == 0, torch.nan)
        found = window_statistics(values.detach().cpu().numpy(), self.statistics)
        columns = found.shape[1] * found.shape[2]
        return torch.from_numpy(np.nan_to_num(found.reshape(len(found), columns))).to(steps.device)

    @abstractmethod
    def probabilities(self, values: Tensor) -> Tensor:
        """Of each class, shape (b, class), from statistics of shape (b, statistic x feature)."""

    def fit_table(self, table: Table) -> None:
        """Fit on windows of at least two classes; not called where `fit_directly` is a subclass's own."""

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:  # noqa: ARG002  (same for all models)
        """Logits, shape (b, class), float64."""
        return self.probabilities(self.table(steps)).clamp_min(LEAST_PRIOR).log()

    @torch.no_grad()
    def fit_directly(self, batches: Iterable[Batch], prior: Tensor) -> dict[str, Any]:
        """Fit on the windows whose class is known for certain; with fewer than two classes the priors stay.

        Args:
            batches: The training windows with their weights.
            prior: Class priors of the training windows, shape (class,).

        Returns:
            What the model file says of it.
        """
        parts = []
        for batch in batches:
            known = batch.low == batch.high
            parts.append((self.table(batch.steps[known]), batch.low[known], batch.weight[known].double()))
        table = Table(*(torch.cat(part).cpu().numpy() for part in zip(*parts, strict=True)))
        share = log_prior(prior).exp()
        self.prior.copy_(share / share.sum())
        if table.present.size > 1:
            self.fit_table(table)
        return {"kept_as": self.kept_as, "windows_fitted": len(table.classes)}

    def keep(self, **arrays: NDArray[Any]) -> None:
        """Put fitted arrays in the place of buffers, in their types."""
        for name, value in arrays.items():
            before = getattr(self, name)
            setattr(self, name, torch.from_numpy(np.array(value, order="C")).to(before))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        """Load, with buffers as long as the data made them."""
        for name in self.sized_by_data:
            said, here = state_dict.get(prefix + name), getattr(self, name)
            if said is not None and said.ndim == here.ndim and said.shape[1:] == here.shape[1:]:
                setattr(self, name, here.new_empty(said.shape))
        super()._load_from_state_dict(state_dict, prefix, *arguments)


def drawn_seed() -> int:
    """A seed for scikit-learn from torch's generator, which training seeds."""
    return int(torch.randint(2**31 - 1, ()).item())

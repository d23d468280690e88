"""Support vector machine with a Gaussian kernel on statistics of the window, the model of the early papers.

One machine for each nested event, told from all that is below. A machine gives margins, not probabilities:
a sigmoid per event is fitted on margins of windows that the machine was not fitted on, in blocks of the
training order, so that overlapping windows are seldom on both sides. What is kept are scikit-learn's support
vectors, coefficients and intercepts, as plain tensors.
"""

from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from torch import Tensor, nn

from flarecast.batches import Batch
from flarecast.models.logistic import STATISTICS, Statistic
from flarecast.models.shape import LEAST_PRIOR, Shape, log_prior

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

BLOCKS = 5
"""Parts of the training windows whose margins come from a machine fitted on the other parts."""


MIN_SLOPE = 1e-3
"""Smallest slope of a sigmoid: margins that rank other blocks backwards are flattened, never turned round."""


class SupportVectors(nn.Module):
    """Margins of nested events by Gaussian kernels, mapped to probabilities, in float64."""

    centre: Tensor
    spread: Tensor
    support: Tensor
    coefficient: Tensor
    intercept: Tensor
    slope: Tensor
    offset: Tensor

    def __init__(
        self,
        shape: Shape,
        inverse_penalty: float,
        gamma: float,
        max_windows: int,
        statistics: tuple[Statistic, ...],
    ) -> None:
        super().__init__()
        self.inverse_penalty, self.gamma, self.max_windows = inverse_penalty, gamma, max_windows
        self.statistics = statistics
        size, n_events = shape.n_features * len(statistics), shape.n_classes - 1
        start = {
            "centre": torch.zeros(size),
            "spread": torch.ones(size),
            "support": torch.zeros(0, size),
            "coefficient": torch.zeros(n_events, 0),
            "intercept": torch.zeros(n_events),
            "slope": torch.zeros(n_events),
            "offset": torch.zeros(n_events),
        }
        for name, value in start.items():
            self.register_buffer(name, value.double())

    def standardised(self, steps: Tensor) -> Tensor:
        """Statistics of the window as the kernel sees them, shape (b, statistic x feature), float64."""
        return (self._statistics(steps) - self.centre) / self.spread

    def margins(self, values: Tensor) -> Tensor:
        """Signed distances to each event's border, in the kernel's space, shape (b, event)."""
        kernel = torch.exp(-self.gamma * torch.cdist(values, self.support).square())
        return kernel @ self.coefficient.T + self.intercept

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:  # noqa: ARG002  (same for all models)
        """Logits, shape (b, class), float64; the probabilities of the events are made to nest."""
        event = torch.sigmoid(self.slope * self.margins(self.standardised(steps)) + self.offset)
        edges = nn.functional.pad(event.cummin(dim=1).values, (1, 1))
        edges[:, 0] = 1.0
        return (edges[:, :-1] - edges[:, 1:]).clamp_min(LEAST_PRIOR).log()

    @torch.no_grad()
    def fit_directly(self, batches: Iterable[Batch], prior: Tensor) -> None:
        """Fit by scikit-learn and copy support vectors and coefficients.

        Each event is learned from the windows that are known to hold it or not. An event that no window, or
        that every window holds keeps its prior.

        Args:
            batches: The training windows with their weights.
            prior: Class priors of the training windows, shape (class,).
        """
        parts = [(self._statistics(one.steps), one.low, one.high, one.weight) for one in batches]
        values, *rest = (torch.cat(part) for part in zip(*parts, strict=True))
        low, high, weight = (part.cpu().numpy() for part in rest)
        self.centre.copy_(values.mean(dim=0))
        deviation = values.std(dim=0, correction=0)
        self.spread.copy_(torch.where(deviation > 1e-9, deviation, 1.0))
        shown = ((values - self.centre) / self.spread).cpu().numpy()
        share = log_prior(prior).exp().cpu().numpy()
        fitted = []
        for event in range(len(self.slope)):
            known = np.flatnonzero((low > event) | (high <= event))
            known = known[np.linspace(0, known.size - 1, min(known.size, self.max_windows)).astype(np.int64)]
            occurred = low[known] > event
            self.offset[event] = float(np.log(share[event + 1 :].sum() / share[: event + 1].sum()))
            if not 0 < occurred.sum() < occurred.size:
                continue
            machine = self._machine(shown[known], occurred, weight[known])
            fitted.append((event, known[machine.support_], machine))
            line = self._sigmoid(shown[known], occurred, weight[known])
            if line is not None:
                self.slope[event], self.offset[event] = line
        self._keep(shown, fitted)

    def _statistics(self, steps: Tensor) -> Tensor:
        """Statistics of the window before they are standardised, shape (b, statistic x feature), float64."""
        wide = steps.double()
        return torch.cat([STATISTICS[name](wide) for name in self.statistics], dim=1)

    def _machine(self, values: FloatArray, occurred: BoolArray, weight: FloatArray) -> SVC:
        """A fitted machine."""
        machine = SVC(C=self.inverse_penalty, gamma=self.gamma, kernel="rbf", cache_size=500)
        return machine.fit(values, occurred, sample_weight=weight.astype(np.float64))

    def _sigmoid(
        self, values: FloatArray, occurred: BoolArray, weight: FloatArray
    ) -> tuple[float, float] | None:
        """Slope and intercept from margins of blocks to the log odds; None without events in two blocks."""
        margins, seen = np.zeros(len(values)), np.zeros(len(values), dtype=np.bool_)
        for block in np.array_split(np.arange(len(values)), BLOCKS):
            others = np.ones(len(values), dtype=np.bool_)
            others[block] = False
            if block.size and 0 < occurred[others].sum() < others.sum():
                machine = self._machine(values[others], occurred[others], weight[others])
                margins[block], seen[block] = machine.decision_function(values[block]), True
        if not 0 < occurred[seen].sum() < seen.sum():
            return None
        regression = LogisticRegression(C=1.0).fit(margins[seen, None], occurred[seen], weight[seen])
        return max(float(regression.coef_[0, 0]), MIN_SLOPE), float(regression.intercept_[0])

    def _keep(self, shown: FloatArray, fitted: list[tuple[int, NDArray[np.int64], SVC]]) -> None:
        """Copy each event's machine: support vectors of all events once, a row of coefficients for each."""
        support = np.unique(np.concatenate([np.zeros(0, np.int64), *(where for _, where, _ in fitted)]))
        coefficient = np.zeros((len(self.slope), support.size))
        for event, where, machine in fitted:
            coefficient[event, np.searchsorted(support, where)] = machine.dual_coef_[0]
            self.intercept[event] = float(machine.intercept_[0])
        self.support = torch.from_numpy(shown[support]).to(self.centre)
        self.coefficient = torch.from_numpy(coefficient).to(self.centre)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        """Load, with as many support vectors as there are."""
        said, size = state_dict.get(f"{prefix}support"), self.centre.numel()
        if said is not None and said.ndim == 2 and said.shape[1] == size:
            self.support = said.new_empty(said.shape, device=self.centre.device)
            self.coefficient = said.new_empty((len(self.slope), len(said)), device=self.centre.device)
        super()._load_from_state_dict(state_dict, prefix, *arguments)


def build(
    shape: Shape,
    *,
    inverse_penalty: Annotated[float, Field(gt=0)] = 1.0,
    gamma: Annotated[float, Field(gt=0)] = 0.01,
    max_windows: Annotated[int, Field(ge=10)] = 10_000,
    statistics: Annotated[tuple[Statistic, ...], Field(min_length=1)] = ("last", "mean", "std", "slope"),
) -> nn.Module:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        inverse_penalty: scikit-learn's C; weights of windows multiply it.
        gamma: Of the kernel exp(-gamma |a - b|^2) between standardised statistics.
        max_windows: Windows that a machine is fitted on, evenly spaced where there are more: time grows with
            their square.
        statistics: Which statistics of each feature over the window are used.
    """
    return SupportVectors(shape, inverse_penalty, gamma, max_windows, statistics)

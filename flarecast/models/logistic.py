"""Multinomial logistic regression on statistics of the window: hard to beat on few data."""

from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from flarecast.batches import Batch
from flarecast.models.shape import Shape, absent_logit, log_prior

Statistic = Literal["last", "mean", "std", "min", "max", "slope"]
ALL: tuple[Statistic, ...] = ("last", "mean", "std", "min", "max", "slope")


def _slope(steps: Tensor) -> Tensor:
    """Least-squares change over the whole window; 0 where it has one step."""
    time = torch.linspace(-0.5, 0.5, steps.shape[1], dtype=steps.dtype, device=steps.device)
    time = time - time.mean()
    return torch.einsum("bsf,s->bf", steps, time) / time.square().sum().clamp_min(1e-12)


STATISTICS: dict[str, Callable[[Tensor], Tensor]] = {
    "last": lambda steps: steps[:, -1],
    "mean": lambda steps: steps.mean(dim=1),
    "std": lambda steps: steps.std(dim=1, correction=0),
    "min": lambda steps: steps.amin(dim=1),
    "max": lambda steps: steps.amax(dim=1),
    "slope": _slope,
}
"""Name: function of steps (b, step, feature) to (b, feature)."""


class Logistic(nn.Module):
    """A linear head on standardised statistics of each feature over the window, in float64."""

    centre: Tensor
    spread: Tensor

    def __init__(
        self, shape: Shape, inverse_penalty: float, max_iterations: int, statistics: tuple[Statistic, ...]
    ) -> None:
        super().__init__()
        self.inverse_penalty = inverse_penalty
        self.max_iterations = max_iterations
        self.statistics = statistics
        size = shape.n_features * len(statistics)
        self.register_buffer("centre", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("spread", torch.ones(size, dtype=torch.float64))
        self.head = nn.Linear(size, shape.n_classes, dtype=torch.float64)

    def window_statistics(self, steps: Tensor) -> Tensor:
        """Statistics before they are standardised, shape (b, statistic x feature), float64."""
        wide = steps.double()
        return torch.cat([STATISTICS[name](wide) for name in self.statistics], dim=1)

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:  # noqa: ARG002  (same for all models)
        """Logits, shape (b, class), float64."""
        return self.head((self.window_statistics(steps) - self.centre) / self.spread)

    @torch.no_grad()
    def fit_directly(self, batches: Iterable[Batch], prior: Tensor) -> None:
        """Fit by scikit-learn and copy the coefficients.

        Windows whose class is not known for certain are left out; a class that none has keeps a tiny
        probability.

        Args:
            batches: The training windows with their weights.
            prior: Class priors of the training windows, shape (class,).
        """
        parts = []
        for batch in batches:
            known = batch.low == batch.high
            parts.append((self.window_statistics(batch.steps[known]), batch.low[known], batch.weight[known]))
        values, classes, weight = (torch.cat(part) for part in zip(*parts, strict=True))
        self.head.weight.zero_()
        self.head.bias.copy_(log_prior(prior))
        present = np.unique(classes.cpu().numpy())
        if len(present) < 2:
            return
        self.centre.copy_(values.mean(dim=0))
        deviation = values.std(dim=0, correction=0)
        self.spread.copy_(torch.where(deviation > 1e-9, deviation, 1.0))
        regression = LogisticRegression(C=self.inverse_penalty, max_iter=self.max_iterations)
        standardised = ((values - self.centre) / self.spread).cpu().numpy()
        regression.fit(standardised, classes.cpu().numpy(), weight.double().cpu().numpy())
        coefficients, intercept = one_row_a_class(regression.coef_, regression.intercept_)
        self.head.bias.fill_(absent_logit())
        self.head.weight[present] = torch.from_numpy(coefficients).to(self.head.weight)
        self.head.bias[present] = torch.from_numpy(intercept).to(self.head.bias)


def one_row_a_class(
    coefficients: NDArray[np.float64], intercept: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients of a softmax: of two classes scikit-learn gives the difference alone."""
    if len(intercept) > 1:
        return coefficients, intercept
    half = np.concatenate([-coefficients / 2, coefficients / 2])
    return half, np.concatenate([-intercept / 2, intercept / 2])


def build(
    shape: Shape,
    *,
    inverse_penalty: Annotated[float, Field(gt=0)] = 0.01,
    max_iterations: Annotated[int, Field(ge=1)] = 2000,
    statistics: Annotated[tuple[Statistic, ...], Field(min_length=1)] = ALL,
) -> nn.Module:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        inverse_penalty: scikit-learn's C: the smaller, the nearer all coefficients stay to 0. Overlapping
            windows repeat each other, so it is to be smaller than for independent samples.
        max_iterations: Limit for the solver (L-BFGS).
        statistics: Which statistics of each feature over the window are used.
    """
    return Logistic(shape, inverse_penalty, max_iterations, statistics)

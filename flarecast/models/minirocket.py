"""MiniRocket: how much of a window each of many fixed convolutions spends above a level; a logistic on that.

The 84 kernels are the same for all data: nine steps, weight 2 on three of them and -1 on the others, at
several dilations, each on a few features. aeon draws which features and finds the levels in training windows;
these arrays are kept, and the forecast is computed from them alone.

Source: Dempster, Schmidt & Webb (2021), KDD, 248, arXiv 2012.08791.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from flarecast.batches import Batch
from flarecast.errors import FlarecastError
from flarecast.models.logistic import one_row_a_class
from flarecast.models.shape import Shape, absent_logit
from flarecast.models.tabular import Table, Tabular, drawn_seed

LENGTH = 9
"""Steps of a kernel; shorter windows are filled with the training mean, 0, in front."""

HEAVY = list(combinations(range(LENGTH), 3))
"""Which three steps of each kernel have weight 2, in the paper's order."""

CHUNK = 256
"""Windows convolved at once."""


class MiniRocket(Tabular):
    """Shares of steps above levels, standardised, and a linear head; float64."""

    channel_count: Tensor
    channel: Tensor
    dilation: Tensor
    level_count: Tensor
    level: Tensor
    centre: Tensor
    spread: Tensor
    coefficient: Tensor
    intercept: Tensor
    sized_by_data: ClassVar[tuple[str, ...]] = ("channel_count", "channel", "dilation", "level_count")
    kept_as: ClassVar[str] = "fitted arrays; aeon, which found them, is not needed to forecast"

    def __init__(self, shape: Shape, kernels: int, inverse_penalty: float, max_windows: int) -> None:
        super().__init__(shape, (), mask=False)
        self.kernels, self.inverse_penalty, self.max_windows = kernels, inverse_penalty, max_windows
        size = len(HEAVY) * (kernels // len(HEAVY))
        for name in self.sized_by_data:
            self.register_buffer(name, torch.zeros(0, dtype=torch.int64))
        self.register_buffer("level", torch.zeros(size))
        start = {"centre": torch.zeros(size), "spread": torch.ones(size)}
        start |= {
            "coefficient": torch.zeros(shape.n_classes, size),
            "intercept": torch.zeros(shape.n_classes),
        }
        for name, value in start.items():
            self.register_buffer(name, value.double())

    def table(self, steps: Tensor) -> Tensor:
        """Share of the steps of each convolution above each of its levels, shape (b, level), float64.

        What float32 holds adds up without rounding in float64, so that no batch size changes a digit.
        """
        signal = _filled(steps).transpose(1, 2).double()
        found = [self._shares(part) for part in torch.split(signal, CHUNK)]
        return torch.cat(found) if found else steps.new_zeros(0, len(self.level), dtype=torch.float64)

    def _shares(self, signal: Tensor) -> Tensor:
        """Of windows (b, feature, step), shape (b, level), dilation by dilation and kernel by kernel.

        Every other kernel is asked only where it lies inside the window.
        """
        found, last = [], 0
        weight = self._weights()
        for nth, (dilation, count) in enumerate(zip(self.dilation, self.level_count, strict=True)):
            reach = int(dilation) * (LENGTH // 2)
            curve = nn.functional.conv1d(signal, weight[nth], padding=reach, dilation=int(dilation))
            level = self.level[last : (last := last + len(HEAVY) * int(count))].view(len(HEAVY), -1).double()
            share = curve.new_empty(len(curve), *level.shape)
            for first, part in ((nth % 2, curve), (1 - nth % 2, curve[:, :, reach : curve.shape[2] - reach])):
                asked, its = part[:, first::2], level[first::2]
                for one in range(int(count)):
                    above = asked > its[:, one : one + 1]
                    share[:, first::2, one] = above.sum(dim=2).double() / asked.shape[2]
            found.append(share.flatten(1))
        return torch.cat(found, dim=1)

    def _weights(self) -> Tensor:
        """Kernels of each dilation on the features that each has, shape (dilation, kernel, feature, step)."""
        kernel = torch.full((len(HEAVY), LENGTH), -1.0, dtype=torch.float64, device=self.level.device)
        for row, heavy in enumerate(HEAVY):
            kernel[row, list(heavy)] = 2.0
        which = torch.arange(len(self.channel_count), device=self.level.device)
        has = kernel.new_zeros(len(self.channel_count), self.n_features)
        has[which.repeat_interleave(self.channel_count), self.channel] = 1.0
        return has.view(-1, len(HEAVY), self.n_features, 1) * kernel[:, None]

    def probabilities(self, values: Tensor) -> Tensor:
        """Of each class, shape (b, class)."""
        if not self.coefficient.any():
            return self.prior.expand(len(values), -1)
        standardised = (values - self.centre) / self.spread
        return torch.softmax(standardised @ self.coefficient.T + self.intercept, dim=1)

    @torch.no_grad()
    def fit_directly(self, batches: Iterable[Batch], prior: Tensor) -> dict[str, Any]:
        """Find levels, then fit the head, both on windows whose class is known, evenly thinned.

        Args:
            batches: The training windows with their weights.
            prior: Class priors of the training windows, shape (class,).

        Returns:
            What the model file says of it.

        Raises:
            FlarecastError: aeon is not there.
        """
        parts = []
        for batch in batches:
            known = batch.low == batch.high
            parts.append([getattr(batch, name)[known] for name in ("steps", "last_class", "low", "weight")])
        steps, last_class, low, weight = (torch.cat(part) for part in zip(*parts, strict=True))
        kept = np.linspace(0, len(low) - 1, min(len(low), self.max_windows)).astype(np.int64)
        place = torch.from_numpy(kept).to(low.device)
        batch = Batch(steps[place], last_class[place], low[place], low[place], weight[place])
        if len(kept):
            self._find_levels(_filled(batch.steps).transpose(1, 2).cpu().numpy())
        return super().fit_directly([batch], prior)

    def _find_levels(self, signal: NDArray[np.float32]) -> None:
        """Let aeon draw features and find levels; numpy's global generator is left as it was."""
        try:
            from aeon.transformations.collection.convolution_based import MiniRocket as Fitted
        except ImportError as error:
            raise FlarecastError(
                "minirocket: expected aeon, which finds its levels, got none; pip install 'flarecast[rocket]'"
            ) from error
        state = np.random.get_state()  # noqa: NPY002  (aeon seeds it)
        try:
            found = Fitted(self.kernels, random_state=drawn_seed()).fit(signal).parameters
        finally:
            np.random.set_state(state)  # noqa: NPY002
        names = ("channel_count", "channel", "dilation", "level_count", "level")
        self.keep(**dict(zip(names, found, strict=True)))

    def fit_table(self, table: Table) -> None:
        """Fit the head by scikit-learn and copy its coefficients."""
        centre, deviation = table.values.mean(axis=0), table.values.std(axis=0)
        spread = np.where(deviation > 1e-9, deviation, 1.0)
        regression = LogisticRegression(C=self.inverse_penalty, max_iter=2000)
        regression.fit((table.values - centre) / spread, table.classes, table.weight)
        weights, offsets = one_row_a_class(regression.coef_, regression.intercept_)
        coefficient, intercept = np.zeros(self.coefficient.shape), np.full(len(self.prior), absent_logit())
        coefficient[table.present], intercept[table.present] = weights, offsets
        self.keep(centre=centre, spread=spread, coefficient=coefficient, intercept=intercept)


def _filled(steps: Tensor) -> Tensor:
    """Windows with at least as many steps as a kernel, shape (b, step, feature)."""
    return nn.functional.pad(steps, (0, 0, max(0, LENGTH - steps.shape[1]), 0))


def build(
    shape: Shape,
    *,
    kernels: Annotated[int, Field(ge=84, le=20_000)] = 2000,
    inverse_penalty: Annotated[float, Field(gt=0)] = 0.001,
    max_windows: Annotated[int, Field(ge=2)] = 20_000,
) -> MiniRocket:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        kernels: Levels in all, rounded down to a multiple of 84.
        inverse_penalty: scikit-learn's C of the head.
        max_windows: Training windows that it is fitted on, evenly spaced in their order where there are more.
    """
    return MiniRocket(shape, kernels, inverse_penalty, max_windows)

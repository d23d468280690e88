"""What an average is made of, and the entries of `AVERAGINGS`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from flarecast.averaging.gaussian import GaussianAverage
from flarecast.averaging.pace import Pace
from flarecast.errors import FlarecastError

Count = Annotated[int, Field(ge=1)]
Epochs = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Tensors = tuple[Tensor, ...] | list[Tensor]


@dataclass(frozen=True)
class Averaging:
    """How weights are averaged.

    Attributes:
        start: Gives an average of a module's weights, empty; `update_parameters` adds to it.
        pace: When weights are collected, after the descent; None: after every step from the first on.
        members: Models to draw from the average at last.
        scale: Factor on the covariance that they are drawn with.
    """

    start: Callable[[nn.Module], AveragedModel]
    pace: Pace | None = None
    members: int = 0
    scale: float = 1.0


def without() -> None:
    """No averaging: the weights of the best epoch on validation are kept."""
    return


def swa(*, cycle: Epochs = 0, final: Share = 0.05, anneal: Epochs = 0, per_epoch: Count = 1) -> Averaging:
    """Stochastic weight averaging: the equal mean of weights collected at a rate that has settled.

    Collected at the end of each epoch at a constant rate, or of each `cycle` of a cyclical one.

    Source: Izmailov et al. (2018), arXiv 1803.05407; annealing as in the released code.
    """
    return Averaging(AveragedModel, _pace(cycle, final, anneal, per_epoch, least=1))


def ema(*, decay: Annotated[float, Field(gt=0, lt=1)] = 0.999, warm_up: bool = True) -> Averaging:
    """Exponential moving average of the weights after every step of the descent.

    Of n averaged before, the decay is at most (1 + n) / (10 + n) with `warm_up`, so that the first weights,
    those before training, are soon forgotten.

    Source: Polyak & Juditsky (1992), SIAM J. Control Optim. 30, 838, for averages of iterates; the warm-up is
        that of TensorFlow's ExponentialMovingAverage.
    """

    def update(averaged: Tensors, current: Tensors, n_averaged: Tensor | int) -> None:
        n = int(n_averaged)
        now = min(decay, (1 + n) / (10 + n)) if warm_up else decay
        get_ema_multi_avg_fn(now)(averaged, current, n)  # type: ignore[no-untyped-call]

    return Averaging(lambda module: AveragedModel(module, multi_avg_fn=update))


def swag(  # noqa: PLR0913  (options are arguments)
    *,
    rank: Annotated[int, Field(ge=2)] = 20,
    members: Annotated[int, Field(ge=2)] = 30,
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0,
    cycle: Epochs = 0,
    final: Share = 0.05,
    anneal: Epochs = 0,
    per_epoch: Count = 1,
) -> Averaging:
    """SWA-Gaussian: also the spread of the collected weights, from which `members` models are drawn.

    Source: Maddox et al. (2019), arXiv 1902.02476.
    """
    pace = _pace(cycle, final, anneal, per_epoch, least=2)
    return Averaging(lambda module: GaussianAverage(module, rank), pace, members, scale)


def _pace(cycle: int, final: float, anneal: int, per_epoch: int, least: int) -> Pace:
    """When to collect; cycles collect at their ends only.

    Raises:
        FlarecastError: Weights are asked for inside cycles.
    """
    if cycle and per_epoch > 1:
        raise FlarecastError(
            f"expected per_epoch 1 with cycles, at whose ends weights are collected, got per_epoch "
            f"{per_epoch} and cycle {cycle}; leave one out"
        )
    return Pace(cycle, final if cycle else 1.0, anneal, per_epoch, least)

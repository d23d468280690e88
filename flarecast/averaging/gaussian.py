"""Mean and spread of collected weights, and weights drawn from the Gaussian that they make.

Source: Maddox et al. (2019), arXiv 1902.02476, sections 3.2 and 3.3.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from flarecast.files import replacing

MOMENTS = "swag.safetensors"


@dataclass(frozen=True)
class Moments:
    """What the Gaussian is made of, all weights of the module in one vector in their order.

    Attributes:
        mean: Mean of the collected weights, shape (weight,), float64.
        variance: Mean of their squares less the square of their mean, shape (weight,), float64.
        deviations: Each of the last collected weights less the mean when it was collected, shape
            (column, weight), float32.
    """

    mean: Tensor
    variance: Tensor
    deviations: Tensor


class GaussianAverage(AveragedModel):
    """The equal mean of weights with their moments; all of it is in the state.

    Sums run in double precision: the variance is a small difference of large squares.

    Args:
        module: Whose weights are collected.
        rank: Deviations that are held, those of the last weights.
    """

    mean: Tensor
    square: Tensor
    deviations: Tensor

    def __init__(self, module: nn.Module, rank: int) -> None:
        super().__init__(module)
        weights = flat(module)
        self.register_buffer("mean", torch.zeros_like(weights, dtype=torch.float64))
        self.register_buffer("square", torch.zeros_like(weights, dtype=torch.float64))
        self.register_buffer("deviations", weights.new_zeros((rank, len(weights)), dtype=torch.float32))

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Add the weights of a module."""
        weights, before = flat(model).double(), int(self.n_averaged)
        self.mean += (weights - self.mean) / (before + 1)
        self.square += (weights.square() - self.square) / (before + 1)
        self.deviations[before % len(self.deviations)] = (weights - self.mean).float()
        fill(self.module, self.mean)
        self.n_averaged += 1

    def moments(self) -> Moments:
        """The moments as they are now, on the CPU."""
        n_columns = min(int(self.n_averaged), len(self.deviations))
        variance = (self.square - self.mean.square()).clamp(min=0.0)
        return Moments(self.mean.cpu(), variance.cpu(), self.deviations[:n_columns].cpu())


def draw(moments: Moments, number: int, scale: float, generator: torch.Generator) -> Iterator[Tensor]:
    """Weights drawn from the Gaussian of mean m and covariance scale (diag(s^2) + D'D / (K - 1)) / 2.

    Args:
        moments: m, s^2 and D, of K >= 2 deviations.
        number: How many to draw.
        scale: Factor on the covariance; 1 is the paper's.
        generator: On the CPU.

    Yields:
        Weights in one vector, shape (weight,), float64.
    """
    diagonal = (scale / 2 * moments.variance).sqrt()
    n_columns = len(moments.deviations)
    along = (scale / (2 * (n_columns - 1))) ** 0.5 * moments.deviations.double()
    for _ in range(number):
        apart = torch.randn(len(diagonal), dtype=torch.float64, generator=generator)
        together = torch.randn(n_columns, dtype=torch.float64, generator=generator)
        yield moments.mean + diagonal * apart + together @ along


def flat(module: nn.Module) -> Tensor:
    """All weights of a module in one vector, in their order, shape (weight,)."""
    return torch.cat([weights.detach().reshape(-1) for weights in module.parameters()])


@torch.no_grad()
def fill(module: nn.Module, weights: Tensor) -> None:
    """Give a module the weights of one vector, shape (weight,)."""
    start = 0
    for place in module.parameters():
        place.copy_(weights[start : start + place.numel()].view_as(place))
        start += place.numel()


def save_moments(moments: Moments, module: nn.Module, path: Path) -> None:
    """Write `mean`, `variance` and `deviations`, with the names and shapes of the weights as metadata.

    Raises:
        FlarecastError: The folder cannot be written.
    """
    order = [[name, list(weights.shape)] for name, weights in module.named_parameters()]
    tensors = {name: getattr(moments, name).contiguous() for name in ("mean", "variance", "deviations")}
    with replacing(path) as aside:
        aside.write_bytes(save_tensors(tensors, {"weights": json.dumps(order)}))


def load_moments(path: Path) -> Moments:
    """Read what `save_moments` wrote."""
    tensors = load_tensors(path.read_bytes())
    return Moments(tensors["mean"], tensors["variance"], tensors["deviations"])

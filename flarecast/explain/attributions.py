"""Integrated gradients: the log odds of one forecast shared out among features and steps.

Shares add up to the difference between the log odds of the window and those of the baseline, which is the
window with every value at the training mean; what was observed stays observed. Source: Sundararajan, Taly &
Yan (2017), arXiv 1703.01365.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from flarecast.batches import gather_inputs, send
from flarecast.errors import FlarecastError
from flarecast.explain.choosing import Choice, choose_windows
from flarecast.explain.parts import Explained, Part, quiet_threads

FloatArray = NDArray[np.float64]

COMPLETE = 1e-3
"""Largest difference between the sum of the shares and what they share out [log odds]."""

POINTS = 8
"""Points of a piece of the way from the baseline to the window."""

FEWEST_PIECES, MOST_PIECES = 8, 1024
"""Pieces of the way; those whose shares do not add up are halved, which closes in on a network's kinks."""

POINTS_AT_ONCE = 4096


@dataclass(frozen=True)
class Attributions:
    """Shares of one window.

    Attributes:
        choice: The window.
        event: GOES class.
        probability: Raw probability of the event.
        log_odds: Of the window.
        baseline: Log odds of the baseline.
        features: Names, shape (feature,).
        shares: Log odds by step and feature, shape (step, feature).
        values: Scaled and filled values, shape (step, feature).
    """

    choice: Choice
    event: str
    probability: float
    log_odds: float
    baseline: float
    features: tuple[str, ...]
    shares: FloatArray
    values: FloatArray

    @property
    def error(self) -> float:
        """How far the shares are from adding up [log odds]."""
        return abs(float(self.shares.sum()) - (self.log_odds - self.baseline))


class LogOdds(nn.Module):
    """Log odds of one nested event, of a network that gives logits of exclusive classes."""

    def __init__(self, module: nn.Module, event: int) -> None:
        super().__init__()
        self.module = module
        self.event = event

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:
        """Shape (b,)."""
        logits = self.module(steps, last_class)
        below, above = logits[:, : self.event + 1], logits[:, self.event + 1 :]
        return torch.logsumexp(above, dim=1) - torch.logsumexp(below, dim=1)


def explain_windows(
    explained: Explained, event: str, named: tuple[str, ...] = (), top: int = 0
) -> list[Attributions]:
    """Share out the forecasts of some windows.

    Args:
        explained: Windows and models.
        event: GOES class of the events.
        named: Windows by number or `REGION@TIME`.
        top: So many more: those with the highest probability, each of another region.

    Raises:
        FlarecastError: captum is not installed, no such window or event, or a model without a gradient.
    """
    found = []
    for choice in choose_windows(explained, event, named, top):
        part = explained.parts[choice.part]
        found.append(_attribute(part, choice, part.model.events.index(event)))
    return found


def _attribute(part: Part, choice: Choice, event: int) -> Attributions:
    """Shares of one window."""
    tensors, model = part.tensors, part.model
    place = torch.tensor([choice.place], device=tensors.last_class.device)
    module = LogOdds(deepcopy(model.module).double().eval(), event)
    steps = gather_inputs(tensors, place).double()
    last_class = send(tensors.last_class[place], tensors.device)
    n_features = len(model.features)
    baseline = steps.clone()
    baseline[:, :, :n_features] = 0.0  # after scaling the training mean; a mask stays as it is
    # cuDNN has no gradient of a recurrent network that is not training.
    with quiet_threads(model), torch.backends.cudnn.flags(enabled=False):
        _require_gradient(module, steps, last_class, model.model_name)
        shares = _integrate(module, steps, baseline, last_class)
        with torch.no_grad():
            ends = [float(module(one, last_class)) for one in (steps, baseline)]
    return Attributions(
        choice=choice,
        event=model.events[event],
        probability=1 / (1 + float(np.exp(-ends[0]))),
        log_odds=ends[0],
        baseline=ends[1],
        features=model.features,
        shares=shares[:, :n_features],
        values=steps[0, :, :n_features].cpu().numpy(),
    )


def _integrate(module: nn.Module, steps: Tensor, baseline: Tensor, last_class: Tensor) -> FloatArray:
    """Shares of all inputs, shape (step, input), with as many pieces of the way as they need."""
    gradients = _captum()(module)
    edges = torch.linspace(0, 1, FEWEST_PIECES + 1, dtype=steps.dtype, device=steps.device)
    first, last = edges[:-1], edges[1:]
    shares = torch.zeros_like(steps[0])
    n_pieces, left_out = len(first), 0.0
    while len(first):
        ends = [baseline + part[:, None, None] * (steps - baseline) for part in (first, last)]
        found, error = gradients.attribute(
            ends[1],
            baselines=ends[0],
            additional_forward_args=(last_class.expand(len(first)),),
            n_steps=POINTS,
            return_convergence_delta=True,
            internal_batch_size=POINTS_AT_ONCE,
        )
        # Each piece may be wrong by its part of what is allowed; kinks make few pieces, not all, need more.
        fine = error.abs() < COMPLETE / 4 * torch.maximum(last - first, torch.full_like(first, 1e-3))
        fine |= n_pieces >= MOST_PIECES or float(error.abs().sum()) + left_out < COMPLETE / 2
        shares += found.detach()[fine].sum(dim=0)
        left_out += float(error[fine].abs().sum())
        first, last = first[~fine], last[~fine]
        middle = (first + last) / 2
        first, last = torch.cat([first, middle]), torch.cat([middle, last])
        n_pieces += len(middle)
    out: FloatArray = shares.cpu().numpy()
    return out


def _require_gradient(module: nn.Module, steps: Tensor, last_class: Tensor, name: str) -> None:
    """Raise unless a model's forecast has a gradient in its inputs."""
    inputs = steps.clone().requires_grad_()
    log_odds = module(inputs, last_class)
    if log_odds.requires_grad:
        (gradient,) = torch.autograd.grad(log_odds.sum(), inputs, allow_unused=True)
        if gradient is not None:
            return
    raise FlarecastError(
        f"integrated gradients: expected a model with a gradient in its inputs, got {name}; explain it by "
        "permutation importance, which is made without --window and --top"
    )


def _captum() -> Any:
    """The class that integrates.

    Raises:
        FlarecastError: captum is not installed.
    """
    try:
        from captum.attr import IntegratedGradients
    except ImportError as error:
        raise FlarecastError(
            "integrated gradients: expected captum, got none; pip install 'flarecast[explain]'"
        ) from error
    return IntegratedGradients

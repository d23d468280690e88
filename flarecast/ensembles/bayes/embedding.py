"""What a network's last layer sees of its training windows, and how its outputs become probabilities."""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from flarecast.batches import Batch


@dataclass(frozen=True)
class Embedded:
    """Windows as the last layer sees them.

    Attributes:
        hidden: Its inputs, shape (n, size), float64.
        low: Lowest class that the outcome allows, shape (n,).
        high: Highest class that the outcome allows, shape (n,).
        weight: Of each window, shape (n,), float64.
    """

    hidden: Tensor
    low: Tensor
    high: Tensor
    weight: Tensor

    @property
    def with_one(self) -> Tensor:
        """Inputs and a 1 for the bias, shape (n, size + 1)."""
        return nn.functional.pad(self.hidden, (0, 1), value=1.0)


@torch.no_grad()
def embed(module: nn.Module, batches: Iterable[Batch]) -> Embedded:
    """Pass windows through a network up to its `head`."""
    head: nn.Module = module.head  # type: ignore[assignment]
    module.eval()
    seen: list[Tensor] = []
    outcomes: list[tuple[Tensor, Tensor, Tensor]] = []
    hook = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].double()))
    for batch in batches:
        module(batch.steps, batch.last_class)
        outcomes.append((batch.low, batch.high, batch.weight.double()))
    hook.remove()
    low, high, weight = (torch.cat(part) for part in zip(*outcomes, strict=True))
    return Embedded(torch.cat(seen), low, high, weight)


def link_of(head: nn.Linear) -> Callable[[Tensor], Tensor]:
    """Function from the outputs of a head's linear layer, shape (..., output), to log class probabilities."""
    size = head.out_features

    def link(outputs: Tensor) -> Tensor:
        as_they_are = {"weight": torch.eye(size).to(outputs), "bias": torch.zeros(size).to(outputs)}
        return torch.log_softmax(functional_call(head, as_they_are, (outputs,)), dim=-1)

    return link


def numbers_of(head: nn.Linear) -> Tensor:
    """Weights and, in the last column, biases, shape (output, size + 1), float64."""
    return torch.cat([head.weight, head.bias[:, None]], dim=1).detach().double()


def start_of(head: nn.Linear, prior: Tensor) -> Tensor:
    """Numbers of a head that knows the class priors and nothing else, as `numbers_of`: the prior's mean."""
    started = copy.deepcopy(head)
    nn.init.zeros_(started.weight)
    started.start_at(prior)  # type: ignore[operator]
    return numbers_of(started)


@torch.no_grad()
def with_numbers(head: nn.Linear, numbers: Tensor) -> nn.Linear:
    """A copy of a head with other weights and biases, shape (output, size + 1)."""
    copied = copy.deepcopy(head)
    copied.weight.copy_(numbers[:, :-1])
    copied.bias.copy_(numbers[:, -1])
    return copied


def log_likelihood(log_probability: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Log of the mass of the classes that an outcome allows, shape (n,), from (n, class)."""
    classes = torch.arange(log_probability.shape[1], device=log_probability.device)
    open_to = (classes >= low[:, None]) & (classes <= high[:, None])
    return torch.logsumexp(log_probability.masked_fill(~open_to, -torch.inf), dim=1)

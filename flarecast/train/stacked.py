"""An epoch of several small networks at once: one network over the stacked weights of all.

What a step of a small network costs is mostly the calls that make it up, not their arithmetic. So networks
that differ in weights, order of windows and random numbers alone go through an epoch as one, `torch.func`
doing with the weights of all what the network does with its own. All between epochs, from validation to
checkpoints, stays each network's.

Without dropout and noise each takes the steps that it would take alone, up to rounding. Those two are drawn
from the random numbers of torch as the caller has set them, for all networks together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from flarecast.batches import Batch, Sample, shuffled, take
from flarecast.config import Config
from flarecast.ensembles.recipes import not_stacked, recipe_of, skeleton
from flarecast.train.averaging_phase import collect, rate_after
from flarecast.train.frozen import to_training
from flarecast.train.gradient import build_optimizer, disturb, set_rate
from flarecast.train.passes import EpochLosses, sample_of
from flarecast.train.precision import casting, precision_on
from flarecast.train.task import Task
from flarecast.train.training_state import State

WORTH_CPU, WORTH_CUDA = 1_229, 262_144
"""Windows of a batch x steps x widest layer up to which the calls of a step cost more than its arithmetic.

On the CPU for each network, measured by scripts/bench_stacked.py (docs/ensembles.md); on CUDA for any number
of networks, an estimate.
"""
FEW, MANY = 5, 20
"""Networks from which on it is worth it on the CPU, and from which on more make no difference."""

MEASURED = "cnn"
"""The network of which that holds; the others, of many more layers, gain less."""

STEP = "step"
"""What optimisers call the number of steps taken, which is one for all weights."""

LEAST_NORM = 1e-6
"""Added to a gradient's norm before dividing by it, as torch does."""


def worth_stacking(config: Config, n_steps: int, device: torch.device) -> bool:
    """Whether the trainings of an ensemble are to go through their epochs as one network.

    Args:
        config: The configuration, checked.
        n_steps: Steps of a window.
        device: Where they train.
    """
    recipe = recipe_of(config)
    if recipe.stacked == "never" or not recipe.trained or not_stacked(config):
        return False
    if recipe.stacked == "always":
        return True
    layers = (layer for layer in skeleton(config).modules() if isinstance(layer, nn.Conv1d))
    size = config.train.batch_size * n_steps * max(layer.out_channels for layer in layers)
    number = recipe.trained + 1
    on_cpu = 0 if number < FEW else WORTH_CPU * min(number, MANY)
    return config.model.name == MEASURED and size <= (WORTH_CUDA if device.type == "cuda" else on_cpu)


def epoch_key(state: State, task: Task) -> tuple[Any, ...]:
    """What networks have in common that can go through their next epoch as one."""
    drawn_for = None if task.redraw is None else id(state)  # windows that others have not
    pace = None if task.averaging is None else task.averaging.pace
    rate_changes = pace is not None and (pace.anneal > 0 or pace.cycle > 0)
    phase = state.descended if state.descended is None or rate_changes else "at the rate of averaging"
    n_steps = next((int(held[STEP]) for held in state.optimizer.state.values() if STEP in held), 0)
    return drawn_for, state.epoch, phase, n_steps, len(task.train)


def train_epoch_together(states: Sequence[State], tasks: Sequence[Task]) -> list[EpochLosses]:
    """All training windows of an epoch once for each of several networks, in an order of its own.

    Args:
        states: Of networks alike in `epoch_key`; their weights and optimisers go one epoch on.
        tasks: What each is fitted to: with the same settings, on the same rows.

    Raises:
        FlarecastError: The device's memory is too small.
    """
    first, task = states[0], tasks[0]
    together = _join([sample_of(*pair) for pair in zip(states, tasks, strict=True)])
    n_each = len(together) // len(states)
    orders = [shuffled(n_each, task.settings.batch_size, state.generator) for state in states]
    stack = Stack(states, task)
    losses = torch.zeros(len(orders[0]), len(states), device=task.log_correction.device)
    for nth, places in enumerate(zip(*orders, strict=True)):
        set_rate(stack.optimizer, rate_after(first, task, nth / len(losses)))
        place = torch.cat([one + n_each * number for number, one in enumerate(places)])
        losses[nth] = stack.step(take(together, place))
        for state, own in zip(states, tasks, strict=True):
            collect(state, own, nth / len(losses), (nth + 1) / len(losses))
    stack.give_back()
    return [EpochLosses(*pair) for pair in zip(losses.unbind(dim=1), orders, strict=True)]


def _join(samples: Sequence[Sample]) -> Sample:
    """Samples of the same rows, one behind the other."""

    def parts(name: str) -> Tensor:
        return torch.cat([getattr(sample, name) for sample in samples])

    return Sample(samples[0].tensors, parts("index"), parts("low"), parts("high"), parts("weight"))


class Stack:
    """Networks of one kind whose weights, buffers and optimisers are held in one tensor each.

    Each network sees its own part of them until `give_back`.

    Args:
        states: Of the networks.
        task: What is the same for all: loss and settings.
    """

    def __init__(self, states: Sequence[State], task: Task) -> None:
        self.states, self.task = states, task
        self.own = [dict(state.module.named_parameters()) for state in states]
        self.weights: Mapping[str, nn.Parameter] = {
            name: nn.Parameter(torch.stack([own[name].detach() for own in self.own]), weight.requires_grad)
            for name, weight in self.own[0].items()
        }
        held = [dict(state.module.named_buffers()) for state in states]
        self.buffers = {name: torch.stack([own[name] for own in held]) for name in held[0]}
        for number, own in enumerate(self.own):
            for name, weight in own.items():
                weight.data = self.weights[name].data[number]
        self.optimizer = build_optimizer(self.weights.values(), task.settings)
        self._take_over()
        to_training(states[0].module)

    def step(self, batch: Batch) -> Tensor:
        """A step of each network with its part of a batch, the first windows being the first's.

        Returns:
            Loss of each, on the device and without its graph, shape (network,).
        """
        task = self.task
        shown = [
            disturb(part, task.settings, task.train.tensors.masked)
            for part in _parts(batch, len(self.states))
        ]
        steps = torch.stack([one.steps for one in shown])
        last_class = torch.stack([one.last_class for one in shown])
        device = steps.device
        self.optimizer.zero_grad(set_to_none=True)
        with casting(device, precision_on(device, task.settings.precision)):
            logits = vmap(self._forward, randomness="different")(
                self.weights, self.buffers, steps, last_class
            )
        losses = torch.zeros(len(shown), device=device)
        for outcomes in zip(*(one.outcomes for one in shown), strict=True):
            share = torch.tensor([share for share, _ in outcomes], device=device)
            of = [
                torch.stack([getattr(batch, name) for _, batch in outcomes])
                for name in ("low", "high", "weight")
            ]
            losses = losses + share * vmap(task.loss)(logits.float(), *of)
        losses.sum().backward()  # type: ignore[no-untyped-call]
        self._clip(task.settings.clip)
        self.optimizer.step()
        return losses.detach()

    def give_back(self) -> None:
        """Give each network and its optimiser what is its own."""
        rate = self.optimizer.param_groups[0]["lr"]
        for number, (state, own) in enumerate(zip(self.states, self.own, strict=True)):
            for name, weight in own.items():
                weight.data = self.weights[name].data[number].clone()
                weight.grad = None
                held = self.optimizer.state.get(self.weights[name], {})
                state.optimizer.state[weight] = {key: _own(key, value, number) for key, value in held.items()}
            set_rate(state.optimizer, rate)
            for name, buffer in state.module.named_buffers():
                buffer.copy_(self.buffers[name][number])

    def _take_over(self) -> None:
        """Let the one optimiser go on from what those of the networks know of each weight."""
        for name, weight in self.weights.items():
            held = [
                state.optimizer.state.get(own[name], {})
                for state, own in zip(self.states, self.own, strict=True)
            ]
            if held[0]:
                self.optimizer.state[weight] = {
                    key: _together(key, [one[key] for one in held]) for key in held[0]
                }

    def _forward(
        self, weights: Mapping[str, Tensor], buffers: dict[str, Tensor], steps: Tensor, last_class: Tensor
    ) -> Tensor:
        """Logits of one network, shape (b, class)."""
        logits: Tensor = functional_call(self.states[0].module, (dict(weights), buffers), (steps, last_class))
        return logits

    def _clip(self, most: float) -> None:
        """Shorten the gradient of each network to a norm, none where it is 0."""
        gradients = [weight.grad for weight in self.weights.values() if weight.grad is not None]
        if not most or not gradients:
            return
        norms = torch.stack([gradient.flatten(1).norm(dim=1) for gradient in gradients]).norm(dim=0)
        factor = (most / (norms + LEAST_NORM)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor.view(-1, *[1] * (gradient.dim() - 1)))


def _parts(batch: Batch, n: int) -> list[Batch]:
    """A batch in parts of as many windows each."""
    pieces = {field.name: getattr(batch, field.name).chunk(n) for field in fields(batch)}
    return [Batch(**{name: piece[number] for name, piece in pieces.items()}) for number in range(n)]


def _together(key: str, values: list[Tensor | None]) -> Tensor | None:
    """What optimisers know of a weight, stacked; the number of steps is one for all."""
    first = values[0]
    if first is None:
        return None
    return first.clone() if key == STEP else torch.stack([value for value in values if value is not None])


def _own(key: str, value: Tensor | None, number: int) -> Tensor | None:
    """What of it belongs to one network."""
    if value is None:
        return None
    return value.clone() if key == STEP else value[number].clone()

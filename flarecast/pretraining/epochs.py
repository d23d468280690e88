"""Epochs of an encoder that learns a task without outcomes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from flarecast.averaging import refresh_batch_norm
from flarecast.batches import WindowTensors, gather_inputs, shuffled
from flarecast.config.sections import Pretrain
from flarecast.errors import FlarecastError
from flarecast.schedules import cosine
from flarecast.train.checkpoint import NAME, write_checkpoint
from flarecast.train.epochs import Progress
from flarecast.train.training_state import Store, find_checkpoint, write_history


@dataclass(frozen=True)
class Windows:
    """Windows to learn from: on the device, with the number of each one's region, shape (window,)."""

    tensors: WindowTensors
    group: Tensor

    def __len__(self) -> int:
        """How many."""
        return len(self.group)


@dataclass(frozen=True)
class Lesson:
    """A network, its head aside, and the task that teaches it; `generator` orders the windows."""

    network: nn.Module
    task: nn.Module
    windows: Windows
    settings: Pretrain
    generator: torch.Generator

    def encode(self, steps: Tensor) -> Tensor:
        """Hidden states, shape (b, n_hidden), of inputs, shape (b, n_steps, n_inputs)."""
        hidden: Tensor = self.network(steps, _no_class(steps))
        return hidden

    def weights(self) -> list[nn.Parameter]:
        """All that learns."""
        return [*self.network.parameters(), *self.task.parameters()]

    def order(self) -> list[Tensor]:
        """Places of the windows of each batch, drawn anew."""
        return shuffled(len(self.windows), self.settings.batch_size, self.generator)


def learn(lesson: Lesson, store: Store, progress: Progress | None) -> list[dict[str, Any]]:
    """Teach a network in place for all epochs, and let batch norm see whole windows at last.

    It goes on from the checkpoint in the folder, where there is one of this lesson.

    Returns:
        The history, also written into the folder after each epoch, behind a checkpoint.

    Raises:
        FlarecastError: A loss that is not finite, or the folder cannot be written.
    """
    network, settings = lesson.network, lesson.settings
    head, network.head = network.head, nn.Identity()
    network.train()
    optimizer = torch.optim.AdamW(
        lesson.weights(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    history = _go_on(lesson, optimizer, store)
    for epoch in range(len(history), settings.epochs):
        history.append({"epoch": epoch + 1, "loss": _learn_epoch(lesson, optimizer, epoch)})
        _keep(lesson, optimizer, history, store)
        if progress is not None:
            progress(epoch + 1, settings.epochs, history[-1])
    refresh_batch_norm(network, _whole_windows(lesson))
    network.head = head
    network.eval()
    return history


def _keep(
    lesson: Lesson, optimizer: torch.optim.Optimizer, history: list[dict[str, Any]], store: Store
) -> None:
    """Write the checkpoint, then the history, which the checkpoint holds too."""
    on_cuda = lesson.windows.tensors.device.type == "cuda"
    content = {
        "network": lesson.network.state_dict(),
        "task": lesson.task.state_dict(),
        "optimizer": optimizer.state_dict(),
        "history": json.dumps(history),
        "order": lesson.generator.get_state(),
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state() if on_cuda else None,
    }
    write_checkpoint(store.folder / NAME, content, store.identity)
    write_history(store.folder, history)


def _go_on(lesson: Lesson, optimizer: torch.optim.Optimizer, store: Store) -> list[dict[str, Any]]:
    """Put all back as it was after the last epoch that was kept, if any; returns the history until then."""
    content, history = find_checkpoint(store), []
    if content is not None:
        lesson.network.load_state_dict(content["network"])
        lesson.task.load_state_dict(content["task"])
        optimizer.load_state_dict(content["optimizer"])
        history = json.loads(content["history"])
        lesson.generator.set_state(content["order"])
        torch.set_rng_state(content["random"])
        if content["random_cuda"] is not None:
            torch.cuda.set_rng_state(content["random_cuda"])
    write_history(store.folder, history)
    return history


def _learn_epoch(lesson: Lesson, optimizer: torch.optim.Optimizer, epoch: int) -> float:
    """Go once through all windows; returns their mean loss.

    Raises:
        FlarecastError: It is not finite.
    """
    settings, windows = lesson.settings, lesson.windows
    places, total = lesson.order(), 0.0
    for nth, place in enumerate(places):
        rate = settings.learning_rate * cosine(epoch + nth / len(places), settings.epochs)
        for part in optimizer.param_groups:
            part["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        group = windows.group[place].to(windows.tensors.device)
        loss = lesson.task(lesson.encode, gather_inputs(windows.tensors, place), group)
        loss.backward()
        nn.utils.clip_grad_norm_(lesson.weights(), 1.0)
        optimizer.step()
        total += float(loss.detach()) * len(place)
    if not np.isfinite(total):
        raise FlarecastError(
            f"pretrain: expected a finite loss, got {total} in epoch {epoch + 1}; lower "
            "pretrain.learning_rate"
        )
    return total / len(windows)


def _whole_windows(lesson: Lesson) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs of all windows with nothing hidden, batch by batch."""
    for place in lesson.order():
        steps = gather_inputs(lesson.windows.tensors, place)
        yield steps, _no_class(steps)


def _no_class(steps: Tensor) -> Tensor:
    """The latest class of windows where it may not be known: it is an outcome."""
    return torch.full((len(steps),), -1, device=steps.device)

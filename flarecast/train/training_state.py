"""All that changes while a network is fitted, kept after each epoch and found again after a kill."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from flarecast.files import replacing
from flarecast.resources import ALONE_IN_TRAINING, Processes
from flarecast.train.checkpoint import NAME, read_checkpoint, write_checkpoint
from flarecast.train.processes import FIRST, all_states, bytes_of_first
from flarecast.train.task import Task

HISTORY = "history.jsonl"


@dataclass(frozen=True)
class Store:
    """Where checkpoints and the history go, whose they are, and who is told what a user should know.

    Checkpoints of trainings side by side go to `together`, by their identities, and to no file.
    """

    folder: Path
    identity: str
    say: Callable[[str], object] = str
    together: dict[str, dict[str, Any]] | None = None


@dataclass
class Best:
    """Weights with the lowest validation loss so far, and of which epoch; without validation the last."""

    loss: float = math.inf
    epoch: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)

    def offer(self, loss: float | None, epoch: int, module: nn.Module) -> None:
        """Take a module's weights if they are better, or where there is no validation."""
        if loss is None or loss < self.loss:
            self.loss, self.epoch = math.inf if loss is None else loss, epoch
            self.weights = {name: value.clone() for name, value in module.state_dict().items()}


@dataclass
class State:
    """All that changes from epoch to epoch; `descended` counts the epochs before averaging, once it runs.

    `rate` is the learning rate of the descent by the epochs done, `parts` in how many parts a step's windows
    go through the network, whose output `forward` computes in training, or the module itself. `best` is that
    of the descent, `average` the best of averages along it, or the last of a phase of averaging.
    """

    module: nn.Module
    optimizer: Optimizer
    generator: torch.Generator
    rate: Callable[[float], float]
    epoch: int = 0
    descended: int | None = None
    best: Best = field(default_factory=Best)
    average: Best = field(default_factory=Best)
    averaged: AveragedModel | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    parts: int = 1
    processes: Processes = ALONE_IN_TRAINING
    forward: Callable[[Tensor, Tensor], Tensor] | None = None


def keep(state: State, store: Store) -> None:
    """Write the checkpoint, then the history, which the checkpoint holds too; the first process does."""
    on_cuda = next(state.module.parameters()).is_cuda
    content = {
        "module": state.module.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "averaged": None if state.averaged is None else state.averaged.state_dict(),
        "best": [vars(best) for best in (state.best, state.average)],
        "numbers": [state.epoch, state.descended, state.parts],
        "history": json.dumps(state.history),
        "order": state.generator.get_state(),
        "random": all_states(state.processes, torch.get_rng_state()),
        "random_cuda": all_states(state.processes, torch.cuda.get_rng_state()) if on_cuda else None,
    }
    if store.together is not None:
        store.together[store.identity] = content
    elif state.processes.rank == FIRST:
        write_checkpoint(store.folder / NAME, content, store.identity)
    if state.processes.rank == FIRST:
        write_history(store.folder, state.history)


def restore(state: State, task: Task, store: Store) -> None:
    """Go on from the checkpoint, where there is one of this training; else clear the history."""
    rank = state.processes.rank
    content = (
        find_checkpoint(store, state.processes)
        if store.together is None
        else store.together.get(store.identity)
    )
    if content is not None:
        state.module.load_state_dict(content["module"])
        state.optimizer.load_state_dict(content["optimizer"])
        if content["averaged"] is not None and task.averaging is not None:
            state.averaged = task.averaging.start(state.module)
            state.averaged.load_state_dict(content["averaged"])
        state.best, state.average = (Best(**best) for best in content["best"])
        state.epoch, state.descended, state.parts = content["numbers"]
        state.history = json.loads(content["history"])
        state.generator.set_state(content["order"])
        torch.set_rng_state(content["random"][rank])
        if content["random_cuda"] is not None:
            torch.cuda.set_rng_state(content["random_cuda"][rank])
    if rank == FIRST:
        write_history(store.folder, state.history)


def find_checkpoint(store: Store, processes: Processes = ALONE_IN_TRAINING) -> dict[str, Any] | None:
    """The checkpoint in the folder, as the first process sees it; None where there is none of this."""
    path = store.folder / NAME
    held = path.read_bytes() if processes.rank == FIRST and path.is_file() else b""
    content, why_not = read_checkpoint(bytes_of_first(processes, held), store.identity)
    if why_not:
        store.say(f"{path}: {why_not}; training starts anew")
    return content


def write_history(folder: Path, history: list[dict[str, Any]]) -> None:
    """Write history.jsonl, a line an epoch.

    Raises:
        FlarecastError: The folder cannot be written.
    """
    with replacing(folder / HISTORY) as aside:
        aside.write_text("".join(json.dumps(entry) + "\n" for entry in history), encoding="utf-8")

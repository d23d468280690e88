"""Epochs of a model that is fitted by gradient: descent, averaging, validation, checkpoints.

Descent runs at `learning_rate`, as its schedule says, until `averaging_start` of the epochs are done, or no
epoch of `patience` was better on validation. Averaging then starts from the best weights so far, at the
constant `averaging_learning_rate`, for the other 1 - `averaging_start` of the epochs, and averages the
weights after each of them. At last batch norm is refreshed for the averaged weights, and the better on
validation of these and the best of the descent are kept. Without averaging the descent has all epochs and its
best weights stay.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import SWALR, AveragedModel

from flarecast.averaging import Averaging, refresh_batch_norm
from flarecast.batches import Sample, ordered, shuffled, take
from flarecast.checkpoint import NAME, read_checkpoint, write_checkpoint
from flarecast.errors import FlarecastError
from flarecast.files import replacing
from flarecast.gradient import build_optimizer, build_schedule, set_rate, training_step
from flarecast.losses import Loss, negative_log_likelihood
from flarecast.sections import Train

Progress = Callable[[int, int, dict[str, Any]], None]

HISTORY = "history.jsonl"
VALIDATION_BATCH = 1024


@dataclass(frozen=True)
class Plan:
    """How long to train where no validation windows say it: epochs of descent, then of averaging."""

    descent: int
    averaging: int


@dataclass(frozen=True)
class Task:
    """What is to be fitted.

    Attributes:
        train: Windows that an epoch goes through, balanced.
        redraw: Windows of an epoch by its number, from 0, where each has its own; None: all have `train`.
        natural: The train windows as they are, for batch norm.
        validation: Windows that decide when to stop and what to keep; None where a plan does.
        loss: Entry of `LOSSES`.
        averaging: Entry of `AVERAGINGS`.
        log_correction: Log of natural over trained class priors, added to logits before validation, so
            that a balanced model is not judged by the prior that balancing gave it; shape (class,).
        settings: Section `train` of the configuration.
        plan: Epochs to train where there is no validation; what is last, or averaged, is kept.
    """

    train: Sample
    natural: Sample
    validation: Sample | None
    loss: Loss
    averaging: Averaging
    log_correction: Tensor
    settings: Train
    plan: Plan | None = None
    redraw: Callable[[int], Sample] | None = None


@dataclass(frozen=True)
class Store:
    """Where checkpoints and the history go, and whose they are."""

    folder: Path
    identity: str


@dataclass
class State:
    """All that changes from epoch to epoch; `descended` counts the epochs before averaging, once it runs.

    `rate` is the learning rate of the descent by the epochs done.
    """

    module: nn.Module
    optimizer: Optimizer
    generator: torch.Generator
    rate: Callable[[float], float]
    epoch: int = 0
    descended: int | None = None
    best_loss: float = math.inf
    best_epoch: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)
    averaged: AveragedModel | None = None
    history: list[dict[str, Any]] = field(default_factory=list)


def fit_by_gradient(
    module: nn.Module, task: Task, generator: torch.Generator, store: Store, progress: Progress | None
) -> dict[str, Any]:
    """Train a module in place, from its checkpoint where there is one.

    Args:
        module: Freshly built, on the device of the task.
        task: What is to be fitted.
        generator: Of the order of windows.
        store: Folder of checkpoint and history.
        progress: Called after each epoch with epochs done, epochs planned, and the line of the history.

    Returns:
        What was kept and its validation losses, the last line of the history.

    Raises:
        FlarecastError: The loss is no longer finite, or the folder cannot be written.
    """
    settings = task.settings
    n_descent, n_averaging = phases(settings)
    if task.plan is not None:
        n_descent, n_averaging = task.plan.descent, task.plan.averaging
    rate = build_schedule(settings, n_descent)
    state = State(module, build_optimizer(module, settings), generator, rate)
    _restore(state, task, store)
    while True:
        stale = state.epoch - state.best_epoch >= settings.patience
        if state.descended is None and (state.epoch >= n_descent or stale):
            _start_averaging(state, task)
        if state.descended is not None and state.epoch >= state.descended + n_averaging:
            break
        entry = _run_epoch(state, task)
        state.history.append(entry)
        _keep(state, store)
        if progress is not None:
            before = n_descent if state.descended is None else state.descended
            progress(state.epoch, before + n_averaging, entry)
    entry = _finish(state, task)
    state.history.append(entry)
    write_history(store.folder, state.history)
    return entry


def phases(settings: Train) -> tuple[int, int]:
    """Most epochs of descent, and epochs of averaging; both at least 1 where there are two epochs or more."""
    if settings.averaging == "none" or settings.epochs == 1:
        return settings.epochs, 0
    n_descent = min(settings.epochs - 1, max(1, round(settings.averaging_start * settings.epochs)))
    return n_descent, settings.epochs - n_descent


def train_epoch(
    module: nn.Module,
    optimizer: Optimizer,
    task: Task,
    generator: torch.Generator,
    epoch: int = 0,
    rate: Callable[[float], float] | None = None,
) -> float:
    """All training windows of an epoch, from 0, once, in random order; mean loss of a window.

    The learning rate of each step is the rate at the epochs done by then; without one it stays as it is.
    """
    module.train()
    sample = task.train if task.redraw is None or epoch == 0 else task.redraw(epoch)
    total = torch.zeros((), device=sample.index.device)
    places = shuffled(len(sample), task.settings.batch_size, generator)
    for nth, place in enumerate(places):
        if rate is not None:
            set_rate(optimizer, rate(epoch + nth / len(places)))
        batch, masked = take(sample, place.to(total.device)), sample.tensors.masked
        total += training_step(module, optimizer, task.loss, batch, task.settings, masked) * len(place)
    return float(total) / len(sample)


@torch.no_grad()
def validation_loss(module: nn.Module, task: Task) -> float | None:
    """Mean negative log likelihood of the validation windows, unweighted, after the prior correction.

    None where there are no such windows.
    """
    module.eval()
    if task.validation is None:
        return None
    total = torch.zeros((), dtype=torch.float64, device=task.log_correction.device)
    for batch in ordered(task.validation, VALIDATION_BATCH):
        logits = module(batch.steps, batch.last_class) + task.log_correction
        total += negative_log_likelihood(logits, batch.low, batch.high).double().sum()
    return float(total) / len(task.validation)


def write_history(folder: Path, history: list[dict[str, Any]]) -> None:
    """Write history.jsonl, a line an epoch.

    Raises:
        FlarecastError: The folder cannot be written.
    """
    with replacing(folder / HISTORY) as aside:
        aside.write_text("".join(json.dumps(entry) + "\n" for entry in history), encoding="utf-8")


def _run_epoch(state: State, task: Task) -> dict[str, Any]:
    """One epoch and its validation; returns its line of the history."""
    rate = state.rate if state.descended is None else None
    train_loss = train_epoch(state.module, state.optimizer, task, state.generator, state.epoch, rate)
    state.epoch += 1
    loss = validation_loss(state.module, task)
    for name, value in (("training", train_loss), ("validation", loss)):
        if value is not None and not math.isfinite(value):
            rate = state.optimizer.param_groups[0]["lr"]
            raise FlarecastError(
                f"{name} loss: expected a finite number, got {value} in epoch {state.epoch} at learning rate "
                f"{rate:g}; lower train.learning_rate"
            )
    if state.averaged is not None:
        state.averaged.update_parameters(state.module)
    elif loss is None or loss < state.best_loss:
        state.best_loss, state.best_epoch = math.inf if loss is None else loss, state.epoch
        state.best = {name: value.clone() for name, value in state.module.state_dict().items()}
    return {
        "epoch": state.epoch,
        "phase": "descent" if state.averaged is None else "averaging",
        "learning_rate": state.optimizer.param_groups[0]["lr"],
        "train_loss": train_loss,
        "validation_loss": loss,
    }


def _start_averaging(state: State, task: Task) -> None:
    """Go back to the best weights and start the average at a constant rate."""
    state.descended = state.epoch
    state.module.load_state_dict(state.best)
    state.averaged = task.averaging(state.module)
    # No annealing: weights may be averaged only while the rate is constant.
    SWALR(state.optimizer, swa_lr=task.settings.averaging_learning_rate, anneal_epochs=0)


def _finish(state: State, task: Task) -> dict[str, Any]:
    """Load the weights to keep into the module; returns the last line of the history."""
    entry: dict[str, Any] = {
        "kept": "best",
        "epochs": state.epoch,
        "best_epoch": state.best_epoch,
        "validation_loss_best": state.best_loss if task.validation is not None else None,
        "validation_loss_last": state.history[-1]["validation_loss"],
    }
    if state.averaged is not None and int(state.averaged.n_averaged) > 0:
        refresh_batch_norm(state.averaged, _natural_batches(state, task))
        entry["validation_loss_averaged"] = loss = validation_loss(state.averaged, task)
        if loss is None or loss <= state.best_loss:
            entry["kept"] = "averaged"
            state.best = state.averaged.module.state_dict()
    state.module.load_state_dict(state.best)
    state.module.eval()
    return entry


def _natural_batches(state: State, task: Task) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs of the train windows as they are by nature, shuffled."""
    for place in shuffled(len(task.natural), task.settings.batch_size, state.generator):
        batch = take(task.natural, place.to(task.natural.index.device))
        yield batch.steps, batch.last_class


def _keep(state: State, store: Store) -> None:
    """Write the checkpoint, then the history, which the checkpoint holds too."""
    on_cuda = next(state.module.parameters()).is_cuda
    content = {
        "module": state.module.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "averaged": None if state.averaged is None else state.averaged.state_dict(),
        "best": state.best,
        "numbers": [state.epoch, state.descended, state.best_loss, state.best_epoch],
        "history": json.dumps(state.history),
        "order": state.generator.get_state(),
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state() if on_cuda else None,
    }
    write_checkpoint(store.folder / NAME, content, store.identity)
    write_history(store.folder, state.history)


def _restore(state: State, task: Task, store: Store) -> None:
    """Go on from the checkpoint, where there is one of this training; else clear the history."""
    content = read_checkpoint(store.folder / NAME, store.identity)
    if content is not None:
        state.module.load_state_dict(content["module"])
        state.optimizer.load_state_dict(content["optimizer"])
        if content["averaged"] is not None:
            state.averaged = task.averaging(state.module)
        if state.averaged is not None:
            state.averaged.load_state_dict(content["averaged"])
        state.best = content["best"]
        state.epoch, state.descended, state.best_loss, state.best_epoch = content["numbers"]
        state.history = json.loads(content["history"])
        state.generator.set_state(content["order"])
        torch.set_rng_state(content["random"])
        if content["random_cuda"] is not None:
            torch.cuda.set_rng_state(content["random_cuda"])
    write_history(store.folder, state.history)

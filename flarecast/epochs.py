"""Epochs of a model that is fitted by gradient: descent, averaging, validation, checkpoints.

Descent runs at `learning_rate`, as its schedule says, until `averaging_start` of the epochs are done, or no
epoch of `patience` was better on validation. Averaging then starts from the best weights so far, at the
constant `averaging_learning_rate`, for the other 1 - `averaging_start` of the epochs, and averages the
weights after each of them. At last batch norm is refreshed for the averaged weights, and the better on
validation of these and the best of the descent are kept. Without averaging the descent has all epochs and its
best weights stay.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import SWALR

from flarecast.averaging import refresh_batch_norm
from flarecast.errors import FlarecastError
from flarecast.gradient import build_optimizer, build_schedule
from flarecast.passes import natural_batches, train_epoch, validation_loss
from flarecast.sections import Train
from flarecast.task import Task
from flarecast.training_state import State, Store, keep, restore, write_history

Progress = Callable[[int, int, dict[str, Any]], None]


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
    rate = build_schedule(settings, n_descent)  # with a plan too: where the folds were best on it, it ends
    if task.plan is not None:
        n_descent, n_averaging = task.plan.descent, task.plan.averaging
    state = State(module, build_optimizer(module, settings), generator, rate, parts=settings.accumulate)
    restore(state, task, store)
    while True:
        stale = state.epoch - state.best_epoch >= settings.patience
        if state.descended is None and (state.epoch >= n_descent or stale):
            _start_averaging(state, task)
        if state.descended is not None and state.epoch >= state.descended + n_averaging:
            break
        parts = state.parts
        entry = _run_epoch(state, task)
        if state.parts != parts:
            store.say(
                f"{store.folder}: the device's memory is too small for batches of {settings.batch_size}; "
                f"from epoch {state.epoch} on they go in {state.parts} parts, which changes no step"
            )
        state.history.append(entry)
        keep(state, store)
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


def _run_epoch(state: State, task: Task) -> dict[str, Any]:
    """One epoch and its validation; returns its line of the history."""
    train_loss = train_epoch(state, task)
    state.epoch += 1
    loss = validation_loss(state.module, task)
    if loss is not None and not math.isfinite(loss):
        raise FlarecastError(
            f"validation loss: expected a finite number, got {loss} after epoch {state.epoch} at "
            f"learning rate {state.optimizer.param_groups[0]['lr']:g}; lower train.learning_rate"
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
        "parts": state.parts,
    }
    if state.averaged is not None and int(state.averaged.n_averaged) > 0:
        refresh_batch_norm(state.averaged, natural_batches(task, state.generator))
        entry["validation_loss_averaged"] = loss = validation_loss(state.averaged, task)
        if loss is None or loss <= state.best_loss:
            entry["kept"] = "averaged"
            state.best = state.averaged.module.state_dict()
    state.module.load_state_dict(state.best)
    state.module.eval()
    return entry

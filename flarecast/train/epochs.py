"""Epochs of a model that is fitted by gradient: descent, averaging, validation, checkpoints.

Descent runs at `learning_rate`, as its schedule says, until `averaging_start` of the epochs are done, or no
epoch of `patience` was better on validation. Averaging then starts from the best weights so far, at
`averaging_learning_rate`, for the other 1 - `averaging_start` of the epochs, and collects weights as its
options say. A moving average has no such phase: it follows a descent of all epochs, step by step. After every
epoch batch norm is refreshed for the average, so that it can be validated beside the last weights. The better
on validation of the average and of the best weights of the descent are kept; but where members are drawn
around the average, the average is.

A training is a generator that asks for one epoch after the other to be gone through, so that whoever runs it
can go through epochs of several trainings at once.
"""

import math
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, TypeVar

import torch
from torch import nn

from flarecast.averaging.gaussian import MOMENTS, GaussianAverage, save_moments
from flarecast.errors import FlarecastError
from flarecast.resources import ALONE_IN_TRAINING, Processes
from flarecast.train.averaging_phase import (
    begin_averaging,
    check_collected,
    check_steps,
    name_of_rate,
    phases,
)
from flarecast.train.gradient import build_optimizer, build_schedule
from flarecast.train.passes import EpochLosses, mean_loss, refresh, train_epoch, validation_loss
from flarecast.train.precision import compiled_forward
from flarecast.train.processes import FIRST, take_weights_of_first
from flarecast.train.task import Task
from flarecast.train.training_state import Best, State, Store, keep, restore, write_history

Progress = Callable[[int, int, dict[str, Any]], None]
T = TypeVar("T")
Course = Generator[tuple[State, Task], EpochLosses, T]
"""A training: gives what is to go through an epoch, takes its losses, and returns what came of it."""


def run_alone(course: Course[T]) -> T:
    """Run a training whose epochs it goes through alone."""
    with closing(course):
        try:
            wanted = next(course)
            while True:
                wanted = course.send(train_epoch(*wanted))
        except StopIteration as end:
            result: T = end.value
            return result


def fit_by_gradient(
    module: nn.Module,
    task: Task,
    generator: torch.Generator,
    store: Store,
    progress: Progress | None,
    processes: Processes = ALONE_IN_TRAINING,
) -> Course[dict[str, Any]]:
    """Train a module in place, from its checkpoint where there is one.

    Args:
        module: Freshly built, on the device of the task.
        task: What is to be fitted.
        generator: Of the order of windows.
        store: Folder of checkpoint and history.
        progress: Called after each epoch with epochs done, epochs planned, and the line of the history.
        processes: Those that train the module together.

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
    state = State(module, build_optimizer(module.parameters(), settings), generator, rate)
    state.parts, state.processes = settings.accumulate, processes
    _begin(state, task, store)
    while True:
        stale = state.epoch - max(state.best.epoch, state.average.epoch) >= settings.patience
        if state.descended is None and (state.epoch >= n_descent or stale):
            begin_averaging(state, task)
        if state.descended is not None and state.epoch >= state.descended + n_averaging:
            return _end(state, task, store)
        parts = state.parts
        losses = yield state, task
        entry = _end_epoch(state, task, losses)
        if state.parts != parts:
            _say_parts(state, task, store)
        state.history.append(entry)
        if task.after_epoch is not None:
            task.after_epoch(state.module, state.epoch)
        keep(state, store)
        if progress is not None:
            before = n_descent if state.descended is None else state.descended
            progress(state.epoch, before + n_averaging, entry)


def _begin(state: State, task: Task, store: Store) -> None:
    """Give all processes the same network, begin an average that follows it, and find the checkpoint."""
    settings, n_windows = task.settings, len(task.train)
    if settings.batch_size > n_windows:
        store.say(
            f"train.batch_size: {settings.batch_size} is more than the {n_windows} windows to train on; "
            "every epoch is a single step"
        )
    check_steps(task)
    take_weights_of_first(state.processes, state.module)
    if state.processes.rank != FIRST:  # dropout is not the same in all parts of a batch
        torch.manual_seed(torch.initial_seed() + state.processes.rank)
    if settings.compile:
        state.forward = compiled_forward(state.module, store.say)
    averages = task.averaging is not None and (task.plan is None or task.plan.average)
    if task.averaging is not None and averages and task.averaging.pace is None:
        state.averaged = task.averaging.start(state.module)
    restore(state, task, store)


def _end_epoch(state: State, task: Task, losses: EpochLosses) -> dict[str, Any]:
    """Validation after an epoch; returns its line of the history."""
    train_loss = mean_loss(losses, state)
    state.epoch += 1
    loss = validation_loss(state.module, task, state.processes)
    if loss is not None and not math.isfinite(loss):
        raise FlarecastError(
            f"validation loss: expected a finite number, got {loss} after epoch {state.epoch} at "
            f"learning rate {state.optimizer.param_groups[0]['lr']:g}; lower {name_of_rate(state)}"
        )
    descending = state.descended is None
    if descending:
        state.best.offer(loss, state.epoch, state.module)
    return {
        "epoch": state.epoch,
        "phase": "descent" if descending else "averaging",
        "learning_rate": state.optimizer.param_groups[0]["lr"],
        "train_loss": train_loss,
        "validation_loss": loss,
        **_show_average(state, task),
    }


def _say_parts(state: State, task: Task, store: Store) -> None:
    """Say that batches go through the network in more parts than before."""
    store.say(
        f"{store.folder}: the device's memory is too small for batches of {task.settings.batch_size}; "
        f"from epoch {state.epoch} on they go in {state.parts} parts, which changes no step"
    )


def _show_average(state: State, task: Task) -> dict[str, float | None]:
    """Refresh the average, validate it, and take it if it is the best or that of a phase of its own.

    The order of windows and the random numbers of the training stay as they were: nothing in it depends on
    whether somebody looks at an average. Nothing to tell where there is none yet.
    """
    averaged = state.averaged
    if averaged is None or task.averaging is None or not int(averaged.n_averaged):
        return {}
    order = torch.Generator()
    order.set_state(state.generator.get_state())
    device = task.log_correction.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        refresh(averaged, task, order, state.processes)
    loss = validation_loss(averaged, task, state.processes)
    if task.averaging.pace is not None:
        state.average = Best()
    state.average.offer(loss, state.epoch, averaged.module)
    return {"validation_loss_averaged": loss}


def _end(state: State, task: Task, store: Store) -> dict[str, Any]:
    """Take the weights to keep, write what members are drawn from and the history; returns its last line."""
    check_collected(state, task)
    entry = _take_kept(state, task)
    state.history.append(entry)
    if state.processes.rank == FIRST:
        if isinstance(state.averaged, GaussianAverage):
            save_moments(state.averaged.moments(), state.module, store.folder / MOMENTS)
        write_history(store.folder, state.history)
    return entry


def _take_kept(state: State, task: Task) -> dict[str, Any]:
    """Load the weights to keep into the module; returns the last line of the history."""
    best, average, averaging = state.best, state.average, task.averaging
    validated = task.validation is not None
    better = averaging is not None and (averaging.members > 0 or average.loss <= best.loss)
    kept = average if average.epoch and better else best
    along = averaging is not None and averaging.pace is None
    entry: dict[str, Any] = {
        "kept": "best" if kept is best else "averaged",
        "epochs": state.epoch,
        "best_epoch": kept.epoch if along else best.epoch,
        "validation_loss_best": best.loss if validated else None,
        "validation_loss_last": state.history[-1]["validation_loss"],
        "parts": state.parts,
    }
    if average.epoch:
        entry["validation_loss_averaged"] = average.loss if validated else None
    state.module.load_state_dict(kept.weights)
    state.module.eval()
    return entry

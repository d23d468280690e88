"""Averaging of weights in a training: built from the configuration, begun, fed after steps at its rate."""

import math

from flarecast.averaging import AVERAGINGS, Averaging
from flarecast.averaging.pace import Pace
from flarecast.config.checking import check_options
from flarecast.config.sections import Train
from flarecast.errors import FlarecastError, choose
from flarecast.schedules import cyclical
from flarecast.train.task import Task
from flarecast.train.training_state import State


def build_averaging(settings: Train) -> Averaging | None:
    """The averaging of `train.averaging` with its options, None where nothing is averaged.

    Raises:
        FlarecastError: No such averaging or option, or options that exclude each other.
    """
    entry = choose("train.averaging", settings.averaging, AVERAGINGS)
    options = check_options(entry, settings.averaging_options, "train.averaging_options")
    try:
        return entry(**options)
    except FlarecastError as error:
        raise FlarecastError(f"train.averaging_options: {error}") from error


def phases(settings: Train) -> tuple[int, int]:
    """Most epochs of descent, and epochs of averaging after it; both at least 1 where there are both."""
    averaging = build_averaging(settings)
    if averaging is None or averaging.pace is None or settings.epochs == 1:
        return settings.epochs, 0
    n_descent = min(settings.epochs - 1, max(1, round(settings.averaging_start * settings.epochs)))
    return n_descent, settings.epochs - n_descent


def check_averaging(settings: Train) -> None:
    """Make sure that averaging is known and starts, and collects as many weights as it needs.

    Raises:
        FlarecastError: It does not.
    """
    averaging, n_epochs = build_averaging(settings), phases(settings)[1]
    pace = None if averaging is None else averaging.pace
    if pace is None:
        return
    name, n_settled = settings.averaging, n_epochs - pace.anneal
    if n_epochs == 0:
        raise FlarecastError(
            f"train.averaging {name}: expected an epoch of averaging after the descent, got train.epochs "
            f"{settings.epochs} in all; train longer or set train.averaging to none"
        )
    if n_settled >= 1 and pace.cycle > n_settled:
        raise FlarecastError(
            f"train.averaging_options: expected a cycle of at most {n_settled}, the epochs of averaging once "
            f"the rate has settled, got cycle {pace.cycle}; shorten it, train longer or average earlier"
        )
    if pace.collected(n_epochs) < pace.least:
        raise FlarecastError(
            f"train.averaging {name}: expected at least {pace.least} collected weights, got "
            f"{pace.collected(n_epochs)} in {n_epochs} epochs of averaging, {pace.anneal} of them to anneal; "
            "train longer, average earlier or collect more often"
        )


def check_steps(task: Task) -> None:
    """Make sure that an epoch has the steps after which weights are to be collected.

    Raises:
        FlarecastError: Too few weights would be collected.
    """
    pace = None if task.averaging is None else task.averaging.pace
    n_epochs = phases(task.settings)[1] if task.plan is None else task.plan.averaging
    if pace is None or not n_epochs:
        return
    n_steps = math.ceil(len(task.train) / task.settings.batch_size)
    _require_weights(min(pace.collected(n_epochs), (n_epochs - pace.anneal) * n_steps), pace, task)


def check_collected(state: State, task: Task) -> None:
    """Make sure that an average holds the weights that it needs; epochs may differ in their windows.

    Where folds say that nothing is averaged, none is due.

    Raises:
        FlarecastError: It holds fewer.
    """
    pace = None if task.averaging is None else task.averaging.pace
    averages = state.descended is not None and state.epoch > state.descended
    if pace is not None and state.averaged is not None and averages:
        _require_weights(int(state.averaged.n_averaged), pace, task)


def _require_weights(collected: int, pace: Pace, task: Task) -> None:
    """Raise where too few weights are collected because epochs have few steps."""
    if collected < pace.least:
        raise FlarecastError(
            f"train.averaging {task.settings.averaging}: expected at least {pace.least} collected weights, "
            f"got {collected}, for an epoch has few steps; lower train.batch_size or train longer"
        )


def begin_averaging(state: State, task: Task) -> None:
    """End the descent: go back to its best weights and start an empty average, where there is to be one."""
    state.descended = state.epoch
    state.module.load_state_dict(state.best.weights)
    if task.averaging is not None and task.averaging.pace is not None:
        state.averaged = task.averaging.start(state.module)


def rate_after(state: State, task: Task, share: float) -> float:
    """Learning rate of the next step, by the share of the epoch that is done.

    In the descent as its schedule says. Then, where `anneal` asks for it, straight from the last rate of the
    descent to `averaging_learning_rate`, and from there on constant or in cycles.
    """
    if state.descended is None:
        return state.rate(state.epoch + share)
    own, done = task.settings.averaging_learning_rate, state.epoch - state.descended + share
    pace = None if task.averaging is None else task.averaging.pace
    if pace is not None and done < pace.anneal:
        before = float(state.history[state.descended - 1]["learning_rate"])
        return before + (own - before) * done / pace.anneal
    if pace is not None and pace.cycle:
        return own * cyclical(done - pace.anneal, pace.cycle, cycle=pace.cycle, final=pace.final)
    return own


def name_of_rate(state: State) -> str:
    """Key of the configuration that the learning rate goes by now."""
    return "train.learning_rate" if state.descended is None else "train.averaging_learning_rate"


def collect(state: State, task: Task, before: float, after: float) -> None:
    """Add the weights to the average if they are due after a step, by the shares of the epoch around it."""
    if state.averaged is None or task.averaging is None:
        return
    pace, done = task.averaging.pace, state.epoch - (state.descended or 0)
    if pace is None or pace.is_due(done + before, done + after):
        state.averaged.update_parameters(state.module)

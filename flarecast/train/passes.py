"""Passes over the windows of a task: one that trains, one that validates, one for batch norm."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from flarecast.averaging import refresh_batch_norm
from flarecast.batches import Sample, shuffled, take
from flarecast.errors import FlarecastError
from flarecast.losses import negative_log_likelihood
from flarecast.resources import ALONE_IN_TRAINING, Processes
from flarecast.train.averaging_phase import collect, name_of_rate, rate_after
from flarecast.train.frozen import to_training
from flarecast.train.gradient import Descent, set_rate, training_step
from flarecast.train.processes import add_up, average_statistics, my_part
from flarecast.train.task import Task
from flarecast.train.training_state import State

VALIDATION_BATCH = 1024


@dataclass(frozen=True)
class EpochLosses:
    """Loss of each batch of an epoch, shape (batch,), on the device, and the places of its windows."""

    values: Tensor
    places: list[Tensor]


def sample_of(state: State, task: Task) -> Sample:
    """The training windows of the next epoch."""
    return task.train if task.redraw is None or state.epoch == 0 else task.redraw(state.epoch)


def train_epoch(state: State, task: Task) -> EpochLosses:
    """All training windows of an epoch once, in random order.

    The learning rate of each step is the rate at the epochs done by then. An average, where there is one,
    takes the weights after the steps that it asks for.

    Raises:
        FlarecastError: The device's memory is too small.
    """
    to_training(state.module)
    sample = sample_of(state, task)
    masked, device = sample.tensors.masked, task.log_correction.device
    descent = Descent(
        state.module,
        state.optimizer,
        task.loss,
        task.settings,
        masked,
        state.parts,
        state.forward,
        state.processes,
    )
    places = shuffled(len(sample), task.settings.batch_size, state.generator)
    losses, n_mine = torch.zeros(len(places), device=device), 0
    for nth, place in enumerate(places):
        set_rate(state.optimizer, rate_after(state, task, nth / len(places)))
        mine = my_part(state.processes, place)
        losses[nth] = training_step(descent, take(sample, mine), len(place))
        collect(state, task, nth / len(places), (nth + 1) / len(places))
        n_mine += len(mine)
    state.parts = descent.parts
    average_statistics(state.processes, state.module, n_mine)
    return EpochLosses(add_up(state.processes, losses), places)


def mean_loss(of: EpochLosses, state: State) -> float:
    """Mean over windows of the losses of batches, looked at once an epoch, so that no step waits for it.

    Raises:
        FlarecastError: One is not finite.
    """
    losses, places = of.values.double().cpu(), of.places
    bad = torch.nonzero(~torch.isfinite(losses)).flatten().tolist()
    if bad:
        rate = f", at learning rate {state.optimizer.param_groups[0]['lr']:g}; lower {name_of_rate(state)}"
        untouched = state.epoch == bad[0] == 0
        raise FlarecastError(
            f"training loss: expected a finite number, got {losses[bad[0]]:g} in epoch {state.epoch + 1}, "
            f"batch {bad[0] + 1} of {len(places)}"
            + (", before any step; scale the rows to smaller numbers by scale.name" if untouched else rate)
        )
    sizes = torch.tensor([len(place) for place in places], dtype=torch.float64)
    return float((losses * sizes).sum() / sizes.sum())


@torch.no_grad()
def validation_loss(module: nn.Module, task: Task, processes: Processes = ALONE_IN_TRAINING) -> float | None:
    """Mean negative log likelihood of the validation windows, unweighted, after the prior correction.

    None where there are no such windows.
    """
    module.eval()
    if task.validation is None:
        return None
    total = torch.zeros((), dtype=torch.float64, device=task.log_correction.device)
    mine = my_part(processes, torch.arange(len(task.validation)))
    for place in torch.split(mine, VALIDATION_BATCH) if len(mine) else ():
        batch = take(task.validation, place)
        logits = module(batch.steps, batch.last_class) + task.log_correction
        total += negative_log_likelihood(logits, batch.low, batch.high).double().sum()
    return float(add_up(processes, total)) / len(task.validation)


def refresh(
    module: nn.Module, task: Task, generator: torch.Generator, processes: Processes = ALONE_IN_TRAINING
) -> None:
    """Recompute the batch-norm statistics of averaged or drawn weights on the train windows by nature.

    Several processes take batches in turn: statistics are means over batches, so nothing else changes.
    """
    places = shuffled(len(task.natural), task.settings.batch_size, generator)
    mine = places[processes.rank :: processes.size]
    batches = (take(task.natural, place) for place in mine)
    refresh_batch_norm(module, ((batch.steps, batch.last_class) for batch in batches))
    average_statistics(processes, module, len(mine))

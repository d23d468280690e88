"""Passes over the windows of a task: one that trains, one that validates, one for batch norm."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from flarecast.batches import ordered, shuffled, take
from flarecast.gradient import set_rate, training_step
from flarecast.losses import negative_log_likelihood
from flarecast.task import Task

VALIDATION_BATCH = 1024


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


def natural_batches(task: Task, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs of the train windows as they are by nature, shuffled."""
    for place in shuffled(len(task.natural), task.settings.batch_size, generator):
        batch = take(task.natural, place.to(task.natural.index.device))
        yield batch.steps, batch.last_class

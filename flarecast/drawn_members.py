"""Members of a model drawn from the Gaussian of its collected weights, each a model folder of its own."""

import copy
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from flarecast.averaging.gaussian import MOMENTS, draw, fill, load_moments
from flarecast.batches import Sample, ordered
from flarecast.losses import negative_log_likelihood
from flarecast.model_file import TrainedModel, save
from flarecast.passes import VALIDATION_BATCH, refresh
from flarecast.task import Task

MEMBERS = "members"


def write_members(model: TrainedModel, task: Task, folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """Draw the members that `train.averaging` asks for and write them, from 1, as `members/K`.

    Args:
        model: The model, with the mean of the collected weights.
        task: Its training.
        folder: MODEL_DIR, which holds the moments.
        rng: Decides the draws, and the order in which batch norm sees the windows.

    Returns:
        How many there are, and the validation loss of their mean probabilities, None without validation;
        nothing where none are asked for.

    Raises:
        FlarecastError: The folder cannot be written.
    """
    if task.averaging is None or not task.averaging.members:
        return {}
    total: Tensor | None = None
    for number, module in enumerate(draw_members(model.module, task, folder, rng), start=1):
        own = replace(model, module=module, training={**model.training, "member": number})
        save(own, folder / MEMBERS / str(number))
        if task.validation is not None:
            one = _class_probability(module, task, task.validation)
            total = one if total is None else total + one
    loss = None
    if task.validation is not None and total is not None:
        mean = total / task.averaging.members
        loss = float(negative_log_likelihood(mean.log(), task.validation.low, task.validation.high).mean())
    return {"members": task.averaging.members, "validation_loss_members": loss}


def draw_members(
    module: nn.Module, task: Task, folder: Path, rng: np.random.Generator
) -> Iterator[nn.Module]:
    """Networks with weights drawn from the moments in a folder, batch norm refreshed on natural windows.

    Args:
        module: Whose weights were collected.
        task: Its training.
        folder: Of the moments.
        rng: As for `write_members`.
    """
    if task.averaging is None:
        return
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    moments = load_moments(folder / MOMENTS)
    for weights in draw(moments, task.averaging.members, task.averaging.scale, generator):
        member = copy.deepcopy(module)
        fill(member, weights)
        refresh(member, task, generator)
        yield member.eval()


def remove_members(folder: Path) -> None:
    """Remove members that a training before drew, with their moments."""
    if (folder / MOMENTS).exists():
        shutil.rmtree(folder / MEMBERS, ignore_errors=True)
        (folder / MOMENTS).unlink()


@torch.no_grad()
def _class_probability(module: nn.Module, task: Task, sample: Sample) -> Tensor:
    """Probabilities of the exclusive classes under the natural prior, shape (window, class), float64."""
    return torch.cat(
        [
            torch.softmax((module(batch.steps, batch.last_class) + task.log_correction).double(), dim=1)
            for batch in ordered(sample, VALIDATION_BATCH)
        ]
    )

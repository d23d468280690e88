"""Members that one training writes beside its model, each a model folder of its own.

They are snapshots of its network, its network with a last layer drawn from a posterior, or networks drawn
from the Gaussian of its collected weights. Members that are trained apart are `trainings`.
"""

import copy
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from flarecast.averaging.gaussian import MOMENTS, draw, fill, flat, load_moments
from flarecast.batches import Sample, ordered
from flarecast.config import Config
from flarecast.ensembles.bayes import draw_heads
from flarecast.ensembles.members import MEMBERS, member_folder
from flarecast.ensembles.recipes import recipe_of
from flarecast.errors import FlarecastError
from flarecast.losses import negative_log_likelihood
from flarecast.model_file import TrainedModel, save
from flarecast.models.head import FunctionHead
from flarecast.train.passes import VALIDATION_BATCH, refresh
from flarecast.train.prepare import Prepared
from flarecast.train.task import Task

BATCH = 1024
"""Windows at a time where nothing is learned."""


def with_snapshots(
    prepared: Prepared,
    describe: Callable[[nn.Module, dict[str, Any]], TrainedModel],
    config: Config,
    folder: Path,
) -> Prepared:
    """Let a training write the network at the end of each cycle as a member, where the configuration asks.

    Args:
        prepared: What the training works on.
        describe: Makes a model of a network and of what is to be said of its training.
        config: The configuration.
        folder: MODEL_DIR, or that of a fold or rival.
    """
    cycles = recipe_of(config).snapshots
    if not cycles:
        return prepared
    length = config.train.epochs // cycles

    def keep(module: nn.Module, epoch: int) -> None:
        if epoch % length == 0:
            number = epoch // length
            made = describe(module, {"kept": "snapshot", "epochs": epoch, "member": number})
            own = replace(made, config=config.of_member(number).resolved())
            _save_member(own, member_folder(folder, number))

    return replace(prepared, task=replace(prepared.task, after_epoch=keep))


def write_drawn(model: TrainedModel, sample: Sample, config: Config, folder: Path) -> None:
    """Write the members that are drawn from a posterior of the last layer, where the configuration asks.

    Args:
        model: The trained model.
        sample: What its network was fitted to.
        config: The configuration.
        folder: MODEL_DIR, or that of a fold or rival.
    """
    recipe = recipe_of(config)
    if not recipe.drawn:
        return
    generator = torch.Generator().manual_seed(int(config.generator("train posterior").integers(2**62)))
    heads = draw_heads(
        recipe.posterior,
        model.module,
        ordered(sample, BATCH),
        prior=torch.from_numpy(model.prior_trained).to(sample.index.device),
        n=recipe.drawn,
        generator=generator,
        options=recipe.posterior_options or {},
    )
    for number, head in enumerate(heads, start=1):
        module = copy.deepcopy(model.module)
        module.head = head
        kind = {"head": "gp"} if isinstance(head, FunctionHead) else {}
        own = replace(
            model,
            module=module,
            model_options={**model.model_options, **kind},
            config=config.of_member(number).resolved(),
            training={**model.training, "member": number},
        )
        _save_member(own, member_folder(folder, number))


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
        _save_member(own, member_folder(folder, number))
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
        if not flat(member).isfinite().all():
            raise FlarecastError(
                f"train.averaging_options: expected a scale that leaves weights finite, got "
                f"{task.averaging.scale:g}; lower it"
            )
        refresh(member, task, generator)
        yield member.eval()


def _save_member(member: TrainedModel, folder: Path) -> None:
    """Write the folder of a member, without what a training left there that was killed while it wrote."""
    for stale in folder.glob(".*.part"):
        stale.unlink(missing_ok=True)
    save(member, folder)


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

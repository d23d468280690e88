"""The members of a trained model: found in its folder, or thinned from it, and checked against it."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from flarecast.batches import Sample, ordered
from flarecast.bayes import draw_heads
from flarecast.bayes.dropout import thinned
from flarecast.config import Config, parse_config
from flarecast.drawn_members import MEMBERS
from flarecast.ensembles import recipe_of
from flarecast.errors import FlarecastError
from flarecast.model_file import DESCRIPTION, TrainedModel, load, save
from flarecast.models.head import FunctionHead
from flarecast.prepare import Prepared

BATCH = 1024
"""Windows at a time where nothing is learned."""

SAME = ("features", "events", "n_steps", "cadence_minutes", "lead_hours", "horizon_hours")
"""What the members of a model have in common with it."""


def member_folder(folder: Path, number: int) -> Path:
    """Where a member lies in the folder of its model."""
    return folder / MEMBERS / str(number)


def with_members(model: TrainedModel, folder: Path, device: str = "auto") -> TrainedModel:
    """A model with all members that its configuration, or its folder, says it has; a member itself has none.

    Args:
        model: As loaded from the folder.
        folder: MODEL_DIR, or that of a fold or rival.
        device: auto, cpu or cuda.

    Raises:
        FlarecastError: A member is missing, damaged or of another kind than the model; or there is but one.
    """
    config = parse_config(model.config)
    if config.ensemble.member is not None:
        return model
    recipe = recipe_of(config)
    found = _numbers(folder)
    if recipe.in_folders and found != list(recipe.in_folders):
        got = ", ".join(map(str, found)) or "none"
        raise FlarecastError(
            f"{folder / MEMBERS}: expected members 1 to {recipe.in_folders[-1]}, got {got}; train anew"
        )
    members = [] if recipe.thinned else [load(member_folder(folder, number), device) for number in found]
    for number, member in zip(found, members, strict=False):
        _check_alike(model, member, member_folder(folder, number))
    if recipe.thinned:
        members = [_thin(model, config, number) for number in range(1, recipe.thinned + 1)]
    if recipe.with_model:
        members.insert(0, model)
    if len(members) == 1:
        raise FlarecastError(
            f"{folder / MEMBERS}: expected at least 2 members, got 1; remove the folder to forecast with the "
            "model alone, or train anew"
        )
    return replace(model, members=tuple(members))


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
            save(own, member_folder(folder, number))

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
        save(own, member_folder(folder, number))


def _numbers(folder: Path) -> list[int]:
    """Numbers of the members in a folder, ascending."""
    paths = (folder / MEMBERS).glob(f"*/{DESCRIPTION}")
    return sorted(int(path.parent.name) for path in paths if path.parent.name.isdecimal())


def _check_alike(model: TrainedModel, member: TrainedModel, folder: Path) -> None:
    """Make sure that a member sees the same windows and forecasts the same events."""
    for name in SAME:
        wanted, got = getattr(model, name), getattr(member, name)
        if wanted != got:
            shown = [", ".join(map(str, one)) if isinstance(one, tuple) else one for one in (wanted, got)]
            raise FlarecastError(
                f"{folder}: expected a member with the {name.replace('_', ' ')} of the model, {shown[0]}, "
                f"got {shown[1]}; train anew"
            )


def _thin(model: TrainedModel, config: Config, number: int) -> TrainedModel:
    """A member by Monte Carlo dropout; its masks are of (seed, member)."""
    seed = int(config.of_member(number).generator("train dropout").integers(2**62))
    return replace(model, module=thinned(model.module, seed))

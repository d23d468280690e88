"""The members of a trained model: found in its folder, or thinned from it, and checked against it."""

from dataclasses import replace
from pathlib import Path

from flarecast.config import Config, parse_config
from flarecast.ensembles.bayes.dropout import has_dropout, thinned
from flarecast.ensembles.recipes import recipe_of
from flarecast.errors import FlarecastError
from flarecast.model_file import DESCRIPTION, TrainedModel, load

MEMBERS = "members"

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
    if recipe.thinned and not has_dropout(model.module):
        raise FlarecastError(
            f"{folder}: expected a model with dropout above 0, got {model.model_name} with 0; train anew"
        )
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

"""All trainings of a run: the model and its rivals, in every fold of the split.

MODEL_DIR holds the model of the final fold, `folds/K/` those of the other folds, `rivals/NAME/` the same
of each rival; each of these folders holds the members of its model in `members/K/`. Where calibration is
fitted on out-of-fold forecasts the final fold has no validation role: its model trains for the median of the
epochs that were best in the folds.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import xarray as xr

from flarecast.averaging.gaussian import MOMENTS
from flarecast.batches import choose_device
from flarecast.config import Config
from flarecast.ensembles import SWAG, recipe_of
from flarecast.ensembles.members import MEMBERS, member_folder
from flarecast.errors import FlarecastError
from flarecast.model_file import DESCRIPTION, TrainedModel, load
from flarecast.resources import Resources
from flarecast.schema import ROLES, SPLIT, open_file
from flarecast.train.averaging_phase import phases
from flarecast.train.members import remove_members
from flarecast.train.processes import FIRST, wait_for_all
from flarecast.train.stacked import worth_stacking
from flarecast.train.task import Plan
from flarecast.train.workers import Group, Training, run_trainings
from flarecast.windows import open_windows

FOLDS, RIVALS = "folds", "rivals"


def final_fold(split: xr.Dataset) -> int:
    """Fold whose model is the run's own, the one that forecasts windows never seen."""
    return int(split.attrs.get("final_fold", 0))


def fold_folder(folder: Path, fold: int, final: int) -> Path:
    """Where the model of a fold lies in a model folder."""
    return folder if fold == final else folder / FOLDS / str(fold)


def rival_folders(folder: Path, config: dict[str, Any]) -> dict[str, Path]:
    """Folder of each rival that a model was trained with, by name."""
    return {name: folder / RIVALS / name for name in config.get("rivals", {})}


def train_all(
    windows: Path,
    split: Path,
    config: Config,
    folder: Path,
    resources: Resources,
) -> TrainedModel:
    """Train the model and its rivals in all folds; the model of the final fold comes last.

    Args:
        windows: windows.nc.
        split: split.nc, audited.
        config: The configuration.
        folder: MODEL_DIR.
        resources: Device, workers, processes, and who is told.

    Returns:
        The model of the final fold.

    Raises:
        FlarecastError: As `train`, of the first training that failed, named; or workers and processes are
            asked for at once.
    """
    if resources.workers > 1 and resources.processes.size > 1:
        raise FlarecastError(
            f"--workers: expected 1 under torchrun, got {resources.workers}; let torchrun start more"
        )
    resources = replace(resources, say=_once(resources.say))
    device = resources.device
    roles = open_file(split, SPLIT)
    final, n_folds = final_fold(roles), roles.sizes["fold"]
    has_validation = (roles["role"].values == ROLES.index("validation")).any(axis=1)
    contenders = _contenders(config, folder)
    if resources.processes.rank == FIRST:
        _remove_stale(folder, contenders, n_folds, final)
        if (folder / DESCRIPTION).exists():  # a run that went to its end starts anew, a killed one goes on
            _forget_models(contenders, n_folds, final)
    wait_for_all(resources.processes)
    others = [fold for fold in range(n_folds) if fold != final]
    inner = [
        Training(
            windows, split, one, fold, fold_folder(where, fold, final), device, name=f"{name}, fold {fold}"
        )
        for name, (one, where) in contenders.items()
        for fold in others
    ]
    run_trainings([group for training in inner for group in _with_members(training)], resources)
    last: list[Group] = []
    for name, (one, where) in contenders.items():
        folders = [fold_folder(where, fold, final) for fold in others]
        plan = None if has_validation[final] else plan_of(folders, one)
        last += _with_members(Training(windows, split, one, final, where, device, plan, name))
    run_trainings(last[:-1], resources)
    run_trainings(last[-1:], resources)
    return load(folder, device)


def _contenders(config: Config, folder: Path) -> dict[str, tuple[Config, Path]]:
    """Configuration and folder of each rival and, last, of the model.

    Raises:
        FlarecastError: One is said to be a member, which training alone may say.
    """
    found = {f"rival {name}": (config.of_rival(name), folder / RIVALS / name) for name in config.rivals}
    found["model"] = (config, folder)
    for name, (one, _) in found.items():
        if one.ensemble.member is not None:
            raise FlarecastError(
                f"{name}: expected no ensemble.member, which training sets itself, got "
                f"{one.ensemble.member}; leave it out"
            )
    return found


def plan_of(folders: list[Path], config: Config) -> Plan:
    """Epochs for a model without validation, from the models of the folds.

    Descent takes the median of their best epochs; weights are averaged where most folds kept the average.

    Raises:
        FlarecastError: There are no folds to ask.
    """
    if not folders:
        raise FlarecastError(
            "split: expected a validation role, or folds that say how long to train, got neither; split anew"
        )
    if recipe_of(config).snapshots:
        return Plan(config.train.epochs, 0)  # to the end of the last cycle
    said = [load(folder, "cpu").training for folder in folders]
    epochs = [int(one["best_epoch"]) for one in said if "best_epoch" in one]
    averaged = sum(one.get("kept") == "averaged" for one in said)
    most = averaged > len(said) / 2
    n_averaging = phases(config.train)[1] if most else 0
    return Plan(max(1, round(median(epochs))) if epochs else 1, n_averaging, most)


def _with_members(training: Training) -> list[Group]:
    """The training of a model behind those of its members that are trained apart.

    Those that go through their epochs as one are one group, with the model last.
    """
    recipe = recipe_of(training.config)
    beside = [
        replace(
            training,
            config=training.config.of_member(number),
            folder=member_folder(training.folder, number),
            name=f"{training.name}, member {number}",
        )
        for number in range(1, recipe.trained + 1)
    ]
    trainings = (*beside, training)
    n_steps = int(open_windows(training.windows).attrs["n_steps"]) if beside else 0
    if beside and worth_stacking(training.config, n_steps, choose_device(training.device)):
        return [trainings]
    return [(one,) for one in trainings]


def _remove_stale(folder: Path, contenders: dict[str, tuple[Config, Path]], n_folds: int, final: int) -> None:
    """Remove the models of rivals and folds that are no longer part of the run, and members likewise.

    Those that averaging drew go before others are trained in their place.
    """
    wheres = [where for _, where in contenders.values()]
    for path in _folders_in(folder / RIVALS):
        if path not in wheres:
            shutil.rmtree(path)
    for config, where in contenders.values():
        for path in _folders_in(where / FOLDS):
            if path.name not in map(str, range(n_folds)):
                shutil.rmtree(path)
        kept = set(map(str, recipe_of(config).in_folders))
        for place in (fold_folder(where, fold, final) for fold in range(n_folds)):
            if config.train.averaging != SWAG:
                remove_members(place)
            for path in _folders_in(place / MEMBERS):
                if path.name not in kept and not (place / MOMENTS).exists():
                    shutil.rmtree(path)


def _forget_models(contenders: dict[str, tuple[Config, Path]], n_folds: int, final: int) -> None:
    """Remove what says that trainings are finished; that of the run itself goes last."""
    for _, where in contenders.values():
        for fold in [fold for fold in range(n_folds) if fold != final] + [final]:
            place = fold_folder(where, fold, final)
            for one in [*_folders_in(place / MEMBERS), place]:
                (one / DESCRIPTION).unlink(missing_ok=True)


def _once(say: Callable[[str], object]) -> Callable[[str], object]:
    """Say each sentence once, however many trainings have it to say."""
    said: set[str] = set()

    def say_new(sentence: str) -> None:
        if sentence not in said:
            said.add(sentence)
            say(sentence)

    return say_new


def _folders_in(folder: Path) -> Iterator[Path]:
    """Folders directly inside a folder, none where there is none."""
    return (path for path in sorted(folder.glob("*")) if path.is_dir() and not path.is_symlink())

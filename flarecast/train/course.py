"""A training from its windows to its model: prepared, fitted epoch by epoch, described.

It is a generator (`epochs`), for somebody to run: alone, or side by side with others.
"""

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import nn

from flarecast import __version__
from flarecast.batches import choose_device, ordered
from flarecast.config import Config, check_options
from flarecast.ensembles import as_trained
from flarecast.errors import FlarecastError
from flarecast.model_file import DESCRIPTION, TrainedModel, load, save
from flarecast.models import load_builder
from flarecast.models.shape import Shape
from flarecast.resources import ALONE_IN_TRAINING, Processes
from flarecast.seen import pack
from flarecast.train.checkpoint import NAME, identity
from flarecast.train.epochs import Course, Progress, fit_by_gradient
from flarecast.train.frozen import freeze
from flarecast.train.gradient import check_parts_add_up
from flarecast.train.members import remove_members, with_snapshots, write_drawn, write_members
from flarecast.train.narrow import narrow
from flarecast.train.passes import validation_loss
from flarecast.train.placing import Given
from flarecast.train.precision import precision_on, seed_training
from flarecast.train.prepare import Prepared, prepare
from flarecast.train.processes import FIRST, bytes_of_first
from flarecast.train.self_training import TEACHERS, give_labels
from flarecast.train.start import Start, begin_at, start_of
from flarecast.train.task import NOBODY, Beside, Plan
from flarecast.train.training_state import Store, write_history


def course_of(  # noqa: PLR0913  (what `How` holds, by name)
    windows: xr.Dataset,
    split: xr.Dataset,
    config: Config,
    *,
    folder: Path,
    device: str = "auto",
    fold: int = 0,
    plan: Plan | None = None,
    windows_sha256: str = "",
    split_sha256: str = "",
    progress: Progress | None = None,
    say: Callable[[str], object] = str,
    processes: Processes = ALONE_IN_TRAINING,
    beside: Beside = NOBODY,
    keep_finished: bool = False,
) -> Course[TrainedModel]:
    """The training of `train`, to be run inside `torch_state`, and to `finish`; arguments as there."""
    check_parts_add_up(config.train, processes)
    where, leads = choose_device(device), processes.rank == FIRST
    role = _roles(windows, split, fold)
    start = start_of(windows, role, config, fold, windows_sha256)
    given = Given(tensors=beside.tensors)
    if start is not None:
        given = replace(given, scaler=start.scaler, features=start.features)
    narrowed = narrow(windows, role, as_trained(config), where, plan)
    again = partial(prepare, windows, role, narrowed, where, plan)
    prepared = again(given)
    made_with = _made_with(where, config, processes, beside)
    hashes = {"windows_sha256": windows_sha256, "split_sha256": split_sha256}
    whose = [made_with, hashes, fold, _what_matters(config, prepared), start and start.sha256]
    own = identity({"of": whose})
    if keep_finished and bytes_of_first(processes, _finished(folder, own)):
        say("trainings that were finished when this run was stopped are kept")
        return load(folder, device)
    if leads:
        _clear(folder)
    if prepared.mute:
        say(
            f"train role: features that tell nothing, for they have one value there or none: "
            f"{', '.join(prepared.mute)}; leave them out with model.features"
        )
    generator = seed_training(config)
    fit = partial(_fit, config=config, generator=generator, start=start)
    for nth in range(config.train.self_training.rounds):
        teacher = Store(folder / TEACHERS / str(nth), identity({"of": whose, "round": nth}), say)
        module, _ = yield from fit(prepared, store=teacher, progress=progress, processes=processes)
        pseudo = give_labels(windows, role, narrowed, where, prepared, module)
        prepared = again(replace(given, pseudo=pseudo))
    made_with |= {"fold": fold, "identity": own, **({"started_from": start.record} if start else {})}
    describe = partial(_describe, windows, config, prepared, made_with, hashes)
    if leads:
        prepared = with_snapshots(prepared, describe, config, folder)
    store = Store(folder, own, say, beside.checkpoints)
    model = describe(*(yield from fit(prepared, store=store, progress=progress, processes=processes)))
    if leads:
        write_drawn(model, prepared.task.train, config, folder)
        model.training.update(write_members(model, prepared.task, folder, config.generator("members")))
    return model


def _made_with(where: torch.device, config: Config, processes: Processes, beside: Beside) -> dict[str, Any]:
    """What the bits of a training depend on beside configuration and data."""
    return {
        "device": where.type,
        "threads": torch.get_num_threads(),
        "precision": precision_on(where, config.train.precision),
        "deterministic": config.train.deterministic or where.type == "cpu",
        "processes": processes.size,
        "stacked": beside.number,
        "torch": str(torch.__version__),
        "flarecast": __version__,
    }


def _finished(folder: Path, whose: str) -> bytes:
    """Something if a folder holds the model of the training `whose`, nothing if not."""
    try:
        return b"yes" if load(folder, "cpu").training.get("identity") == whose else b""
    except FlarecastError:
        return b""


def finish(model: TrainedModel, folder: Path) -> None:
    """Write the folder of a trained model that is not there, and remove what only its training needs.

    Raises:
        FlarecastError: The folder cannot be written.
    """
    if not (folder / DESCRIPTION).exists():
        save(model, folder)
    (folder / NAME).unlink(missing_ok=True)
    shutil.rmtree(folder / TEACHERS, ignore_errors=True)


def _clear(folder: Path) -> None:
    """Remove what a training before left, or one that was killed while it wrote.

    Raises:
        FlarecastError: The folder cannot be written, which shows before the first epoch.
    """
    write_history(folder, [])
    for stale in [folder / DESCRIPTION, *folder.glob(".*.part")]:
        stale.unlink(missing_ok=True)
    remove_members(folder)


def _fit(  # noqa: PLR0913
    prepared: Prepared,
    config: Config,
    generator: torch.Generator,
    store: Store,
    start: Start | None,
    progress: Progress | None,
    processes: Processes,
) -> Course[tuple[nn.Module, dict[str, Any]]]:
    """Build the module and fit it, directly or by gradient; with what happened, in plain numbers."""
    task = prepared.task
    build = load_builder(config.model.name)
    options = check_options(build, config.model.options, "model.options")
    n_steps = task.train.tensors.step_rows.shape[1]
    shape = Shape(len(prepared.features), n_steps, len(prepared.prior_natural))
    module = build(shape, **options).to(task.log_correction.device)
    prior = torch.from_numpy(prepared.prior_trained).to(task.log_correction.device)
    if not hasattr(module, "fit_directly"):
        module.head.start_at(prior)  # type: ignore[union-attr,operator]
        if start is not None:
            begin_at(module, start)
        elif config.train.frozen:
            store.say("train.frozen: frozen layers keep random weights, for train.init_from names no others")
        freeze(module, config.train.frozen)
        return module, (yield from fit_by_gradient(module, task, generator, store, progress, processes))
    said = module.fit_directly(ordered(task.train, task.settings.batch_size), prior)  # type: ignore[operator]
    loss = validation_loss(module, task)
    entry = {"kept": "fitted directly", **(said or {}), "validation_loss_best": loss}
    if processes.rank == FIRST:
        write_history(store.folder, [entry])
    if progress is not None:
        progress(1, 1, {"validation_loss": entry["validation_loss_best"]})
    return module, entry


def _sizes(prepared: Prepared) -> dict[str, int]:
    """How many windows took part, and how."""
    return {
        "windows_train": len(prepared.task.natural),
        "windows_train_balanced": len(prepared.task.train),
        "windows_train_made": prepared.n_made,
        "windows_pseudo": len(prepared.seen.get("pseudo_labels", ())),
        "windows_validation": 0 if prepared.task.validation is None else len(prepared.task.validation),
    }


def _describe(  # noqa: PLR0913
    windows: xr.Dataset,
    config: Config,
    prepared: Prepared,
    made_with: dict[str, Any],
    hashes: dict[str, str],
    module: nn.Module,
    kept: dict[str, Any],
) -> TrainedModel:
    """Put together what a model folder holds."""
    builder = load_builder(config.model.name)
    seen = {part: pack(index, windows.sizes["window"]) for part, index in prepared.seen.items()}
    return TrainedModel(
        module=module,
        scaler=prepared.scaler,
        features=prepared.features,
        events=config.events,
        n_steps=int(windows.attrs["n_steps"]),
        cadence_minutes=float(windows.attrs["cadence_minutes"]),
        lead_hours=float(windows.attrs["lead_hours"]),
        horizon_hours=float(windows.attrs["horizon_hours"]),
        prior_natural=prepared.prior_natural,
        prior_trained=prepared.prior_trained,
        prior_analytic=prepared.prior_analytic,
        training_base_rate=prepared.training_base_rate,
        config=config.resolved(),
        model_name=config.model.name,
        model_options=check_options(builder, config.model.options, "model.options"),
        unassigned=config.unassigned,
        training={**made_with, **_sizes(prepared), **kept, **hashes, "seen": seen},
    )


def _roles(windows: xr.Dataset, split: xr.Dataset, fold: int) -> NDArray[np.int8]:
    """Roles of one fold, shape (window,)."""
    roles: NDArray[np.int8] = np.asarray(split["role"].values, dtype=np.int8)
    if not 0 <= fold < len(roles) or roles.shape[1] != windows.sizes["window"]:
        raise FlarecastError(
            f"split: expected fold {fold} of {windows.sizes['window']} windows, got {len(roles)} folds of "
            f"{roles.shape[1]} windows; split these windows anew"
        )
    role: NDArray[np.int8] = roles[fold]
    return role


def _what_matters(config: Config, prepared: Prepared) -> dict[str, Any]:
    """What a checkpoint must agree on: the sections used, and what the data left in fitted numbers."""
    sections = ("run", "events", "unassigned", "scale", "balance", "model", "train", "ensemble")
    resolved = config.resolved()
    task = prepared.task
    how_long = asdict(task.plan) if task.plan else len(task.validation) if task.validation else 0
    fitted = [prepared.scaler.centre.tolist(), prepared.prior_natural.tolist(), how_long]
    return {"config": {name: resolved.get(name) for name in sections}, "fitted": fitted}

"""windows.nc and split.nc -> an encoder that has seen no outcome.

It sees the windows of train, validation and calibration that hold any value, whatever is known of their
outcomes. Test windows are left out, and so are unused ones: they lie in the gaps beside test, and the folds
of a split keep there what is tested in the end. The scaler is fitted on the train role.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import nn

from flarecast import __version__, scale
from flarecast.batches import WindowTensors, choose_device, has_values, to_device
from flarecast.clusters import clusters
from flarecast.config import Config, check_options
from flarecast.errors import FlarecastError
from flarecast.memory import place_of_rows
from flarecast.models import load_builder, takes_mask
from flarecast.models.head import check_trained
from flarecast.models.shape import Shape
from flarecast.pretraining import Sizes, load_task
from flarecast.pretraining.epochs import Lesson, Windows, learn
from flarecast.references import region_codes
from flarecast.schema import ROLES
from flarecast.seen import pack
from flarecast.train.checkpoint import NAME, identity
from flarecast.train.epochs import Progress
from flarecast.train.placing import in_use
from flarecast.train.precision import deterministic_algorithms, seeded
from flarecast.train.start import ENCODER, Start, read_encoder, save_start, without_head
from flarecast.train.training_state import Store
from flarecast.windows import feature_columns, step_rows

IntArray = NDArray[np.int64]

SEEN = tuple(ROLES.index(name) for name in ("train", "validation", "calibration"))
"""Roles of the windows that are seen, without outcomes."""


def check_parts(config: Config) -> None:
    """Check the names and options of what pretraining uses.

    Raises:
        FlarecastError: An unknown task, model or option, or a model that has no encoder.
    """
    options = check_options(load_builder(config.model.name), config.model.options, "model.options")
    build_task(config, Sizes(2, 2, 1, masked=False))
    with torch.device("meta"):
        module = load_builder(config.model.name)(Shape(1, 2, 2), **options)
    if hasattr(module, "fit_directly"):
        raise FlarecastError(
            "pretrain: expected a network, fitted by gradient, whose encoder can learn without outcomes, got "
            f"model.name {config.model.name}"
        )
    check_trained(module.head)  # type: ignore[arg-type]
    if config.model.select is not None:
        raise FlarecastError(
            "pretrain: expected features that no outcome has chosen, got model.select "
            f"{config.model.select}; name them in model.features"
        )


def build_task(config: Config, sizes: Sizes) -> nn.Module:
    """The task that `pretrain` names, with its options."""
    build = load_task(config.pretrain.name)
    return build(sizes, **check_options(build, config.pretrain.options, "pretrain.options"))


def pretrain(  # noqa: PLR0913  (as train)
    windows: xr.Dataset,
    role: NDArray[np.int8],
    config: Config,
    *,
    folder: Path,
    device: str = "auto",
    fold: int = 0,
    made_of: dict[str, str] | None = None,
    progress: Progress | None = None,
    say: Callable[[str], object] = str,
) -> Start:
    """Fit an encoder and write its folder: encoder.safetensors, history.jsonl and, last, encoder.json.

    A checkpoint of the very same pretraining is gone on from, and an encoder of it that is there is kept.

    Args:
        windows: A windows Dataset; its outcomes are not read.
        role: Index into `ROLES`, shape (window,).
        config: Sections run, scale, model and pretrain, and `train.threads`, are used.
        folder: Where to.
        device: auto, cpu or cuda.
        fold: Fold of the split.
        made_of: Hashes of windows and split, for the record.
        progress: Called after each epoch with epochs done, epochs planned, and the line of the history.
        say: Told sentences that a user should know.

    Raises:
        FlarecastError: No such part or device, no window with values, a loss that is not finite, or a folder
            that cannot be written.
    """
    check_parts(config)
    where = choose_device(device)
    sight = _see(windows, role, config, where)
    whose = identity({**_made_how(config, where), "of": [fold, made_of, _what_is_seen(sight, config)]})
    finished = _finished(folder, whose)
    if finished is not None:
        say(f"{folder}: the encoder was finished when this pretraining was stopped, and is kept")
        (folder / NAME).unlink(missing_ok=True)
        return finished
    for stale in [folder / ENCODER, *folder.glob(".*.part")]:
        stale.unlink(missing_ok=True)
    options = check_options(load_builder(config.model.name), config.model.options, "model.options")
    n_steps, cadence = int(windows.attrs["n_steps"]), float(windows.attrs["cadence_minutes"])
    seeds = config.generator("pretrain").integers(2**62, size=2)
    with (
        seeded(int(seeds[0]), where, config.train.threads),
        deterministic_algorithms(config.train.deterministic, where),
    ):
        lesson = _prepare_lesson(sight, n_steps, options, config, int(seeds[1]))
        history = learn(lesson, Store(folder, whose, say), progress)
    training = {
        **_made_how(config, where),
        "loss_first": history[0]["loss"],
        "loss_last": history[-1]["loss"],
        "identity": whose,
        "windows": len(sight.windows),
        "fold": fold,
        **(made_of or {}),
        "seen": {part: pack(index, role.size) for part, index in sight.seen.items()},
        "config": config.resolved(),
    }
    weights = without_head(lesson.network)
    start = Start(
        weights, sight.scaler, sight.features, n_steps, cadence, config.model.name, options, training
    )
    save_start(start, folder)
    (folder / NAME).unlink(missing_ok=True)
    return start


def _finished(folder: Path, whose: str) -> Start | None:
    """The encoder in a folder, if it is whole and that of the pretraining `whose`."""
    try:
        start = read_encoder(folder)
    except FlarecastError:
        return None
    return start if start.training.get("identity") == whose else None


@dataclass(frozen=True)
class _Sight:
    """What an encoder sees: windows, scaled, of some features; `seen` says whom it and the scaler saw."""

    windows: Windows
    scaler: scale.Scaler
    features: tuple[str, ...]
    seen: dict[str, IntArray]


def _see(windows: xr.Dataset, role: NDArray[np.int8], config: Config, device: torch.device) -> _Sight:
    """Put all windows with values on the device, scaled as the train role says.

    Raises:
        FlarecastError: There are none.
    """
    features = config.model.features or tuple(map(str, windows["feature"].values))
    chosen = np.flatnonzero(np.isin(role, SEEN))
    values = windows["values"].values[:, feature_columns(windows, features)]
    train = np.flatnonzero(role == ROLES.index("train"))
    scaler = scale.fit(values[in_use(step_rows(windows, train), len(values))], config.scale.name)
    scaled, masked = scaler.apply(values), takes_mask(config.model.name, config.model.options)
    none = np.full(role.size, -1, dtype=np.int64)  # the latest outcome is an outcome

    def place(index: IntArray) -> WindowTensors:
        rows = step_rows(windows, index)
        rows_on = place_of_rows(scaled, rows, device, config.train.device_share)
        return to_device(scaled, rows, none[index], device, masked, rows_on)

    chosen = chosen[has_values(place(chosen)).cpu().numpy()]
    if chosen.size < 2 or not train.size:
        raise FlarecastError(
            "pretrain: expected windows with values in the roles train, validation and calibration, got "
            f"{chosen.size}, and {train.size:,} of train; change the split"
        )
    group = torch.from_numpy(region_codes(clusters(windows.isel(window=chosen))))
    return _Sight(Windows(place(chosen), group), scaler, features, {"scaler": train, "pretraining": chosen})


def _prepare_lesson(
    sight: _Sight, n_steps: int, options: dict[str, Any], config: Config, seed: int
) -> Lesson:
    """Build the network and the task, on the device of the windows."""
    tensors, n_features = sight.windows.tensors, len(sight.features)
    shape = Shape(n_features, n_steps, len(config.events) + 1)
    network = load_builder(config.model.name)(shape, **options).to(tensors.device)
    n_hidden: Any = network.head.in_features  # type: ignore[union-attr]
    task = build_task(config, Sizes(n_hidden, n_steps, n_features, tensors.masked)).to(tensors.device)
    return Lesson(network, task, sight.windows, config.pretrain, torch.Generator().manual_seed(seed))


def _what_is_seen(sight: _Sight, config: Config) -> dict[str, Any]:
    """What a checkpoint must agree on: the configuration, and what the data left in fitted numbers."""
    seen = {part: hashlib.sha256(index.tobytes()).hexdigest() for part, index in sight.seen.items()}
    return {"config": config.resolved(), "centre": sight.scaler.centre.tolist(), "seen": seen}


def _made_how(config: Config, device: torch.device) -> dict[str, Any]:
    """For the record: the task and what computed it."""
    return {
        "task": config.pretrain.name,
        "flarecast": __version__,
        "torch": str(torch.__version__),
        "device": device.type,
        "epochs": config.pretrain.epochs,
    }

"""windows.nc and split.nc -> an encoder that has seen no outcome.

It sees the windows of train, validation and calibration that hold any value, whatever is known of their
outcomes. Test windows are left out, and so are unused ones: they lie in the gaps beside test, and the folds
of a split keep there what is tested in the end. The scaler is fitted on the train role.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor, nn

from flarecast import __version__, scale
from flarecast.averaging import refresh_batch_norm
from flarecast.batches import WindowTensors, choose_device, gather_inputs, has_values, shuffled, to_device
from flarecast.clusters import clusters
from flarecast.config import Config, check_options
from flarecast.errors import FlarecastError
from flarecast.memory import place_of_rows
from flarecast.models import load_builder, takes_mask
from flarecast.models.shape import Shape
from flarecast.pretraining import Sizes, load_task
from flarecast.references import region_codes
from flarecast.schedules import cosine
from flarecast.schema import ROLES
from flarecast.seen import pack
from flarecast.train.epochs import Progress
from flarecast.train.precision import deterministic_algorithms, seeded
from flarecast.train.start import ENCODER, Start, save_start, without_head
from flarecast.train.training_state import write_history
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
) -> Start:
    """Fit an encoder and write its folder: encoder.safetensors, history.jsonl and, last, encoder.json.

    Args:
        windows: A windows Dataset; its outcomes are not read.
        role: Index into `ROLES`, shape (window,).
        config: Sections run, scale, model and pretrain, and `train.threads`, are used.
        folder: Where to.
        device: auto, cpu or cuda.
        fold: Fold of the split.
        made_of: Hashes of windows and split, for the record.
        progress: Called after each epoch with epochs done, epochs planned, and the line of the history.

    Raises:
        FlarecastError: No such part or device, no window with values, a loss that is not finite, or a folder
            that cannot be written.
    """
    check_parts(config)
    where = choose_device(device)
    write_history(folder, [])
    (folder / ENCODER).unlink(missing_ok=True)
    features = config.model.features or tuple(map(str, windows["feature"].values))
    tensors, scaler, seen = _place(windows, role, features, config, where)
    group = torch.from_numpy(region_codes(clusters(windows.isel(window=seen["pretraining"]))))
    masked, build = tensors.masked, load_builder(config.model.name)
    options = check_options(build, config.model.options, "model.options")
    shape = Shape(len(features), int(windows.attrs["n_steps"]), len(config.events) + 1)
    seeds = config.generator("pretrain").integers(2**62, size=2)
    with (
        seeded(int(seeds[0]), where, config.train.threads),
        deterministic_algorithms(config.train.deterministic, where),
    ):
        module = build(shape, **options).to(where)
        n_hidden: Any = module.head.in_features  # type: ignore[union-attr]
        task = build_task(config, Sizes(n_hidden, shape.n_steps, shape.n_features, masked)).to(where)
        generator = torch.Generator().manual_seed(int(seeds[1]))
        history = _fit(module, task, (tensors, group), config, generator, folder, progress)
    training = {
        "task": config.pretrain.name,
        "flarecast": __version__,
        "torch": str(torch.__version__),
        "device": where.type,
        "epochs": config.pretrain.epochs,
        "loss_first": history[0]["loss"],
        "loss_last": history[-1]["loss"],
        "windows": len(group),
        "fold": fold,
        **(made_of or {}),
        "seen": {part: pack(index, role.size) for part, index in seen.items()},
        "config": config.resolved(),
    }
    cadence = float(windows.attrs["cadence_minutes"])
    start = Start(
        without_head(module), scaler, features, shape.n_steps, cadence, config.model.name, options, training
    )
    save_start(start, folder)
    return start


def _place(
    windows: xr.Dataset,
    role: NDArray[np.int8],
    features: tuple[str, ...],
    config: Config,
    device: torch.device,
) -> tuple[WindowTensors, scale.Scaler, dict[str, IntArray]]:
    """Windows on the device, the scaler, and who was seen by which of the two."""
    chosen = np.flatnonzero(np.isin(role, SEEN))
    values = windows["values"].values[:, feature_columns(windows, features)]
    train = np.flatnonzero(role == ROLES.index("train"))
    used = np.zeros(len(values) + 1, dtype=bool)
    used[step_rows(windows, train)] = True  # -1, an absent step, marks the last, which is cut off
    scaler = scale.fit(values[used[:-1]], config.scale.name)
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
    return place(chosen), scaler, {"scaler": train, "pretraining": chosen}


def _fit(  # noqa: PLR0913
    module: nn.Module,
    task: nn.Module,
    data: tuple[WindowTensors, Tensor],
    config: Config,
    generator: torch.Generator,
    folder: Path,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    """Train encoder and task for all epochs, and let batch norm see whole windows at last."""
    tensors, group = data
    settings, n = config.pretrain, len(group)
    head, module.head = module.head, nn.Identity()
    weights = [*module.parameters(), *task.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    last_class = torch.full((n,), -1, device=tensors.device)
    history: list[dict[str, Any]] = []
    module.train()

    def encode(steps: Tensor) -> Tensor:
        hidden: Tensor = module(steps, last_class[: len(steps)])
        return hidden

    for epoch in range(settings.epochs):
        places = shuffled(n, settings.batch_size, generator)
        total = 0.0
        for nth, place in enumerate(places):
            rate = settings.learning_rate * cosine(epoch + nth / len(places), settings.epochs)
            for part in optimizer.param_groups:
                part["lr"] = rate
            optimizer.zero_grad(set_to_none=True)
            loss = task(encode, gather_inputs(tensors, place), group[place].to(tensors.device))
            loss.backward()
            nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            total += float(loss.detach()) * len(place)
        if not np.isfinite(total):
            raise FlarecastError(
                f"pretrain: expected a finite loss, got {total} in epoch {epoch + 1}; lower "
                "pretrain.learning_rate"
            )
        history.append({"epoch": epoch + 1, "loss": total / n})
        write_history(folder, history)
        if progress is not None:
            progress(epoch + 1, settings.epochs, history[-1])
    places = shuffled(n, settings.batch_size, generator)
    refresh_batch_norm(module, ((gather_inputs(tensors, one), last_class[: len(one)]) for one in places))
    module.head = head
    module.eval()
    return history

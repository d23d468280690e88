"""What a training starts from: the encoder of another network, with the scaler that it was fitted with.

An encoder is a network without its `head`. It comes from a folder of `flarecast pretrain`, which saw no
outcome, or from that of another trained model; the head always starts anew, at the class priors.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from flarecast.config import Config
from flarecast.errors import FlarecastError
from flarecast.files import read_json, replacing, sha256, write_json
from flarecast.model_file import DESCRIPTION, WrittenScaler, load
from flarecast.scale import Scaler
from flarecast.schema import ROLES
from flarecast.seen import unpack

ENCODER, WEIGHTS = "encoder.json", "encoder.safetensors"
FORMAT: Literal["flarecast encoder 1"] = "flarecast encoder 1"


@dataclass(frozen=True)
class Start:
    """An encoder.

    Attributes:
        weights: By name, without the head.
        scaler: Normalisation of its inputs.
        features: Names of its features, in order.
        n_steps: Steps of a window.
        cadence_minutes: Time between steps [min].
        model_name: Entry of `models.MODELS`.
        model_options: Options that its network was built with.
        training: How it was made: the task, hashes of windows and split, windows `seen`.
        sha256: Hash of the weights' file.
    """

    weights: dict[str, Tensor]
    scaler: Scaler
    features: tuple[str, ...]
    n_steps: int
    cadence_minutes: float
    model_name: str
    model_options: dict[str, Any]
    training: dict[str, Any]
    sha256: str = ""

    @property
    def record(self) -> dict[str, Any]:
        """What a model that starts from it says of it; the audit reads it."""
        kept = ("task", "windows_sha256", "split_sha256", "fold", "seen", "started_from")
        return {
            "sha256": self.sha256,
            **{name: self.training[name] for name in kept if name in self.training},
        }


class _Description(BaseModel):
    """encoder.json."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    format: Literal["flarecast encoder 1"]
    model_name: str
    model_options: dict[str, Any]
    features: tuple[str, ...]
    n_steps: int
    cadence_minutes: float
    scaler: WrittenScaler
    training: dict[str, Any]
    weights_sha256: str


def start_of(
    windows: xr.Dataset, role: NDArray[np.int8], config: Config, fold: int, windows_sha256: str
) -> Start | None:
    """The encoder that `train.init_from` names, if any.

    Raises:
        FlarecastError: It does not suit, or saw test windows (unless train.allow_leaks).
    """
    if config.train.init_from is None:
        return None
    start = read_start(Path(config.train.init_from), fold)
    check_start(start, windows, config)
    if not config.train.allow_leaks:
        check_not_tested(start, windows_sha256, role)
    return start


def without_head(module: nn.Module) -> dict[str, Tensor]:
    """Weights of a network's encoder, on the CPU."""
    return {
        name: value.detach().cpu().contiguous()
        for name, value in module.state_dict().items()
        if not name.startswith("head.")
    }


def save_start(start: Start, folder: Path) -> None:
    """Write encoder.safetensors, then encoder.json.

    Raises:
        FlarecastError: The folder cannot be written.
    """
    with replacing(folder / WEIGHTS) as aside:
        aside.write_bytes(save_tensors(start.weights))
    same = {name: getattr(start, name) for name in _Description.model_fields if hasattr(start, name)}
    scaler = {name: getattr(start.scaler, name) for name in WrittenScaler.model_fields}
    digest = {"weights_sha256": sha256(folder / WEIGHTS)}
    write_json(folder / ENCODER, {"format": FORMAT, **same, "scaler": scaler, **digest})


def read_start(folder: Path, fold: int) -> Start:
    """Read the encoder of a fold where the folder has one of its own, else that of the folder.

    Args:
        folder: PRETRAINED_DIR or MODEL_DIR.
        fold: Fold of the split that is trained.

    Raises:
        FlarecastError: There is neither, or it is damaged.
    """
    own = folder / "folds" / str(fold)
    folder = own if own.is_dir() else folder
    if (folder / ENCODER).is_file():
        return read_encoder(folder)
    if not (folder / DESCRIPTION).is_file():
        raise FlarecastError(
            "train.init_from: expected a folder of `flarecast pretrain` or of a trained model, got "
            f"{folder}, which is none; pretrain or train it first"
        )
    model = load(folder, "cpu")
    return Start(
        weights=without_head(model.module),
        scaler=model.scaler,
        features=model.features,
        n_steps=model.n_steps,
        cadence_minutes=model.cadence_minutes,
        model_name=model.model_name,
        model_options=model.model_options,
        training={"task": "outcomes", **model.training},
        sha256=sha256(folder / "model.safetensors"),
    )


def read_encoder(folder: Path) -> Start:
    """Read encoder.json and encoder.safetensors.

    Raises:
        FlarecastError: They are missing or damaged.
    """
    path, weights = folder / ENCODER, folder / WEIGHTS
    try:
        said = _Description.model_validate(read_json(path))
        if not weights.is_file() or sha256(weights) != said.weights_sha256:
            raise FlarecastError(
                f"{weights}: expected the weights that {path.name} names, got others or none; pretrain anew"
            )
        tensors = load_tensors(weights.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise FlarecastError(
            f"{path}: expected an encoder, got {'.'.join(map(str, first['loc']))}: {first['msg'].lower()}; "
            "pretrain anew"
        ) from error
    statistics = (np.array(getattr(said.scaler, name)) for name in ("size", "centre", "spread"))
    same = {name: getattr(said, name) for name in _Description.model_fields}
    for name in ("format", "weights_sha256", "scaler"):
        del same[name]
    scaler = Scaler(said.scaler.name, *statistics)
    return Start(weights=tensors, scaler=scaler, sha256=said.weights_sha256, **same)


def check_start(start: Start, windows: xr.Dataset, config: Config) -> None:
    """Make sure that a configuration's network can start from an encoder.

    Raises:
        FlarecastError: Another model, steps, cadence, scaling or features; all are named.
    """
    wanted = {
        "model.name": (config.model.name, start.model_name),
        "scale.name": (config.scale.name, start.scaler.name),
        "n_steps": (int(windows.attrs["n_steps"]), start.n_steps),
        "cadence_minutes": (float(windows.attrs["cadence_minutes"]), start.cadence_minutes),
        "model.features": (config.model.features or start.features, start.features),
        "model.select": (config.model.select, None),
    }
    problems = [f"{name} {got!r}, not {its!r}" for name, (got, its) in wanted.items() if got != its]
    if problems:
        raise FlarecastError(
            f"train.init_from: expected the network and the windows of {config.train.init_from}, got "
            f"{'; '.join(problems)}; pretrain anew, or configure them alike"
        )


def check_not_tested(start: Start, windows_sha256: str, role: NDArray[np.int8]) -> None:
    """Make sure that an encoder was not fitted on what will be tested, as far as it is of the same windows.

    Args:
        start: The encoder.
        windows_sha256: Hash of the windows file.
        role: Index into `ROLES`, shape (window,).

    Raises:
        FlarecastError: It saw test windows, with or without outcomes.
    """
    record: dict[str, Any] | None = start.record
    while record is not None:
        if record.get("windows_sha256") == windows_sha256:
            tested = role == ROLES.index("test")
            saw = {part: unpack(text, role.size) & tested for part, text in record.get("seen", {}).items()}
            worst = max((int(mask.sum()) for mask in saw.values()), default=0)
            if worst:
                raise FlarecastError(
                    "train.init_from: expected an encoder that saw no test window of this split, got one "
                    f"that saw {worst:,}; pretrain on this split, or train.allow_leaks = true"
                )
        record = record.get("started_from")


def begin_at(module: nn.Module, start: Start) -> None:
    """Give a network's encoder the weights of another.

    Raises:
        FlarecastError: They are of another shape: other options of the model.
    """
    mine, its = (_sizes(weights) for weights in (without_head(module), start.weights))
    other = next((name for name in {**mine, **its} if mine.get(name) != its.get(name)), None)
    if other is not None or not mine:
        reason = (
            f"{other} of {mine.get(other, 'no size')}, not {its.get(other, 'none')}" if other else "no layer"
        )
        raise FlarecastError(
            f"train.init_from: expected a {start.model_name} with model.options {start.model_options}, got "
            f"other options ({reason})"
        )
    with torch.no_grad():
        module.load_state_dict(start.weights, strict=False)


def _sizes(weights: dict[str, Tensor]) -> dict[str, str]:
    """Sizes of weights in words, by name."""
    return {name: " x ".join(map(str, value.shape)) or "1" for name, value in weights.items()}

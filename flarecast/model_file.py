"""A trained model on disk: weights as safetensors, everything else as JSON, nothing pickled.

`model.json` is written last and holds the hash of `model.safetensors`, so a model folder is whole or it does
not load.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from flarecast import __version__
from flarecast.batches import choose_device
from flarecast.config import check_options, parse_config
from flarecast.errors import FlarecastError
from flarecast.files import read_json, replacing, sha256, write_json
from flarecast.models import load_builder
from flarecast.models.shape import Shape
from flarecast.scale import SCALES, Scaler

FloatArray = NDArray[np.float64]

FORMAT = "flarecast model 1"
WEIGHTS = "model.safetensors"
DESCRIPTION = "model.json"


@dataclass(frozen=True)
class TrainedModel:
    """A model with all that it needs to forecast windows in their own units.

    Attributes:
        module: The network; its `forward` takes scaled and filled steps.
        scaler: Normalisation, fitted on rows of the train role.
        features: Names of the features, in the module's order.
        events: Ascending GOES classes.
        n_steps: Steps of a window.
        cadence_minutes: Time between steps [min].
        lead_hours: From issue time to the valid span [h].
        horizon_hours: Length of the valid span [h].
        prior_natural: Shares of the exclusive classes in the train windows, shape (class,).
        prior_trained: The same as balancing left them, shape (class,).
        prior_analytic: Whether these two are all that balancing changed of what the model learned.
        training_base_rate: Share of known train windows with each event, shape (event,).
        config: The resolved configuration.
        model_name: Entry of `models.MODELS`.
        model_options: Options that it was built with.
        unassigned: What flares without a region do to a window's outcome, as in `goes.events`.
        training: What happened in training: device, threads, versions, windows, kept weights.
        members: Models that forecast together in its place, as `ensembles.members.with_members` finds them.
    """

    module: nn.Module
    scaler: Scaler
    features: tuple[str, ...]
    events: tuple[str, ...]
    n_steps: int
    cadence_minutes: float
    lead_hours: float
    horizon_hours: float
    prior_natural: FloatArray
    prior_trained: FloatArray
    training_base_rate: FloatArray
    config: dict[str, Any]
    model_name: str
    model_options: dict[str, Any]
    unassigned: Literal["ignore", "mask"]
    training: dict[str, Any]
    prior_analytic: bool = True
    members: tuple["TrainedModel", ...] = ()

    @property
    def shape(self) -> Shape:
        """Sizes of the module."""
        return Shape(len(self.features), self.n_steps, len(self.events) + 1)


class WrittenScaler(BaseModel):
    """`scaler` of model.json, and of an encoder's."""

    model_config = ConfigDict(extra="forbid")
    name: str
    size: list[float]
    centre: list[float]
    spread: list[float]


class _Description(BaseModel):
    """model.json."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    format: Literal["flarecast model 1"]
    model_name: str
    model_options: dict[str, Any]
    events: tuple[str, ...]
    features: tuple[str, ...]
    n_steps: int
    cadence_minutes: float
    lead_hours: float
    horizon_hours: float
    unassigned: Literal["ignore", "mask"]
    scaler: WrittenScaler
    prior_natural: list[float]
    prior_trained: list[float]
    prior_analytic: bool = True
    training_base_rate: list[float]
    training: dict[str, Any]
    config: dict[str, Any]
    weights_sha256: str


def save(model: TrainedModel, folder: Path) -> None:
    """Write model.safetensors, then model.json.

    Raises:
        FlarecastError: The folder cannot be written.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.module.state_dict().items()}
    with replacing(folder / WEIGHTS) as aside:
        aside.write_bytes(save_tensors(tensors))
    plain = {name: getattr(model, name) for name in _Description.model_fields if hasattr(model, name)}
    scaler = {name: getattr(model.scaler, name) for name in WrittenScaler.model_fields}
    digest = {"weights_sha256": sha256(folder / WEIGHTS)}
    write_json(folder / DESCRIPTION, {"format": FORMAT, **plain, "scaler": scaler, **digest})


def load(folder: Path, device: str = "auto") -> TrainedModel:
    """Read a model folder; no state of torch is touched, not even its random numbers.

    Args:
        folder: With model.safetensors and model.json.
        device: auto, cpu or cuda.

    Raises:
        FlarecastError: A file is missing or damaged, or the two do not belong together; or no such device.
    """
    where = choose_device(device)
    path, weights = folder / DESCRIPTION, folder / WEIGHTS
    if not path.is_file():
        raise FlarecastError(f"{path}: expected a trained model, found none; train one first")
    said = _read_description(path)
    if not weights.is_file() or sha256(weights) != said.weights_sha256:
        got = "other bytes" if weights.is_file() else "none"
        raise FlarecastError(f"{weights}: expected the weights that {path.name} names, got {got}; train anew")
    shape = Shape(len(said.features), said.n_steps, len(said.events) + 1)
    options = check_options(_builder(path, said), said.model_options, f"{path}: model_options")
    module = _filled(weights, _builder(path, said), shape, options)
    same = {name: getattr(said, name) for name in _Description.model_fields if name in _PLAIN}
    return TrainedModel(
        module=module.to(where).eval(),
        scaler=Scaler(said.scaler.name, *(np.array(getattr(said.scaler, name)) for name in _STATISTICS)),
        prior_natural=np.array(said.prior_natural),
        prior_trained=np.array(said.prior_trained),
        training_base_rate=np.array(said.training_base_rate),
        **{
            **same,
            "model_options": options,
            "config": parse_config(said.config, f"{path}: config").resolved(),
        },
    )


def check_fits(model: TrainedModel, windows: xr.Dataset) -> None:
    """Make sure that windows are of the kind that a model was trained on.

    Raises:
        FlarecastError: A feature is absent, or steps, cadence, lead or horizon differ; all are named.
    """
    there = set(map(str, windows["feature"].values))
    problems = [f"no feature {name}" for name in model.features if name not in there]
    for name in ("n_steps", "cadence_minutes", "lead_hours", "horizon_hours"):
        wanted, got = float(getattr(model, name)), float(windows.attrs[name])
        if abs(wanted - got) > 1e-6:
            problems.append(f"{name} {got:g}, not {wanted:g}")
    if problems:
        shown = "; ".join(problems[:5]) + (f"; {len(problems) - 5} more" if len(problems) > 5 else "")
        raise FlarecastError(
            f"windows: expected the features, steps, lead and horizon of the model, got {shown}; "
            "forecast with a model trained on such windows"
        )


_STATISTICS = ("size", "centre", "spread")
_PLAIN = (
    *("model_name", "model_options", "events", "features", "n_steps", "cadence_minutes", "lead_hours"),
    *("horizon_hours", "unassigned", "training", "config", "prior_analytic"),
)


def _read_description(path: Path) -> _Description:
    """Content of model.json, types and lengths checked."""
    content = read_json(path)
    name = str(content.get("format")) if isinstance(content, dict) else ""
    if name != FORMAT and re.fullmatch(r"flarecast model \d{1,9}", name):
        raise FlarecastError(
            f"{path}: expected {FORMAT!r}, got {name!r}; this needs a newer flarecast than {__version__}"
        )
    try:
        said = _Description.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        _damaged(path, f"{'.'.join(map(str, first['loc'])) or 'content'}: {first['msg'].lower()}")
    if said.scaler.name not in SCALES:
        _damaged(path, f"scaler {said.scaler.name!r}")
    lengths = {
        "scaler": (len(said.features), {len(getattr(said.scaler, name)) for name in _STATISTICS}),
        "priors": (len(said.events) + 1, {len(said.prior_natural), len(said.prior_trained)}),
        "training_base_rate": (len(said.events), {len(said.training_base_rate)}),
    }
    for name, (wanted, got) in lengths.items():
        if got != {wanted}:
            _damaged(path, f"{name} of length {', '.join(map(str, sorted(got)))}, not {wanted}")
    return said


def _builder(path: Path, said: _Description) -> Callable[..., nn.Module]:
    """The model's `build`; an unknown name is the file's fault."""
    try:
        return load_builder(said.model_name)
    except FlarecastError as error:
        raise FlarecastError(f"{path}: {error}") from error


def _filled(path: Path, build: Callable[..., nn.Module], shape: Shape, options: dict[str, Any]) -> nn.Module:
    """Build a module without storage and give it the weights of a file."""
    try:
        tensors = load_tensors(path.read_bytes())
        with torch.device("meta"):  # so no random number is drawn for weights that are replaced at once
            module = build(shape, **options)
        for name, value in module.state_dict().items():
            if name in tensors and tensors[name].dtype != value.dtype:
                _damaged(path, f"{name} as {tensors[name].dtype}, not {value.dtype}")
        module.load_state_dict(tensors, strict=True, assign=True)
    except FlarecastError:
        raise
    except Exception as error:  # safetensors and torch raise several kinds, all mean the same to a user
        _damaged(path, " ".join(str(error).split())[:200])
    return module


def _damaged(path: Path, got: str) -> NoReturn:
    """Say that a model file is not what it should be."""
    raise FlarecastError(f"{path}: expected a trained model, got {got}; train anew")

"""What is explained: windows of one role, each fold's with the model that was not trained on them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from flarecast.batches import WindowTensors, cpu_threads, has_values
from flarecast.calibrate.calibration import apply_calibration, for_fold
from flarecast.chain import RunFolder, open_pair, windows_of
from flarecast.ensembles.members import with_members
from flarecast.errors import FlarecastError
from flarecast.files import read_json
from flarecast.forecast import class_to_event, forecast, place_windows, seeing_alike
from flarecast.goes import occurred_table
from flarecast.model_file import TrainedModel, check_fits, load
from flarecast.schema import ROLES
from flarecast.train.trainings import final_fold, fold_folder
from flarecast.uncertainty import mean_probability
from flarecast.windows import open_windows

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ALL = "all"
"""Role of windows without a split."""


@dataclass(frozen=True)
class Sight:
    """Windows on a device as some models see them, which share features and scaler."""

    tensors: WindowTensors
    models: tuple[TrainedModel, ...]


@dataclass(frozen=True)
class Part:
    """Windows of one fold on a device, and the model that forecasts them.

    Attributes:
        model: The fold's model, on the device.
        tensors: Its windows.
        sights: What its members see, or it alone where it has none.
        index: Their numbers in the windows file, shape (window,).
        forecasts: Its forecasts of them, as `forecast` gives them.
        calibration: That of the fold, None where probabilities stay raw.
    """

    model: TrainedModel
    tensors: WindowTensors
    sights: tuple[Sight, ...]
    index: IntArray
    forecasts: xr.Dataset
    calibration: Mapping[str, Any] | None

    def probability(self, of_classes: Sequence[FloatArray]) -> FloatArray:
        """Probabilities of events from those of classes by each member, calibrated where that is known."""
        if self.model.members:
            members = [class_to_event(one).astype(np.float32) for one in of_classes]
            raw = mean_probability(np.stack(members, axis=2))
        else:
            raw = class_to_event(of_classes[0])
        if self.calibration is None:
            return raw
        return apply_calibration(raw, self.calibration, self.model.events)[0]


@dataclass(frozen=True)
class Explained:
    """All that is explained.

    Attributes:
        windows: The whole file.
        role: Role that is looked at, or `all`.
        parts: One a fold that has windows of the role.
        name: Of the run or the model.
        run: Folder of the run, where it is one's.
    """

    windows: xr.Dataset
    role: str
    parts: tuple[Part, ...]
    name: str
    run: Path | None = None


def open_explained(
    inputs: tuple[Path, ...], split_path: Path | None, role: str | None, device: str = "auto"
) -> Explained:
    """Open a run, or windows and a model, and forecast the windows of a role.

    Args:
        inputs: RUN_DIR, whose calibration is applied; or windows.nc and MODEL_DIR, which stays raw.
        split_path: Split of the windows where a model is named.
        role: Name of a role; None takes calibration, else validation; without a split all windows.
        device: auto, cpu or cuda.

    Raises:
        FlarecastError: A file is missing or of another kind, or there is no window of the role that has
            values and a known outcome.
    """
    run = RunFolder(inputs[0]) if len(inputs) == 1 else None
    if run is not None and not (run.model / "model.json").is_file():
        raise FlarecastError(f"{run.folder}: expected a run with a trained model, found none; train it first")
    folder = inputs[-1] if run is None else run.model
    windows_path = inputs[0] if run is None else windows_of(run)
    split_path = split_path if run is None else run.split
    calibration = read_json(run.calibration) if run and run.calibration.is_file() else None
    windows, split = (
        (open_windows(windows_path), None) if split_path is None else open_pair(windows_path, split_path)
    )
    chosen = _chosen_role(split, role)
    parts = tuple(_parts(windows, split, folder, chosen, device, calibration))
    if not parts:
        raise FlarecastError(
            f"role {chosen}: expected windows with values and a known outcome, got none; name another --role"
        )
    beside = folder.parent if (folder.parent / "environment.json").is_file() else None
    where = run.folder if run is not None else beside
    return Explained(windows, chosen, parts, inputs[-1].resolve().name, where)


def _chosen_role(split: xr.Dataset | None, role: str | None) -> str:
    """The role asked for, or the first of calibration and validation that some window has."""
    if split is None:
        if role not in (None, ALL):
            raise FlarecastError(
                f"--role {role}: expected a split that says who has it, got none; name --split"
            )
        return ALL
    there = [name for name in ROLES[1:] if (split["role"].values == ROLES.index(name)).any()]
    if role is None:
        role = next((name for name in ("calibration", "validation") if name in there), None)
    if role is None or (role not in there and role != ALL):
        raise FlarecastError(
            f"--role: expected one of {', '.join(there)}, {ALL}, got {role or 'none named'}; the split has "
            "no other"
        )
    return role


def _parts(
    windows: xr.Dataset,
    split: xr.Dataset | None,
    folder: Path,
    role: str,
    device: str,
    calibration: Mapping[str, Any] | None,
) -> Iterator[Part]:
    """A part for each fold that has usable windows of the role."""
    n_windows = windows.sizes["window"]
    final = 0 if split is None else final_fold(split)
    roles = np.zeros((1, n_windows), dtype=np.int8) if split is None else split["role"].values
    for fold, row in enumerate(roles):
        wanted = np.ones(n_windows, dtype=bool) if role == ALL else row == ROLES.index(role)
        if not wanted.any() or (role == ALL and fold != final):
            continue
        where = fold_folder(folder, fold, final)
        model = with_members(load(where, device), where, device)
        check_fits(model, windows)
        occurred = occurred_table(windows, model.events, model.unassigned)
        index = np.flatnonzero(wanted & (occurred >= 0).any(axis=1))
        tensors = place_windows(windows, model, occurred, device, index)
        index = index[has_values(tensors).cpu().numpy()]
        if not index.size:
            continue
        tensors = place_windows(windows, model, occurred, device, index)
        forecasts = forecast(windows, model, role=row, fold=fold, keep=index, device=device)
        mended = None if calibration is None else for_fold(calibration, fold)
        sights = tuple(_sights(windows, model, occurred, tensors, index))
        part = Part(model, tensors, sights, index, forecasts, mended)
        yield replace(part, forecasts=_mapped(part))


def _sights(
    windows: xr.Dataset,
    model: TrainedModel,
    occurred: NDArray[np.int8],
    tensors: WindowTensors,
    index: IntArray,
) -> Iterator[Sight]:
    """Windows as the members see them, put on the device again only for another scaler."""
    models = model.members or (model,)
    for alike in seeing_alike([model, *models]):
        # The model itself, in front, says whether what it sees will do.
        chosen = tuple(models[nth - 1] for nth in alike if nth)
        if chosen:
            device = tensors.device.type
            own = tensors if 0 in alike else place_windows(windows, chosen[0], occurred, device, index)
            yield Sight(own, chosen)


def _mapped(part: Part) -> xr.Dataset:
    """Forecasts of a part with the probabilities that are explained."""
    if part.calibration is None:
        return part.forecasts
    raw = part.forecasts["probability_raw"].values
    probability, _ = apply_calibration(raw, part.calibration, part.model.events)
    return part.forecasts.assign(probability=(("window", "event"), probability))


def quiet_threads(model: TrainedModel) -> Any:
    """As many threads as the model was trained with."""
    return cpu_threads(int(model.config["train"]["threads"]))


def places(part: Part, size: int) -> Iterator[torch.Tensor]:
    """Places of a part's windows, so many at a time, where its rows are."""
    yield from torch.split(torch.arange(part.index.size, device=part.tensors.last_class.device), size)

"""Forecasts of every fold by the model of that fold, one under the other.

The final fold's model forecasts all windows; the model of another fold those of its test and calibration
roles, which it was not trained on.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.calibrate.calibration import calibrated
from flarecast.calibrate.combining import with_combinations
from flarecast.ensembles.members import with_members
from flarecast.forecast.stage import forecast
from flarecast.model_file import TrainedModel, load
from flarecast.schema import FORECASTS, ROLES, check
from flarecast.train.trainings import final_fold, fold_folder, rival_folders

HELD_OUT = tuple(ROLES.index(name) for name in ("calibration", "test"))


def forecast_folds(
    windows: xr.Dataset,
    split: xr.Dataset | None,
    folder: Path,
    *,
    device: str = "auto",
    calibration: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Forecast windows by the models of a folder, each fold by its own.

    Args:
        windows: A windows Dataset.
        split: Roles in every fold; without it the final model forecasts all, and every role is unused.
        folder: MODEL_DIR.
        device: auto, cpu or cuda.
        calibration: Content of calibration.json; without it probabilities stay raw.

    Raises:
        FlarecastError: A model is missing or damaged, or the windows are of another kind.
    """
    parts = []
    final = 0 if split is None else final_fold(split)
    for fold, role in _roles_by_fold(split, final):
        model = _loaded(fold_folder(folder, fold, final), device)
        rivals = {
            name: _loaded(fold_folder(where, fold, final), device)
            for name, where in rival_folders(folder, model.config).items()
        }
        held_out = None if role is None or fold == final else np.flatnonzero(np.isin(role, HELD_OUT))
        parts.append(
            forecast(windows, model, role=role, fold=fold, keep=held_out, rivals=rivals, device=device)
        )
    merged = _merged(parts)
    if split is not None:
        merged.attrs |= {name: int(split.attrs.get(name, 0)) for name in ("final_fold", "out_of_fold")}
    if calibration is None:
        return merged
    return with_combinations(calibrated(merged, calibration), calibration.get("combinations", {}))


def _loaded(folder: Path, device: str) -> TrainedModel:
    """A model with its members."""
    return with_members(load(folder, device), folder, device)


def _roles_by_fold(split: xr.Dataset | None, final: int) -> Iterator[tuple[int, NDArray[np.int8] | None]]:
    """Every fold with its roles, the final one first; without a split one fold without roles."""
    if split is None:
        yield final, None
        return
    for fold in sorted(range(split.sizes["fold"]), key=lambda fold: (fold != final, fold)):
        yield fold, np.asarray(split["role"].values[fold], dtype=np.int8)


def _merged(parts: list[xr.Dataset]) -> xr.Dataset:
    """Forecasts of several folds in one file, with the priors of all their models."""
    if len(parts) == 1:
        return parts[0]
    merged = xr.concat(
        parts, "window", data_vars="minimal", coords="minimal", compat="override", join="exact",
        combine_attrs="override",
    )  # fmt: skip
    priors: dict[str, Any] = {}
    for part in parts:
        priors |= json.loads(part.attrs["priors"])
    merged.attrs["priors"] = json.dumps(priors)
    check(merged, FORECASTS)
    return merged

"""Encoders of every fold of a split, from files to a folder."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from flarecast.audit import audit_for
from flarecast.chain import open_pair
from flarecast.config import Config
from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.pretraining.fitting import check_parts, pretrain
from flarecast.resources import ALONE, Resources
from flarecast.train.start import ENCODER, Start
from flarecast.train.trainings import FOLDS, final_fold, fold_folder


def run_pretrain(
    windows_path: Path, split_path: Path, config: Config, folder: Path, resources: Resources = ALONE
) -> Start:
    """windows.nc and split.nc -> a folder of encoders, one a fold, unless the split leaks.

    One that was stopped goes on with the folds that it had finished; one that went to its end starts anew.

    Returns:
        The encoder of the final fold.

    Raises:
        FlarecastError: A leak (unless train.allow_leaks), or as `pretrain`.
    """
    check_parts(config)
    windows, split = open_pair(windows_path, split_path)
    leaks = audit_for(windows, split, config).leaks
    if leaks and not config.train.allow_leaks:
        text = "; ".join(finding.message for finding in leaks)
        raise FlarecastError(f"{split_path}: {text}; train.allow_leaks = true pretrains all the same")
    made_of = {"windows_sha256": sha256(windows_path), "split_sha256": sha256(split_path)}
    final, n_folds = final_fold(split), split.sizes["fold"]
    places = {fold: fold_folder(folder, fold, final) for fold in range(n_folds)}
    _remove_stale(folder, places)
    found: Start | None = None
    for fold in sorted(places, key=lambda number: number == final):
        found = pretrain(
            windows,
            split["role"].values[fold],
            config,
            folder=places[fold],
            device=resources.device,
            fold=fold,
            made_of=made_of,
            progress=resources.progress,
            say=resources.say,
        )
    assert found is not None  # a split has a fold
    return found


def _remove_stale(folder: Path, places: Mapping[int, Path]) -> None:
    """Remove folds of another split, and of a pretraining that went to its end what says that it did."""
    for path in sorted((folder / FOLDS).glob("*")):
        if path not in places.values():
            shutil.rmtree(path)
    if (folder / ENCODER).exists():  # it was written last, and goes last
        for place in sorted(places.values(), key=lambda place: place == folder):
            (place / ENCODER).unlink(missing_ok=True)

"""Encoders of every fold of a split, from files to a folder."""

from pathlib import Path

from flarecast.audit import audit_for
from flarecast.chain import open_pair
from flarecast.config import Config
from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.pretraining.fitting import check_parts, pretrain
from flarecast.resources import ALONE, Resources
from flarecast.train.start import Start
from flarecast.train.trainings import final_fold, fold_folder


def run_pretrain(
    windows_path: Path, split_path: Path, config: Config, folder: Path, resources: Resources = ALONE
) -> Start:
    """windows.nc and split.nc -> a folder of encoders, one a fold, unless the split leaks.

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
    final = final_fold(split)
    found: Start | None = None
    for fold in sorted(range(split.sizes["fold"]), key=lambda number: number == final):
        found = pretrain(
            windows,
            split["role"].values[fold],
            config,
            folder=fold_folder(folder, fold, final),
            device=resources.device,
            fold=fold,
            made_of=made_of,
            progress=resources.progress,
        )
    assert found is not None  # a split has a fold
    return found

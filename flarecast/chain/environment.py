"""What a run depended on: versions, commit, device, threads, seed, inputs by hash."""

import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from flarecast import __version__
from flarecast.config import Config
from flarecast.files import sha256

PACKAGES = ("numpy", "pandas", "scikit-learn", "imbalanced-learn", "torch", "xarray", "h5netcdf", "pydantic")
"""Distributions whose versions decide a run's numbers."""


def environment(config: Config, inputs: Mapping[str, Path], device: str = "auto") -> dict[str, Any]:
    """Content of environment.json.

    Args:
        config: Configuration of the run.
        inputs: Files that the run was made of, by name.
        device: Device asked for: auto, cpu or cuda.
    """
    import torch

    cuda = device != "cpu" and torch.cuda.is_available()
    return {
        "flarecast": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "threads": config.train.threads,
        "precision": config.train.precision if cuda else "float32",
        "deterministic": config.train.deterministic,
        "seed": config.run.seed,
        "inputs": {name: {"path": str(path), "sha256": sha256(path)} for name, path in inputs.items()},
    }


def _commit() -> str | None:
    """Commit of the checkout that the package runs from, with a + where files differ; None outside one."""
    folder = Path(__file__).resolve().parent
    try:
        top = subprocess.run(
            ["git", "rev-parse", "--show-toplevel"], cwd=folder, capture_output=True, text=True, check=True
        ).stdout.strip()
        if Path(top) != folder.parent:  # an installed copy inside somebody else's repository
            return None
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=+"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()

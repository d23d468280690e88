"""The files of one run, by name."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunFolder:
    """Names of the files of one run, and of the windows that it is made of where they are known."""

    folder: Path
    windows: Path = Path("windows.nc")

    def __getattr__(self, name: str) -> Path:
        """Path of one of the run's files."""
        if name not in _FILES:
            raise AttributeError(name)
        return self.folder / _FILES[name]


_FILES = {
    "config": "config.toml",
    "environment": "environment.json",
    "split": "split.nc",
    "audit": "audit.json",
    "model": "model",
    "forecasts": "forecasts.nc",
    "calibration": "calibration.json",
    "calibrated": "calibrated.nc",
    "scores": "scores.json",
    "importance": "explain/importance.json",
    "attributions": "explain/attributions.json",
    "report": "report.html",
    "card": "MODEL_CARD.md",
    "figures": "figures",
}

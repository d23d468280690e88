"""Choose the disk model by rolling-origin folds inside cycle 23: nothing after 2008-11 is looked at.

Usage: choose_disk_model.py RAW. For every year of test the model is trained and calibrated on all that came
before; the pooled Brier and log scores of M1.0 decide which model configs/disk.toml names.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from flarecast.chain import RunFolder, run_calibrate, run_forecast, run_ingest, run_split, run_train
from flarecast.config import load_config

LOGISTIC = ["model.name=logistic"]
LSTM = ["model.name=lstm", "train.epochs=40", "train.patience=10"]
MODELS = {
    **{
        f"logistic {'+'.join(kinds)} C={penalty}": [
            *LOGISTIC,
            f"model.options={{statistics={list(kinds)}, inverse_penalty={penalty}}}",
        ]
        for kinds in (("last",), ("last", "mean"))
        for penalty in (0.003, 0.01, 0.03)
    },
    **{
        f"lstm {layers}x{hidden} dropout {dropout} decay {decay}": [
            *LSTM,
            f"model.options={{hidden={hidden}, layers={layers}, dropout={dropout}}}",
            f"train.weight_decay={decay}",
        ]
        for layers, hidden, dropout, decay in (
            (1, 16, 0.0, 0.0001),
            (1, 16, 0.3, 0.01),
            (2, 32, 0.3, 0.01),
            (1, 64, 0.5, 0.1),
        )
    },
}
ORIGINS = range(2001, 2008)


def pooled(raw: Path, folder: Path, changes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities and outcomes of M1.0 in all test years, each of shape (day,)."""
    probabilities, outcomes = [], []
    windows = folder / "windows.nc"
    for year in ORIGINS:
        spans = [
            "split.strategy=by_time",
            f"split.options={{train=['1996-08', '{year}-01'], test=['{year}-01', '{year + 1}-01']}}",
        ]
        config = load_config(Path("configs/disk.toml"), [*changes, *spans])
        if not windows.exists():
            run_ingest(config, raw, windows)
        run = RunFolder(folder / f"{year}-{config.model.name}")
        run_split(windows, config, run.split)
        run_train(windows, run.split, config, run.model, "cpu")
        run_forecast(windows, run.model, run.split, run.forecasts, "cpu")
        calibrated = run_calibrate(run.forecasts, config, run.calibrated)
        test = (calibrated["role"].values == 4) & (calibrated["occurred"].values[:, 0] >= 0)
        probabilities.append(calibrated["probability"].values[test, 0])
        outcomes.append(calibrated["occurred"].values[test, 0])
    return np.concatenate(probabilities), np.concatenate(outcomes)


def main() -> None:
    """Print one line a model."""
    raw = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        for model, changes in MODELS.items():
            probability, occurred = pooled(raw, Path(name), changes)
            brier = np.mean((probability - occurred) ** 2)
            clipped = np.clip(probability, 1e-6, 1 - 1e-6)
            log_loss = -np.mean(np.where(occurred == 1, np.log(clipped), np.log(1 - clipped)))
            base = occurred.mean()
            bss = 1 - brier / (base * (1 - base))
            scores = f"brier {brier:.4f}  log loss {log_loss:.4f}  bss {bss:.3f}"
            print(f"{model:32} days {occurred.size}  {scores}", flush=True)


if __name__ == "__main__":
    main()

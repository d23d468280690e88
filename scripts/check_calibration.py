"""How often calibrated forecasts of small simulated Suns pass a test of calibration at the 5 % level.

Usage: check_calibration.py [FIRST] [LAST]. Each seed is a Sun of its own; a class-weighted logistic
regression is trained on nine tenths of its regions, calibrated on out-of-fold forecasts of these, and tested
on the others, which are few because what calibration does not know of its own numbers counts against it.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from flarecast.calibrate import calibrate
from flarecast.chain.sources import make_windows
from flarecast.config import load_config
from flarecast.forecast.folds import forecast_folds
from flarecast.schema import ROLES
from flarecast.skill.calibration_test import calibration_p_value
from flarecast.split import make_split
from flarecast.train import train
from flarecast.train.trainings import fold_folder, plan_of

SETTING = [
    'events=["C1.0", "M1.0"]',
    "ingest.options={n_regions=500, n_steps=6, cadence_minutes=60}",
    "ingest.options.first_date=2011-01",
    "ingest.options.last_date=2015-01",
    "split.strategy=by_region",
    "split.options={train=0.66, validation=0.12, calibration=0.12, test=0.1}",
    "model.name=logistic",
    "model.options={statistics=['last']}",
    "balance.name=class_weights",
    "calibrate.fit_on=out_of_fold",
    "rivals.natural={balance={name='none'}}",
]
NAMES = ("none", "prior", "platt", "beta", "isotonic")
EVENT = 0  # C1.0: M1.0 comes in too few regions of so small a Sun


def p_values(seed: int) -> dict[str, float]:
    """Of the weighted model under every calibrator, and of the natural one uncalibrated."""
    config = load_config(None, [*SETTING, f"run.seed={seed}"])
    windows = make_windows(config, None)
    split = make_split(
        windows,
        config.split.strategy,
        config.generator("split"),
        options=config.split.options,
        out_of_fold=config.calibrate.folds,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for one, where in ((config.of_rival("natural"), folder / "rivals" / "natural"), (config, folder)):
            inner = [fold_folder(where, fold, 0) for fold in range(1, split.sizes["fold"])]
            for fold, place in enumerate(inner, 1):
                train(windows, split, one, folder=place, device="cpu", fold=fold)
            train(windows, split, one, folder=where, device="cpu", plan=plan_of(inner, one))
        made = forecast_folds(windows, split, folder, device="cpu")
    test = np.flatnonzero(made["role"].values == ROLES.index("test"))
    occurred = made["occurred"].values[test, EVENT]
    rows = test[(occurred >= 0) & ~np.isnan(made["probability"].values[test, EVENT])]
    truth = made["occurred"].values[rows, EVENT] == 1, made["cluster"].values[rows]
    said = {f"weighted, {name}": calibrate(made, name, {})[0]["probability"] for name in NAMES}
    said["natural, none"] = made["rival_probability_raw"][:, :, 0]
    said["truth given the rows"] = made["truth_observed"]
    return {name: calibration_p_value(one.values[rows, EVENT], *truth) for name, one in said.items()}


def main() -> None:
    """Print how many seeds pass, by forecast."""
    first, last = (int(word) for word in [*sys.argv[1:], *("0", "99")[len(sys.argv) - 1 :]])
    passed: dict[str, list[bool]] = {}
    for seed in range(first, last + 1):
        for name, value in p_values(seed).items():
            passed.setdefault(name, []).append(value >= 0.05)
    for name, ones in passed.items():
        print(f"{name:24} {sum(ones):3d} of {len(ones)} seeds pass")


if __name__ == "__main__":
    main()

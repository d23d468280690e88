"""SGD against SWA, EMA and SWAG at equal budget on simulated, disk and region data: paired over seeds.

Usage: bench_swa.py FOLDER [--disk RAW] [--regions RAW] [--seeds 10] [--minutes 8]. Each call goes on where
the last one ended, until all is trained; only then the test role is scored, once, and results.json,
scores.csv and gains.csv are written to FOLDER (draw_swa.py draws them). Data whose RAW is not named are left
out.

All arms have the same networks, seeds, batches and epochs. `sgd` is momentum SGD along a cosine to 0, of
which the epoch best on validation is kept; `ema` averages along the same descent; `swa` and `swag` have three
quarters of the epochs at a constant rate, then collect weights. Rates and decay are the best of a few on the
validation role, with seeds of their own. Probabilities are raw: nothing is calibrated after training.
"""

import argparse
import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from scipy.stats import t as student

from flarecast.averaging.gaussian import fill, flat
from flarecast.batches import choose_device, take
from flarecast.chain import open_pair, run_ingest, run_split
from flarecast.config import Config, load_config
from flarecast.ensembles.members import MEMBERS
from flarecast.files import read_json, write_json
from flarecast.forecast import class_probability, class_to_event
from flarecast.goes import occurred_table
from flarecast.losses import negative_log_likelihood
from flarecast.model_file import DESCRIPTION, load
from flarecast.schema import ROLES
from flarecast.skill.probability import bss, log_loss, sum_probability
from flarecast.skill.ranking import average_precision, rank
from flarecast.train import train
from flarecast.train.passes import refresh
from flarecast.train.prepare import prepare
from flarecast.train.task import Task

EVENT = "M1.0"
ARMS = ("sgd", "ema", "swa", "swag")
TRAINED = {"sgd": "none", "ema": "ema", "swag": "swag"}
"""Trainings of a seed; `swa` is the mean of `swag`, which is the same training."""

TUNING_SEEDS = (1000,)
RATES, SHARES, DECAYS = (0.003, 0.01, 0.03, 0.1), (0.1, 0.3, 1.0), (0.98, 0.998)
MEMBERS_DRAWN = 10
SGD = ["train.optimizer=sgd", "train.optimizer_options={momentum=0.9}", "calibrate.fit_on=calibration"]
DATA = {
    "simulated": (
        "simulated",
        [
            "ingest.options={n_regions=1000,cadence_minutes=60,n_steps=12}",
            'model={name="cnn",options={channels=[16,16]}}',
            "train.epochs=10",
            "train.batch_size=64",
        ],
    ),
    "disk": (
        "disk-lstm",
        [
            'model={name="lstm",options={hidden=16,layers=1,dropout=0.5}}',
            "train.epochs=12",
            "train.batch_size=64",
        ],
    ),
    "regions": (
        "regions",
        [
            'model={name="lstm",options={hidden=32,layers=1,dropout=0.5}}',
            "train.epochs=24",
            "train.batch_size=64",
        ],
    ),
}
"""Configuration and what is changed in it: small networks, the first with batch norm, and a smaller Sun."""

STEPS = np.linspace(-1, 1, 13)
DIRECTIONS = 5


class OutOfTimeError(Exception):
    """The minutes of this call are over."""


@dataclass
class Bench:
    """One set of data: its windows, and where its trainings go."""

    name: str
    folder: Path
    windows: xr.Dataset
    split: xr.Dataset
    deadline: float

    def train(self, arm: str, seed: int, settings: dict[str, Any], where: str) -> Path:
        """Folder of a training, done now if it is not there yet."""
        folder = self.folder / where
        if not (folder / DESCRIPTION).exists():
            if time.monotonic() > self.deadline:
                raise OutOfTimeError
            train(
                self.windows,
                self.split,
                configure(self.name, arm, seed, settings),
                folder=folder,
                device="cpu",
            )
        return folder


def configure(name: str, arm: str, seed: int, settings: dict[str, Any]) -> Config:
    """Configuration of one training."""
    own: dict[str, Any] = {"weight_decay": 1e-3, "averaging": TRAINED[arm], "learning_rate": settings["rate"]}
    if arm == "swag":
        own["averaging_learning_rate"] = settings["rate"] * settings["share"]
        own["averaging_options"] = f"{{per_epoch=4,members={settings['members']}}}"
    else:
        own["schedule"] = '"cosine"'
    if arm == "ema":
        own["averaging_options"] = f"{{decay={settings['decay']}}}"
    config, changes = DATA[name]
    more = [f"train.{key}={value}" for key, value in own.items()]
    loaded = load_config(Path(f"configs/{config}.toml"), [*changes, *SGD, f"run.seed={seed}", *more])
    patient = loaded.train.model_copy(update={"patience": loaded.train.epochs})
    return loaded.model_copy(update={"train": patient, "rivals": {}})


def open_data(name: str, raw: Path | None, folder: Path) -> tuple[xr.Dataset, xr.Dataset]:
    """Windows and split, made once."""
    config = configure(name, "sgd", 0, {"rate": 0.1})
    windows, split = folder / "windows.nc", folder / "split.nc"
    if not windows.exists():
        run_ingest(config, raw, windows)
    if not split.exists():
        run_split(windows, config, split)
    return open_pair(windows, split)


def choose(bench: Bench) -> dict[str, Any]:
    """Learning rates and decay that are best on validation, over the tuning seeds."""

    def best(arm: str, tries: list[dict[str, Any]], key: str) -> dict[str, Any]:
        means = []
        for one in tries:
            label = "-".join(f"{value:g}" for value in one.values())
            folders = [bench.train(arm, seed, one, f"tuning/{arm}-{label}-{seed}") for seed in TUNING_SEEDS]
            means.append(float(np.mean([load(folder, "cpu").training[key] for folder in folders])))
        return tries[int(np.argmin(means))]

    rate = best("sgd", [{"rate": rate} for rate in RATES], "validation_loss_best")["rate"]
    decays = [{"rate": rate, "decay": decay} for decay in DECAYS]
    shares = [{"rate": rate, "share": share, "members": 2} for share in SHARES]
    return {
        "sgd": {"rate": rate},
        "ema": best("ema", decays, "validation_loss_averaged"),
        "swag": best("swag", shares, "validation_loss_averaged") | {"members": MEMBERS_DRAWN},
    }


def score(bench: Bench, n_seeds: int) -> Iterator[dict[str, Any]]:
    """Scores of all arms and seeds on the test role."""
    occurred = occurred_table(bench.windows, load(bench.folder / "sgd-0", "cpu").events)
    event = load(bench.folder / "sgd-0", "cpu").events.index(EVENT)
    test = np.flatnonzero((bench.split["role"].values[0] == ROLES.index("test")) & (occurred[:, event] >= 0))

    def forecast(folder: Path) -> np.ndarray:
        probability = class_probability(bench.windows, load(folder, "cpu"), occurred, "cpu", test)
        return class_to_event(probability)[:, event]

    for seed in range(n_seeds):
        trained = {arm: bench.folder / f"{arm}-{seed}" for arm in TRAINED}
        members = [forecast(trained["swag"] / MEMBERS / str(k)) for k in range(1, MEMBERS_DRAWN + 1)]
        forecasts = {arm: forecast(trained["swag" if arm == "swa" else arm]) for arm in ("sgd", "ema", "swa")}
        for arm, probability in (forecasts | {"swag": np.mean(members, axis=0)}).items():
            there = ~np.isnan(probability)
            pair = probability[there], occurred[test[there], event] == 1
            sums = sum_probability(*pair)
            training = load(trained["swag" if arm in ("swa", "swag") else arm], "cpu").training
            yield {
                "data": bench.name,
                "arm": arm,
                "seed": seed,
                "bss": float(bss(sums)),
                "ap": float(average_precision(rank(*pair))),
                "loss": float(log_loss(sums)),
                "windows": int(sums.n),
                "events": int(sums.events),
                "validation_best": training["validation_loss_best"],
                "validation_averaged": training.get("validation_loss_averaged"),
            }


def gains(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Mean gain over SGD of each arm and score, with Student's 95 % interval over seeds."""
    for name in dict.fromkeys(row["data"] for row in rows):
        for arm in ARMS:
            mine = {row["seed"]: row for row in rows if (row["data"], row["arm"]) == (name, arm)}
            base = {row["seed"]: row for row in rows if (row["data"], row["arm"]) == (name, "sgd")}
            for key in ("bss", "ap", "loss"):
                gain = np.array([mine[seed][key] - base[seed][key] for seed in mine])
                half = student.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / len(gain) ** 0.5
                mean = float(np.mean([row[key] for row in mine.values()]))
                yield {
                    "data": name, "arm": arm, "score": key, "value": mean, "gain": float(gain.mean()),
                    "low": float(gain.mean() - half), "high": float(gain.mean() + half), "seeds": len(gain),
                }  # fmt: skip


@torch.no_grad()
def loss_of(module: torch.nn.Module, task: Task, part: str) -> float:
    """Mean negative log likelihood of at most 2,000 windows of a role."""
    sample = task.natural if part == "train" else task.validation
    assert sample is not None
    batch = take(sample, torch.arange(min(2000, len(sample))))
    logits = module.eval()(batch.steps, batch.last_class)
    return float(negative_log_likelihood(logits, batch.low, batch.high).mean())


def flatness(bench: Bench) -> list[dict[str, Any]]:
    """Losses along random directions from the weights of SGD and SWA, batch norm refreshed at each place.

    Distances are shares of the length of the weights of SGD. Source: Izmailov et al. (2018), figure 4.
    """
    folders = {"sgd": bench.folder / "sgd-0", "swa": bench.folder / "swag-0"}
    config = configure(bench.name, "sgd", 0, {"rate": 0.1})
    task = prepare(bench.windows, bench.split["role"].values[0], config, choose_device("cpu")).task
    length = flat(load(folders["sgd"], "cpu").module).norm()
    rows = []
    for arm, folder in folders.items():
        module = load(folder, "cpu").module
        start, generator = flat(module), torch.Generator().manual_seed(0)
        for direction in range(DIRECTIONS):
            way = torch.randn(len(start), generator=generator)
            for step in STEPS:
                fill(module, start + float(step) * length * way / way.norm())
                refresh(module, task, torch.Generator().manual_seed(0))
                losses = {part: loss_of(module, task, part) for part in ("train", "validation")}
                rows.append(
                    {"data": bench.name, "arm": arm, "direction": direction, "step": float(step), **losses}
                )
    return rows


def finish(benches: list[Bench], n_seeds: int, folder: Path) -> None:
    """Score on test, once, and write all results."""
    results = folder / "results.json"
    if not results.exists():
        rows = [row for bench in benches for row in score(bench, n_seeds)]
        flat_rows = [row for bench in benches for row in flatness(bench)]
        write_json(results, {"scores": rows, "gains": list(gains(rows)), "flatness": flat_rows})
    content = read_json(results)
    for name in ("scores", "gains"):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, content[name][0])
            writer.writeheader()
            writer.writerows(content[name])
    for row in content["gains"]:
        interval = f"{row['gain']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f})"
        print(f"{row['data']:10} {row['arm']:5} {row['score']:5} {row['value']:.4f}  {interval}")


def main() -> int:
    """Train what is missing within the minutes; score once all is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--disk", type=Path, help="folder of NOAA's daily record")
    parser.add_argument("--regions", type=Path, help="folder of NOAA's region summaries and event reports")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=8)
    arguments = parser.parse_args()
    if arguments.folder is None:
        print("half an hour of training: name a folder for it; what came out is in docs/averaging.md")
        return 0
    deadline = time.monotonic() + 60 * arguments.minutes
    raw = {"simulated": None, "disk": arguments.disk, "regions": arguments.regions}
    benches = []
    try:
        for name in [name for name in DATA if name == "simulated" or raw[name]]:
            where = arguments.folder / name
            bench = Bench(name, where, *open_data(name, raw[name], where), deadline)
            if not (where / "chosen.json").exists():
                write_json(where / "chosen.json", choose(bench))
            chosen = read_json(where / "chosen.json")
            for seed, arm in [(seed, arm) for seed in range(arguments.seeds) for arm in TRAINED]:
                bench.train(arm, seed, chosen[arm], f"{arm}-{seed}")
            benches.append(bench)
    except OutOfTimeError:
        print(f"{arguments.minutes:g} minutes are over; call again to go on")
        return 0
    finish(benches, arguments.seeds, arguments.folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""What helps when few regions are labelled: pretraining, self-training, choosing what to label.

Usage: few_labels.py FOLDER [--data NAME --raw RAW] SEED... trains for these seeds, a file each, done once;
without seeds it pools all that are there and prints the tables of docs/few_labels.md. NAME is an entry of
DATA, the simulated Sun where none is named. Labels, first weights and order are of the seed; windows and
split are the same for all. Skill is that of the test role, raw and calibrated on the calibration role.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from flarecast import skill
from flarecast.calibrators import platt
from flarecast.chain import open_pair, run_ingest, run_split
from flarecast.clusters import clusters
from flarecast.config import Config, load_config, parse_config
from flarecast.files import read_json, sha256, write_json
from flarecast.forecast import class_probability, class_to_event
from flarecast.goes import compatible_classes, occurred_table
from flarecast.informative import rank_windows
from flarecast.pretraining.fitting import pretrain
from flarecast.schema import ROLES
from flarecast.seen import unpack
from flarecast.train import train

EVENTS = ("C1.0", "M1.0")
LSTM = "model={name='lstm', options={hidden=32, layers=1, dropout=0.5}}"
DATA: dict[str, tuple[Path | None, list[str]]] = {
    "simulated": (
        None,
        [
            "ingest.options={n_regions=1000, n_steps=12, cadence_minutes=60, stride_hours=24}",
            "split.strategy=by_region",
            "model={name='cnn', options={channels=[16, 16], kernel=3}}",
            "train={epochs=25, patience=6, averaging='none', learning_rate=0.003}",
            "pretrain={epochs=12, learning_rate=0.003}",
        ],
    ),
    **{
        name: (
            Path(__file__).parents[1] / "configs" / f"{name}.toml",
            [
                "rivals={}",
                LSTM,
                "train={epochs=20, patience=5, averaging='none', weight_decay=0.1}",
                "calibrate.fit_on=calibration",
            ],
        )
        for name in ("ar-days", "regions")
    },
}
"""Configuration and what is changed in it. The LSTM of region days is the rival of the region studies."""

SHARES = (0.01, 0.1, 1.0)
FEW = 0.05
"""Share of the regions that is labelled before as many more are chosen."""

PACE = {0.01: (16, 3), FEW: (32, 2), 0.1: (64, 2), 1.0: (256, 1)}
"""Batch size by share of labels, and times as many epochs and as much patience: with batches of 256 a
hundredth of the labels would be one step an epoch."""

SCORES = {"BSS, calibrated": "bss", "BSS, raw": "bss", "AP": "average_precision"}
RESAMPLES = 1000
ARMS: dict[str, dict[str, Any]] = {
    "from scratch": {},
    "masked, fine-tuned": {"init_from": "masked"},
    "masked, probe": {"init_from": "masked", "frozen": ["encoder"]},
    "contrastive, fine-tuned": {"init_from": "contrastive"},
    "contrastive, probe": {"init_from": "contrastive", "frozen": ["encoder"]},
    "self-training": {"self_training": {"rounds": 1}},
}


def configure(data: str, seed: int, share: float = 1.0, **train_values: Any) -> Config:
    """The configuration of one training or pretraining."""
    path, changes = DATA[data]
    content = load_config(path, [*changes, "events=['C1.0', 'M1.0']", f"run.seed={seed}"]).resolved()
    batch_size, times = PACE[share]
    values = content["train"]
    paced = {name: times * values[name] for name in ("epochs", "patience")} | {"batch_size": batch_size}
    return parse_config({**content, "train": {**values, **paced, **train_values}})


@dataclass(frozen=True)
class Bench:
    """One set of data and where its trainings go."""

    data: str
    folder: Path
    windows: xr.Dataset
    split: xr.Dataset
    hashes: dict[str, str]

    def index(self, role: str) -> np.ndarray:
        """Windows of a role."""
        return np.flatnonzero(self.split["role"].values[0] == ROLES.index(role))

    def forecasts(self, model: Any) -> dict[str, Any]:
        """Raw probabilities of events for the roles that are scored and calibrated on, (window, event)."""
        occurred = occurred_table(self.windows, EVENTS)
        return {
            role: class_to_event(class_probability(self.windows, model, occurred, "cpu", self.index(role)))
            for role in ("calibration", "test")
        }


def open_bench(data: str, folder: Path, raw: Path | None) -> Bench:
    paths = folder / "windows.nc", folder / "split.nc"
    if not paths[1].is_file():
        run_ingest(configure(data, 0), raw, paths[0])
        run_split(paths[0], configure(data, 0), paths[1])
    hashes = {f"{path.stem}_sha256": sha256(path) for path in paths}
    return Bench(data, folder, *open_pair(*paths), hashes)


def run_seed(bench: Bench, seed: int) -> None:
    windows, split = bench.windows, bench.split
    where = bench.folder / f"seed-{seed}"
    for name in ("masked", "contrastive"):
        content = configure(bench.data, seed).resolved()
        config = parse_config({**content, "pretrain": {**content["pretrain"], "name": name}})
        if not (where / name / "encoder.json").is_file():
            role = split["role"].values[0]
            pretrain(windows, role, config, folder=where / name, device="cpu", made_of=bench.hashes)
    found: dict[str, Any] = {}
    for share in SHARES:
        for name, values in ARMS.items():
            values = dict(values)
            if "init_from" in values:
                values["init_from"] = str(where / values["init_from"])
            config = configure(bench.data, seed, share, label_share=share, **values)
            model = train(windows, split, config, folder=where / "model", device="cpu", **bench.hashes)
            found[f"{share:g} {name}"] = bench.forecasts(model)
            found[f"{share:g} {name}: windows"] = model.training["windows_train"]
            if name == "self-training":
                found[f"{share:g} pseudo"] = pseudo_said(windows, model)
    found |= choose_labels(bench, where, seed)
    write_json(bench.folder / f"seed-{seed}.json", found)


def pseudo_said(windows: xr.Dataset, model: Any) -> list[int]:
    """Pseudo-labels, and how many nature would have given."""
    said = unpack(model.training["seen"].get("pseudo_labels", ""), windows.sizes["window"])
    low, high = compatible_classes(occurred_table(windows, EVENTS))
    return [int(said.sum()), int((said & (low == high)).sum())]


def choose_labels(bench: Bench, where: Path, seed: int) -> dict[str, Any]:
    """Train on 5 % of the regions, then on 5 % more: the most telling, by three members, or any."""
    windows, split, train_windows = bench.windows, bench.split, bench.index("train")
    region = clusters(windows).astype(str)
    names = np.random.default_rng([seed, 1]).permutation(np.unique(region[train_windows]))
    n = round(FEW * names.size)
    few = hide(windows, train_windows, region, names[:n])

    def fit(told: xr.Dataset, seed: int, share: float) -> Any:
        config = configure(bench.data, seed, share, allow_leaks=True)
        return train(told, split, config, folder=where / "m", device="cpu")

    members = [fit(few, seed + 1000 * nth, FEW) for nth in range(3)]
    unknown = train_windows[~np.isin(region[train_windows], names[:n])]
    ranking = rank_windows(few, replace(members[0], members=tuple(members)), unknown, "cpu")
    found = {"5 % alone": bench.forecasts(members[0])}
    for name, more in {
        "5 % more, most telling": list(dict.fromkeys(region[ranking.window]))[:n],
        "5 % more, at random": names[n : 2 * n],
    }.items():
        told = hide(windows, train_windows, region, [*names[:n], *more])
        found[name] = bench.forecasts(fit(told, seed, 2 * FEW))
        occurred = occurred_table(told, EVENTS)[train_windows]
        found[f"{name}: windows"] = [int((occurred[:, 0] >= 0).sum()), int((occurred[:, 1] == 1).sum())]
    return found


def hide(windows: xr.Dataset, train_windows: np.ndarray, region: np.ndarray, kept: Any) -> xr.Dataset:
    """Windows whose train outcomes are unknown but for some regions."""
    hidden = train_windows[~np.isin(region[train_windows], kept)]
    peak, upper = (windows[name].values.copy() for name in ("peak_flux", "peak_flux_upper"))
    peak[hidden], upper[hidden] = 0.0, np.inf
    return windows.assign(peak_flux=("window", peak), peak_flux_upper=("window", upper))


def pool(bench: Bench) -> None:
    seeds = [read_json(path) for path in sorted(bench.folder.glob("seed-*.json"))]
    test, occurred = bench.index("test"), occurred_table(bench.windows, EVENTS)
    cluster = clusters(bench.windows)
    print(f"{len(seeds)} seeds; test {test.size} windows of {np.unique(cluster[test]).size} regions")
    for event, name in enumerate(EVENTS):
        rows = test[occurred[test, event] >= 0]
        draw = np.random.default_rng(0)
        sample = skill.draw_sample(occurred[rows, event] == 1, cluster[rows], draw, resamples=RESAMPLES)
        print(f"{name}: {sample.n_events} events in {sample.n} windows, {sample.n_event_blocks} regions with")
        for score in SCORES:
            print(f"\n| {name}, {score} | {' | '.join(f'{100 * share:g} %' for share in SHARES)} |")
            arms = [[f"{share:g} {arm}" for share in SHARES] for arm in ARMS]
            _table(list(ARMS), arms, _resampled(bench, seeds, event, score, sample))
        for score in SCORES:
            more = ["5 % more, at random", "5 % more, most telling", "5 % alone"]
            print(f"\n| {name}, {score} |")
            _table(more, [[one] for one in more], _resampled(bench, seeds, event, score, sample))
    for key in (key for key in seeds[0] if key.endswith((": windows", "pseudo"))):
        print(key, np.mean([one[key] for one in seeds], axis=0))


def _resampled(bench: Bench, seeds: list[Any], event: int, score: str, sample: skill.Sample) -> Any:
    """A function from an arm to its score, mean of the seeds, and the resamples of each, (seed, resample)."""
    occurred = occurred_table(bench.windows, EVENTS)[:, event]
    known = {role: occurred[bench.index(role)] >= 0 for role in ("calibration", "test")}
    came = occurred[bench.index("calibration")][known["calibration"]] == 1
    family = skill.estimate_ranking if score == "AP" else skill.estimate_probability

    def estimate(arm: str) -> tuple[float, np.ndarray]:
        found = []
        for seed in seeds:
            said = {role: np.array(seed[arm][role])[rows, event] for role, rows in known.items()}
            if score == "BSS, calibrated":
                said["test"] = platt.apply(said["test"], platt.fit(said["calibration"], came))
            found.append(family(sample, said["test"])[SCORES[score]])
        return float(np.mean([one.value for one in found])), np.stack([one.resampled for one in found])

    return estimate


def _table(names: list[str], arms: list[list[str]], estimate: Any) -> None:
    """A line an arm: of the first its score, of others the difference, seeds and regions drawn anew."""
    base = [estimate(arm) for arm in arms[0]]
    n = len(base[0][1])
    drawn = np.random.default_rng(0).integers(n, size=(RESAMPLES, n))
    print(f"| {names[0]} | {' | '.join(f'{value:.3f}' for value, _ in base)} |")
    for name, columns in zip(names[1:], arms[1:], strict=True):
        cells = []
        for arm, (before, each) in zip(columns, base, strict=True):
            value, resampled = estimate(arm)
            change = (resampled - each)[drawn.T, np.arange(RESAMPLES)].mean(axis=0)
            low, high = np.nanquantile(change, [0.025, 0.975])
            cells.append(f"{value - before:+.3f} [{low:+.3f}, {high:+.3f}]")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("seed", type=int, nargs="*")
    parser.add_argument("--data", choices=DATA, default="simulated")
    parser.add_argument("--raw", type=Path)
    asked = parser.parse_intermixed_args()
    opened = open_bench(asked.data, asked.folder, asked.raw)
    for number in asked.seed:
        if not (asked.folder / f"seed-{number}.json").is_file():
            run_seed(opened, number)
    if not asked.seed:
        pool(opened)

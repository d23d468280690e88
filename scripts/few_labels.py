"""What helps when few regions are labelled: pretraining, self-training, choosing what to label.

Usage: few_labels.py FOLDER SEED... trains for these seeds, a file each, done once; few_labels.py FOLDER pools
all that are there and prints the tables of docs/few_labels.md. Data are the simulated Sun's. Labels, first
weights and order are of the seed; windows and split are the same for all. Skill is that of raw forecasts of
the test role.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from flarecast import skill
from flarecast.chain import open_pair, run_ingest, run_split
from flarecast.config import Config, load_config, parse_config
from flarecast.files import read_json, sha256, write_json
from flarecast.forecast import class_probability, class_to_event, clusters
from flarecast.goes import compatible_classes, occurred_table
from flarecast.informative import rank_windows
from flarecast.pretraining.fitting import pretrain
from flarecast.schema import ROLES
from flarecast.seen import unpack
from flarecast.train import train

EVENTS = ("C1.0", "M1.0")
BASE = [
    "events=['C1.0', 'M1.0']",
    "ingest.options={n_regions=1000, n_steps=12, cadence_minutes=60, stride_hours=24}",
    "split.strategy=by_region",
    "model={name='cnn', options={channels=[16, 16], kernel=3}}",
    "train={epochs=25, patience=6, averaging='none', learning_rate=0.003}",
    "pretrain={epochs=12, learning_rate=0.003}",
]
SHARES = (0.01, 0.1, 1.0)
RESAMPLES = 1000
ARMS: dict[str, dict[str, Any]] = {
    "from scratch": {},
    "masked, fine-tuned": {"init_from": "masked"},
    "masked, probe": {"init_from": "masked", "frozen": ["encoder"]},
    "contrastive, fine-tuned": {"init_from": "contrastive"},
    "contrastive, probe": {"init_from": "contrastive", "frozen": ["encoder"]},
    "self-training": {"self_training": {"rounds": 1}},
}


def configure(seed: int, *changes: str) -> Config:
    return load_config(None, [*BASE, f"run.seed={seed}", *changes])


def with_train(config: Config, **values: Any) -> Config:
    content = {**config.resolved()["train"], **values}
    return parse_config({**config.resolved(), "train": content})


def open_data(folder: Path) -> tuple[xr.Dataset, xr.Dataset, dict[str, str]]:
    paths = folder / "windows.nc", folder / "split.nc"
    if not paths[1].is_file():
        run_ingest(configure(0), None, paths[0])
        run_split(paths[0], configure(0), paths[1])
    hashes = {f"{path.stem}_sha256": sha256(path) for path in paths}
    return *open_pair(*paths), hashes


def probability_of_test(windows: xr.Dataset, split: xr.Dataset, model: Any) -> np.ndarray:
    """Raw probabilities of events, shape (test window, event)."""
    index = np.flatnonzero(split["role"].values[0] == ROLES.index("test"))
    occurred = occurred_table(windows, EVENTS)
    return class_to_event(class_probability(windows, model, occurred, "cpu", index))


def run_seed(folder: Path, seed: int) -> None:
    windows, split, hashes = open_data(folder)
    where = folder / f"seed-{seed}"
    for name in ("masked", "contrastive"):
        config = configure(seed, f"pretrain.name={name}")
        if not (where / name / "encoder.json").is_file():
            role = split["role"].values[0]
            pretrain(windows, role, config, folder=where / name, device="cpu", made_of=hashes)
    found: dict[str, Any] = {}
    for share in SHARES:
        for name, values in ARMS.items():
            values = dict(values)
            if "init_from" in values:
                values["init_from"] = str(where / values["init_from"])
            config = with_train(configure(seed), label_share=share, **values)
            model = train(windows, split, config, folder=where / "model", device="cpu", **hashes)
            found[f"{share:g} {name}"] = probability_of_test(windows, split, model)
            found[f"{share:g} {name}: windows"] = model.training["windows_train"]
            if name == "self-training":
                found[f"{share:g} pseudo"] = pseudo_said(windows, model)
    found |= choose_labels(windows, split, where, seed)
    write_json(folder / f"seed-{seed}.json", found)


def pseudo_said(windows: xr.Dataset, model: Any) -> list[int]:
    """Pseudo-labels, and how many nature would have given."""
    said = unpack(model.training["seen"].get("pseudo_labels", ""), windows.sizes["window"])
    low, high = compatible_classes(occurred_table(windows, EVENTS))
    return [int(said.sum()), int((said & (low == high)).sum())]


def choose_labels(windows: xr.Dataset, split: xr.Dataset, where: Path, seed: int) -> dict[str, Any]:
    """Train on 5 % of the regions, then on 5 % more: the most telling, by three members, or any."""
    role = split["role"].values[0]
    train_windows = np.flatnonzero(role == ROLES.index("train"))
    region = clusters(windows).astype(str)
    names = np.random.default_rng([seed, 1]).permutation(np.unique(region[train_windows]))
    n = round(0.05 * names.size)
    few = hide(windows, train_windows, region, names[:n])
    quiet = {"allow_leaks": True}
    members = [
        train(few, split, with_train(configure(seed + 1000 * nth), **quiet), folder=where / "m", device="cpu")
        for nth in range(3)
    ]
    unknown = train_windows[~np.isin(region[train_windows], names[:n])]
    ranking = rank_windows(few, replace(members[0], members=tuple(members)), unknown, "cpu")
    found = {"5 % alone": probability_of_test(windows, split, members[0])}
    for name, more in {
        "5 % more, most telling": list(dict.fromkeys(region[ranking.window]))[:n],
        "5 % more, at random": names[n : 2 * n],
    }.items():
        told = hide(windows, train_windows, region, [*names[:n], *more])
        model = train(told, split, with_train(configure(seed), **quiet), folder=where / "m", device="cpu")
        found[name] = probability_of_test(windows, split, model)
        events = occurred_table(told, EVENTS)[train_windows, 1] == 1
        found[f"{name}: M windows"] = int(events.sum())
    return found


def hide(windows: xr.Dataset, train_windows: np.ndarray, region: np.ndarray, kept: Any) -> xr.Dataset:
    """Windows whose train outcomes are unknown but for some regions."""
    hidden = train_windows[~np.isin(region[train_windows], kept)]
    peak, upper = (windows[name].values.copy() for name in ("peak_flux", "peak_flux_upper"))
    peak[hidden], upper[hidden] = 0.0, np.inf
    return windows.assign(peak_flux=("window", peak), peak_flux_upper=("window", upper))


def pool(folder: Path) -> None:
    windows, split, _ = open_data(folder)
    test = np.flatnonzero(split["role"].values[0] == ROLES.index("test"))
    occurred = occurred_table(windows, EVENTS)[test]
    cluster = clusters(windows.isel(window=test))
    seeds = [read_json(path) for path in sorted(folder.glob("seed-*.json"))]
    print(f"{len(seeds)} seeds; test {test.size} windows of {np.unique(cluster).size} regions")
    for event, name in enumerate(EVENTS):
        rows = occurred[:, event] >= 0
        sample = skill.draw_sample(
            occurred[rows, event] == 1, cluster[rows], np.random.default_rng(0), resamples=RESAMPLES
        )
        print(
            f"\n{name}: {sample.n_events} events in {sample.n} windows, {sample.n_event_blocks} regions with"
        )
        for share in SHARES:
            _table(seeds, [f"{share:g} {arm}" for arm in ARMS], (rows, event), sample)
        _table(seeds, ["5 % more, at random", "5 % more, most telling", "5 % alone"], (rows, event), sample)
    for key in ("0.01 pseudo", "0.1 pseudo"):
        print(key, np.sum([one[key] for one in seeds], axis=0).tolist())
    for key in ("5 % more, at random: M windows", "5 % more, most telling: M windows"):
        print(key, np.mean([one[key] for one in seeds]))
    for share in SHARES:
        key = f"{share:g} from scratch: windows"
        print(key, np.mean([one[key] for one in seeds]))


def _table(seeds: list[Any], arms: list[str], where: tuple[np.ndarray, int], sample: skill.Sample) -> None:
    """A line an arm: mean score over seeds, difference to the first with seeds and regions drawn anew."""
    rows, event = where
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(seeds), size=(RESAMPLES, len(seeds)))
    base: dict[str, tuple[float, np.ndarray]] = {}
    for arm in arms:
        cells = []
        for score, family in (
            ("bss", skill.estimate_probability),
            ("average_precision", skill.estimate_ranking),
        ):
            found = [family(sample, np.array(one[arm])[rows, event])[score] for one in seeds]
            value = float(np.mean([one.value for one in found]))
            each = np.stack([one.resampled for one in found])
            base.setdefault(score, (value, each))
            change = (each - base[score][1])[drawn.T, np.arange(RESAMPLES)].mean(axis=0)
            low, high = np.nanquantile(change, [0.025, 0.975])
            cells.append(f"{value:.3f} | {value - base[score][0]:+.3f} [{low:+.3f}, {high:+.3f}]")
        print(f"| {arm} | {' | '.join(cells)} |")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    for number in sys.argv[2:]:
        if not (target / f"seed-{number}.json").is_file():
            run_seed(target, int(number))
    if len(sys.argv) == 2:
        pool(target)

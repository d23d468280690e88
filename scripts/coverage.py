"""How often intervals hold the truth: simulated regions whose windows depend on each other, drawn many times.

A region has an activity, spells of four windows share luck and drift, the forecast sees both through noise
that regions and spells share, too; few regions hold most of the events. The truth is the score of a very
large sample. Repeats are added to a file of JSON lines, a line a repeat, so that a stopped run goes on.

    python scripts/coverage.py run out.jsonl [--regions 310] [--repeats 1000] [--seconds 400] [--by-window]
    python scripts/coverage.py table out.jsonl ...
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from flarecast import skill

CUT, CUTS, LABELS = 0.08, np.array([0.08, 0.04]), ("none", "weak", "strong")
TRAINING_RATE = 0.06
POPULATION = 150_000
FORMS = ("shifted", "bca", "percentile")


def simulate(regions: int, rng: np.random.Generator):
    """Two forecasts of two nested events, shape (window, event), outcomes, and regions, shape (window,)."""
    size = np.minimum(4 + rng.geometric(1 / 12, regions), 40)
    region = np.repeat(np.arange(regions), size)
    within = np.arange(region.size) - np.repeat(np.cumsum(size) - size, size)
    spell = np.cumsum((within % 4) == 0) - 1
    spells = int(spell[-1]) + 1
    eta = rng.normal(-3.3, 1.3, regions)[region] + rng.normal(0, 0.8, spells)[spell]
    luck = np.where(rng.random(region.size) < 0.8, rng.random(spells)[spell], rng.random(region.size))
    levels = eta[:, None] - np.array([0, 1.2])
    occurred = luck[:, None] < 1 / (1 + np.exp(-levels))

    def see(slope, blur):
        noise = rng.normal(0, blur, regions)[region] + rng.normal(0, 0.4, spells)[spell]
        noise += rng.normal(0, 0.15, region.size)
        return 1 / (1 + np.exp(-slope * levels - noise[:, None] - 0.1))

    return (see(0.9, 0.5), see(0.8, 0.9)), occurred, region


def estimate(sample: skill.Sample, probability, occurred) -> dict[str, skill.Estimate]:
    own = probability[:, 0]
    return (
        skill.estimate_contingency(sample, own, CUT)
        | skill.estimate_ranking(sample, own)
        | skill.estimate_probability(sample, own, TRAINING_RATE)
        | skill.estimate_calibration(sample, own)
        | skill.estimate_economic(sample, own)
        | skill.estimate_classes(sample, probability, occurred, CUTS, LABELS)
    )


def estimate_pair(sample: skill.Sample, forecasts, occurred) -> dict[str, skill.Estimate]:
    """All scores of the first forecast, and all differences to the second."""
    first, second = (estimate(sample, one, occurred) for one in forecasts)
    return first | {f"{name}_minus_other": skill.minus(first[name], second[name]) for name in first}


def find_truth() -> dict[str, float]:
    rng = np.random.default_rng(1)
    forecasts, occurred, region = simulate(POPULATION, rng)
    sample = skill.draw_sample(occurred[:, 0], np.zeros(region.size), rng, resamples=1)
    return {name: one.value for name, one in estimate_pair(sample, forecasts, occurred).items()}


def repeat(regions: int, nth: int, by_window: bool, truth: dict[str, float], resamples: int) -> dict:
    """One sample: for every score and form -1 where the interval lies below the truth, 0, or 1 above."""
    rng = np.random.default_rng([regions, nth])
    forecasts, occurred, region = simulate(regions, rng)
    cluster = np.arange(region.size) if by_window else region
    sample = skill.draw_sample(occurred[:, 0], cluster, rng, resamples=resamples)
    found = {}
    for name, one in estimate_pair(sample, forecasts, occurred).items():
        bounds = [skill.interval(one, sample, form=form) for form in FORMS]
        if not np.isnan(bounds[0].low):
            found[name] = [int(b.low > truth[name]) - int(b.high < truth[name]) for b in bounds]
    events = [int(np.unique(region[occurred[:, nth]]).size) for nth in (0, 1)]
    return {"nth": nth, "event_regions": events, "found": found}


def run(out: Path, options: argparse.Namespace) -> None:
    start = time.monotonic()
    setting = {"regions": options.regions, "by_window": options.by_window, "resamples": options.resamples}
    lines = out.read_text().splitlines() if out.exists() else []
    if not lines:
        lines = [json.dumps(setting | {"truth": find_truth()})]
        out.write_text(lines[0] + "\n")
    truth = json.loads(lines[0])["truth"]
    with out.open("a") as file:
        for nth in range(len(lines) - 1, options.repeats):
            if time.monotonic() - start > options.seconds:
                break
            one = repeat(options.regions, nth, options.by_window, truth, options.resamples)
            file.write(json.dumps(one) + "\n")
            file.flush()


def table(paths: list[Path]) -> None:
    """Markdown: a score a line; for each file the coverage of every form, in percent."""
    columns, titles = [], []
    for path in paths:
        head, *lines = map(json.loads, path.read_text().splitlines())
        events = np.mean([one["event_regions"] for one in lines], axis=0)
        blocks = "windows" if head["by_window"] else "regions"
        titles.append(f"{events[0]:.0f} ({events[1]:.0f}) event regions of {head['regions']}, drawn {blocks}")
        print(f"{titles[-1]}: {len(lines)} repeats, {head['resamples']} resamples")
        columns.append({})
        for name in head["truth"]:
            found = np.array([one["found"][name] for one in lines if name in one["found"]])
            columns[-1][name] = 100 * (found == 0).mean(axis=0) if len(found) > len(lines) / 2 else None
    print("| score |" + "".join(f" {title}: {', '.join(FORMS)} |" for title in titles))
    print("|---|" + "---|" * len(titles))
    for name in columns[0]:
        cells = ["-" if one[name] is None else " / ".join(f"{x:.1f}" for x in one[name]) for one in columns]
        print(f"| `{name}` | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run")
    runs.add_argument("out", type=Path)
    runs.add_argument("--regions", type=int, default=310)
    runs.add_argument("--repeats", type=int, default=1000)
    runs.add_argument("--resamples", type=int, default=1000)
    runs.add_argument("--seconds", type=float, default=400)
    runs.add_argument("--by-window", action="store_true")
    tables = commands.add_parser("table")
    tables.add_argument("files", type=Path, nargs="+")
    options = parser.parse_args()
    if options.command == "run":
        run(options.out, options)
    else:
        table(options.files)


if __name__ == "__main__":
    main()

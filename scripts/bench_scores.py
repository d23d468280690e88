"""How long all scores and intervals of one forecast and event take, and how scikit-learn in a loop compares.

Prints one line of numbers; the alternative draws the same blocks, gathers their windows and calls
scikit-learn's functions, for a few resamples that are extrapolated to all.

    python scripts/bench_scores.py [--windows 100000] [--regions 1000] [--resamples 1000]
"""

import argparse
import time

import numpy as np
from sklearn import metrics

from flarecast import skill

LIMIT_SECONDS = 3.0


def simulate(windows: int, regions: int, rng: np.random.Generator):
    """Probabilities, outcomes and regions: regions differ in activity, windows of one look alike."""
    region = np.sort(rng.integers(regions, size=windows))
    activity = rng.normal(-5, 1.5, regions)[region] + rng.normal(0, 0.7, windows)
    occurred = rng.random(windows) < 1 / (1 + np.exp(-activity))
    probability = 1 / (1 + np.exp(-activity - rng.normal(0, 0.7, windows)))
    return probability, occurred, region


def ours(probability, occurred, region, year, resamples: int) -> dict[str, tuple[float, float, float]]:
    sample = skill.draw_sample(occurred, region, np.random.default_rng(1), resamples=resamples, year=year)
    found = (
        skill.estimate_contingency(sample, probability, 0.05)
        | skill.estimate_ranking(sample, probability)
        | skill.estimate_probability(sample, probability, training_base_rate=0.02)
        | skill.estimate_calibration(sample, probability)
    )
    bounds = {name: skill.interval(one, sample) for name, one in found.items()}
    return {name: (found[name].value, one.low, one.high) for name, one in bounds.items()}


def theirs(probability, occurred, region, resamples: int) -> dict[str, tuple[float, float]]:
    """A few of the scores by scikit-learn, on windows gathered block by block."""
    rng = np.random.default_rng(1)
    names = np.unique(region)
    members = np.split(np.arange(region.size), np.searchsorted(region, names[1:]))
    values: dict[str, list[float]] = {}
    for _ in range(resamples):
        drawn = np.concatenate([members[i] for i in rng.integers(names.size, size=names.size)])
        truth, forecast = occurred[drawn], probability[drawn]
        warned = forecast >= 0.05
        values.setdefault("tss", []).append(metrics.balanced_accuracy_score(truth, warned) * 2 - 1)
        values.setdefault("f1", []).append(metrics.f1_score(truth, warned))
        values.setdefault("hss", []).append(metrics.cohen_kappa_score(truth, warned))
        values.setdefault("brier", []).append(metrics.brier_score_loss(truth, forecast))
        values.setdefault("bss", []).append(metrics.d2_brier_score(truth, forecast))
        values.setdefault("log_loss", []).append(metrics.log_loss(truth, forecast))
        values.setdefault("roc_auc", []).append(metrics.roc_auc_score(truth, forecast))
        values.setdefault("average_precision", []).append(metrics.average_precision_score(truth, forecast))
    return {name: (float(np.min(v)), float(np.max(v))) for name, v in values.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=100_000)
    parser.add_argument("--regions", type=int, default=1_000)
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--sklearn-resamples", type=int, default=5)
    size = parser.parse_args()
    probability, occurred, region = simulate(size.windows, size.regions, np.random.default_rng(0))
    year = np.linspace(2010, 2021, size.windows).astype(np.int64)
    start = time.perf_counter()
    scores = ours(probability, occurred, region, year, size.resamples)
    own = time.perf_counter() - start
    start = time.perf_counter()
    theirs(probability, occurred, region, size.sklearn_resamples)
    loop = (time.perf_counter() - start) / size.sklearn_resamples * size.resamples
    print(
        f"scores: {len(scores)} scores with intervals, {size.windows:,} windows, {size.regions:,} regions, "
        f"{size.resamples:,} resamples: {own:.2f} s (limit {LIMIT_SECONDS:.0f} s); scikit-learn in a loop, "
        f"8 scores, extrapolated from {size.sklearn_resamples} resamples: {loop:.0f} s, {loop / own:.0f} x"
    )
    return int(own > LIMIT_SECONDS)


if __name__ == "__main__":
    raise SystemExit(main())

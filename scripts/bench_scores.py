"""How long all scores and intervals of one forecast and event take, and how scikit-learn in a loop compares.

Prints a line a family of scores, in processor time of all threads. The alternatives: scikit-learn's functions
on the windows of blocks that are drawn and gathered, for a few resamples that are extrapolated to all; and
scipy's bootstrap of one score over counts by region.

    python scripts/bench_scores.py [--windows 331185] [--regions 3000] [--resamples 10000]
"""

import argparse
import resource
import time

import numpy as np
from scipy import stats
from sklearn import metrics

from flarecast import skill

LIMITS = {"sums": 1.5, "order": 2.0, "refits": np.inf}
"""Seconds of processor time at full size; refits are no functions of additive sums."""

LIMIT_MEMORY = 2.0


def simulate(windows: int, regions: int, rng: np.random.Generator):
    """Probabilities, outcomes and regions: regions differ in activity, windows of one look alike."""
    region = np.sort(rng.integers(regions, size=windows))
    activity = rng.normal(-5, 1.5, regions)[region] + rng.normal(0, 0.7, windows)
    occurred = rng.random(windows) < 1 / (1 + np.exp(-activity))
    probability = 1 / (1 + np.exp(-activity - rng.normal(0, 0.7, windows)))
    return probability, occurred, region


def ours(probability, occurred, region, year, resamples: int) -> dict[str, tuple[int, float]]:
    """How many scores, and seconds, by family; drawing the blocks counts among the sums."""
    start = time.process_time()
    sample = skill.draw_sample(occurred, region, np.random.default_rng(1), resamples=resamples, year=year)
    families = {
        "sums": lambda: (
            skill.estimate_contingency(sample, probability, 0.05)
            | skill.estimate_probability(sample, probability, training_base_rate=0.02)
            | skill.estimate_economic(sample, probability)
        ),
        "order": lambda: skill.estimate_ranking(sample, probability),
        "refits": lambda: skill.estimate_calibration(sample, probability),
    }
    found = {}
    for name, estimate in families.items():
        bounds = [skill.interval(one, sample) for one in estimate().values()]
        found[name] = len(bounds), time.process_time() - start
        start = time.process_time()
    return found


def theirs(probability, occurred, region, resamples: int) -> dict[str, float]:
    """Seconds of scikit-learn on windows gathered by block; gathering counts among the sums."""
    rng = np.random.default_rng(1)
    names = np.unique(region)
    members = np.split(np.arange(region.size), np.searchsorted(region, names[1:]))
    seconds = {"sums": 0.0, "order": 0.0}
    for _ in range(resamples):
        start = time.process_time()
        drawn = np.concatenate([members[i] for i in rng.integers(names.size, size=names.size)])
        truth, forecast = occurred[drawn], probability[drawn]
        warned = forecast >= 0.05
        metrics.balanced_accuracy_score(truth, warned)
        metrics.f1_score(truth, warned)
        metrics.cohen_kappa_score(truth, warned)
        metrics.d2_brier_score(truth, forecast)
        metrics.log_loss(truth, forecast)
        seconds["sums"] += time.process_time() - start
        start = time.process_time()
        metrics.roc_auc_score(truth, forecast)
        metrics.average_precision_score(truth, forecast)
        seconds["order"] += time.process_time() - start
    return seconds


def by_scipy(probability, occurred, region, resamples: int) -> float:
    """Seconds of scipy's BCa bootstrap of TSS alone, over counts by region."""
    table = skill.contingency_table(probability, occurred, 0.05, skill.blocks_of(region))
    start = time.process_time()
    stats.bootstrap(
        (table.hits, table.false_alarms, table.misses, table.correct_negatives),
        lambda h, f, m, c, axis: h.sum(axis) / (h + m).sum(axis) - f.sum(axis) / (f + c).sum(axis),
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        batch=250,
        rng=1,
    )
    return time.process_time() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=331_185)
    parser.add_argument("--regions", type=int, default=3_000)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--sklearn-resamples", type=int, default=3)
    size = parser.parse_args()
    probability, occurred, region = simulate(size.windows, size.regions, np.random.default_rng(0))
    year = np.linspace(2010, 2021, size.windows).astype(np.int64)
    own = ours(probability, occurred, region, year, size.resamples)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    loop = theirs(probability, occurred, region, size.sklearn_resamples)
    print(
        f"scores: {size.windows:,} windows, {occurred.sum():,} events, {size.regions:,} regions, "
        f"{size.resamples:,} resamples; peak memory {memory:.2f} GiB (limit {LIMIT_MEMORY:g})"
    )
    for name, (n_scores, seconds) in own.items():
        line = f"  {name}: {n_scores} scores with intervals {seconds:.2f} s (limit {LIMITS[name]:g})"
        if name in loop:
            extrapolated = loop[name] / size.sklearn_resamples * size.resamples
            n_theirs = {"sums": 5, "order": 2}[name]
            line += (
                f"; scikit-learn in a loop, {n_theirs} scores, extrapolated from {size.sklearn_resamples} "
                f"resamples: {extrapolated:.0f} s, {extrapolated / seconds:.0f} x"
            )
        print(line)
    alone = by_scipy(probability, occurred, region, size.resamples)
    print(f"  scipy.stats.bootstrap of TSS alone, over counts by region: {alone:.2f} s")
    return int(memory > LIMIT_MEMORY or any(own[name][1] > LIMITS[name] for name in own))


if __name__ == "__main__":
    raise SystemExit(main())

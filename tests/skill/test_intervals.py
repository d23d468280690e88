"""Block bootstrap: draws, undefined intervals, paired differences, and coverage by simulation."""

from dataclasses import replace

import numpy as np
import pytest

from flarecast import skill
from flarecast.skill.ranking import N_RANK_BINS

BIASED = {"ece", "ece_mass", "reliability", "miscalibration"}
"""Binned or refitted, so biased upward in every resample."""


def regions_of(n_regions: int, rng: np.random.Generator, windows: int = 20) -> tuple[np.ndarray, ...]:
    """Dependent windows: each region has an activity that all its windows share."""
    region = np.repeat(np.arange(n_regions), windows)
    activity = rng.normal(-1.5, 1.2, n_regions)[region]
    occurred = rng.random(region.size) < 1 / (1 + np.exp(-activity))
    seen = activity + rng.normal(0, 1.5, n_regions)[region] + rng.normal(0, 0.3, region.size)
    return 1 / (1 + np.exp(1 - seen)), occurred, region


def all_scores(sample: skill.Sample, probability: np.ndarray) -> dict[str, skill.Estimate]:
    return (
        skill.estimate_contingency(sample, probability, 0.3)
        | skill.estimate_ranking(sample, probability)
        | skill.estimate_probability(sample, probability, 0.2)
        | skill.estimate_calibration(sample, probability)
    )


def test_every_resample_draws_as_many_blocks_as_there_are():
    counts = skill.draw_counts(17, 100, np.random.default_rng(0))
    assert counts.shape == (100, 17)
    assert (counts.sum(axis=1) == 17).all()
    assert counts.mean() == 1
    assert counts.max() > 1


def test_the_same_generator_gives_the_same_interval_and_another_seed_another():
    probability, occurred, region = regions_of(60, np.random.default_rng(0))
    bounds = [
        skill.interval(skill.estimate_probability(sample, probability)["brier"], sample)
        for sample in (skill.draw_sample(occurred, region, np.random.default_rng(seed)) for seed in (1, 1, 2))
    ]
    assert bounds[0] == bounds[1] != bounds[2]


def test_every_score_lies_inside_its_interval_and_resamples_recompute_it():
    probability, occurred, region = regions_of(80, np.random.default_rng(0))
    sample = skill.draw_sample(occurred, region, np.random.default_rng(1), resamples=400)
    found = all_scores(sample, probability)
    assert set(found) == set(skill.SCORES)
    for name, estimate in found.items():
        bounds = skill.interval(estimate, sample)
        assert bounds.low <= bounds.high, name
        if name not in BIASED:
            assert bounds.low <= estimate.value <= bounds.high, name
    drawn = np.repeat(np.arange(region.size), sample.counts[5][sample.blocks.code].astype(int))
    one = skill.sum_probability(probability[drawn], occurred[drawn])
    assert found["bss"].resampled[5] == pytest.approx(float(skill.bss(one)))
    table = skill.contingency_table(probability[drawn], occurred[drawn], 0.3)
    assert found["hss"].resampled[5] == pytest.approx(float(skill.hss(table)))


def test_merged_ranks_move_no_score_and_hardly_a_resample():
    rng = np.random.default_rng(0)
    probability, occurred, region = regions_of(400, rng, windows=60)
    assert occurred.sum() > 2 * N_RANK_BINS  # so that ranks are merged
    sample = skill.draw_sample(occurred, region, rng, resamples=3)
    every_block_once = replace(sample, counts=np.ones((1, sample.blocks.n)))
    for name, estimate in skill.estimate_ranking(every_block_once, probability).items():
        assert estimate.resampled[0] == pytest.approx(estimate.value, rel=1e-9), name
    drawn = np.repeat(np.arange(region.size), sample.counts[0][sample.blocks.code].astype(int))
    exact = skill.rank(probability[drawn], occurred[drawn])
    found = skill.estimate_ranking(sample, probability)
    assert found["average_precision"].resampled[0] == pytest.approx(skill.average_precision(exact), abs=1e-3)
    assert found["roc_auc"].resampled[0] == pytest.approx(skill.roc_auc(exact), abs=1e-4)


def test_paired_differences_are_narrower_than_the_scores_of_either():
    probability, occurred, region = regions_of(80, np.random.default_rng(0))
    sample = skill.draw_sample(occurred, region, np.random.default_rng(1))
    worse = 0.9 * probability + 0.1 * 0.5
    first = skill.estimate_probability(sample, probability)["brier"]
    second = skill.estimate_probability(sample, worse)["brier"]
    alone, paired = (skill.interval(one, sample) for one in (first, skill.minus(first, second)))
    assert paired.high - paired.low < (alone.high - alone.low) / 2
    assert skill.minus(first, second).value == pytest.approx(first.value - second.value)


def test_a_difference_to_something_undefined_is_undefined_with_its_reason():
    sample = skill.draw_sample(np.arange(40) % 4 == 0, np.arange(40), np.random.default_rng(0))
    never = skill.estimate_contingency(sample, np.full(40, 0.1), 0.5)["precision"]
    always = skill.estimate_contingency(sample, np.full(40, 0.9), 0.5)["precision"]
    difference = skill.minus(always, never)
    assert np.isnan(difference.value)
    assert difference.reason == "no event was forecast at this decision threshold"


@pytest.mark.parametrize(
    ("event_blocks", "blocks", "says"),
    [
        (4, 50, "no interval: only 4 blocks with events"),
        (1, 50, "no interval: only 1 block with events"),
        (7, 50, "interval uncertain: only 7 blocks with events"),
        (10, 50, ""),
        (30, 32, "no interval: only 2 blocks with non-events"),
    ],
)
def test_few_blocks_with_events_give_no_interval_or_a_warning(event_blocks, blocks, says):
    region = np.arange(blocks)
    occurred = region < event_blocks
    sample = skill.draw_sample(occurred, region, np.random.default_rng(0))
    probability = np.where(occurred, 0.6, 0.2)
    bounds = skill.interval(skill.estimate_probability(sample, probability)["brier"], sample)
    assert bounds.reason == says
    assert np.isnan(bounds.low) == says.startswith("no interval")


def test_without_events_scores_are_nan_with_a_reason_and_errors_are_numbers():
    sample = skill.draw_sample(np.zeros(30, dtype=bool), np.arange(30), np.random.default_rng(0))
    found = all_scores(sample, np.linspace(0, 0.5, 30))
    undefined = {name for name, estimate in found.items() if estimate.reason == "no events"}
    defined = {
        "brier",
        "log_loss",
        "base_rate",
        "ece",
        "ece_mass",
        "bss_train",
        "false_alarm_rate",
        "accuracy",
    }
    defined |= {"reliability", "resolution", "uncertainty", "within_bin", "sharpness"}
    defined |= {"miscalibration", "discrimination"}
    assert undefined == set(skill.SCORES) - defined
    assert all(np.isnan(found[name].value) for name in undefined)


def test_each_reason_for_an_undefined_score_is_said():
    occurred = np.arange(30) < 10
    sample = skill.draw_sample(occurred, np.arange(30), np.random.default_rng(0))
    quiet = skill.estimate_contingency(sample, np.full(30, 0.1), 0.5)
    assert quiet["precision"].reason == "no event was forecast at this decision threshold"
    assert (
        skill.estimate_probability(sample, np.full(30, 0.1))["bss_train"].reason
        == "training base rate unknown"
    )
    all_events = skill.draw_sample(np.ones(30, dtype=bool), np.arange(30), np.random.default_rng(0))
    assert skill.estimate_ranking(all_events, np.full(30, 0.1))["roc_auc"].reason == "no non-events"
    empty = skill.draw_sample(np.array([], dtype=bool), np.array([]), np.random.default_rng(0))
    assert skill.estimate_probability(empty, np.array([]))["brier"].reason == "no windows"
    assert skill.estimate_ranking(empty, np.array([]))["average_precision"].reason == "no events"
    assert skill.estimate_contingency(empty, np.array([]), 0.5)["tss"].reason == "no events"


def test_one_block_per_window_keeps_memory_bounded():
    rng = np.random.default_rng(0)
    probability = rng.random(30_000)
    occurred = rng.random(30_000) < probability
    sample = skill.draw_sample(occurred, np.arange(30_000), rng, resamples=20)
    found = skill.estimate_ranking(sample, probability)["roc_auc"]
    assert np.abs(found.resampled - found.value).max() < 0.02


def coverage(by_region: bool, repeats: int) -> dict[str, float]:
    """Share of simulated samples whose interval holds the score of the population."""
    rng = np.random.default_rng(7)
    probability, occurred, region = regions_of(20_000, rng)
    population = skill.draw_sample(occurred, region, rng, resamples=1)
    truth = {name: estimate.value for name, estimate in all_scores(population, probability).items()}
    names = ("tss", "brier", "bss", "average_precision", "roc_auc")
    inside = dict.fromkeys(names, 0)
    for _ in range(repeats):
        probability, occurred, region = regions_of(150, rng)
        cluster = region if by_region else np.arange(region.size)
        sample = skill.draw_sample(occurred, cluster, rng, resamples=300)
        found = all_scores(sample, probability)
        for name in names:
            bounds = skill.interval(found[name], sample)
            inside[name] += bounds.low <= truth[name] <= bounds.high
    return {name: count / repeats for name, count in inside.items()}


def test_intervals_by_region_cover_the_truth_and_intervals_by_window_do_not():
    by_region, by_window = coverage(True, 100), coverage(False, 50)
    assert all(0.86 <= share <= 0.99 for share in by_region.values()), by_region
    assert all(share < 0.85 for share in by_window.values()), by_window


@pytest.mark.slow
def test_coverage_of_intervals_by_region_is_near_95_percent():
    by_region = coverage(True, 1000)
    assert all(0.91 <= share <= 0.97 for share in by_region.values()), by_region

"""Swapped blocks and Holm's correction: enumerated, against scipy, and right as often as they say."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from flarecast import skill


def two_forecasts(
    regions: int, seed: int, spread: tuple[float, float], windows: int = 10, copies: bool = False
) -> tuple:
    """Two forecasts whose errors differ in spread, outcomes and regions whose windows look alike, or are."""
    rng = np.random.default_rng(seed)
    region = np.repeat(np.arange(regions), windows)
    activity = rng.normal(-1, 1.2, regions)[region]
    luck = rng.random(regions)[region] if copies else rng.random(region.size)
    occurred = luck < 1 / (1 + np.exp(-activity))
    seen = [activity + rng.normal(0, one, regions)[region] for one in spread]
    first, second = (1 / (1 + np.exp(-one)) for one in seen)
    return first, second, occurred, region


def all_p_values(first, second, occurred, region, seed: int = 0, permutations: int = 200) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    sample = skill.draw_sample(occurred, region, rng, resamples=1)
    swaps = skill.draw_swaps(sample.blocks.n, permutations, rng)
    return (
        skill.permute_contingency(sample, swaps, (first, 0.3), (second, 0.3))
        | skill.permute_probability(sample, swaps, first, second, 0.2)
        | skill.permute_ranking(sample, swaps, first, second)
        | skill.permute_calibration(sample, swaps, first, second)
        | skill.permute_economic(sample, swaps, first, second)
    )


def test_every_score_has_a_p_value_and_the_same_seed_the_same_one():
    data = two_forecasts(60, 0, (0.3, 1.0))
    found = all_p_values(*data)
    assert set(found) == set(skill.SCORES)
    assert all(0 < p <= 1 for p in found.values())
    assert found == all_p_values(*data)
    assert found != all_p_values(*data, seed=1)


def test_all_swaps_of_a_few_blocks_are_the_exact_test():
    first, second, occurred, region = two_forecasts(7, 3, (0.3, 1.0))
    sample = skill.draw_sample(occurred, region, np.random.default_rng(0), resamples=1)
    swaps = np.array(list(product([0, 1], repeat=7)), dtype=np.uint8)
    differences = []
    for one in swaps:
        swapped = one[region] == 1
        sides = np.where(swapped, second, first), np.where(swapped, first, second)
        tables = [skill.contingency_table(side, occurred, 0.3) for side in sides]
        differences.append(float(skill.hss(tables[0]) - skill.hss(tables[1])))
    expected = (1 + np.sum(np.abs(differences) >= abs(differences[0]) - 1e-12)) / (1 + len(swaps))
    found = skill.permute_contingency(sample, swaps, (first, 0.3), (second, 0.3))
    assert found["hss"] == pytest.approx(expected)


def test_swaps_of_single_windows_are_the_paired_permutation_test_of_scipy():
    first, second, occurred, _ = two_forecasts(9, 1, (0.3, 1.5), windows=1)
    errors = (first - occurred) ** 2, (second - occurred) ** 2
    expected = stats.permutation_test(
        errors, lambda a, b: a.mean() - b.mean(), permutation_type="samples", n_resamples=np.inf
    ).pvalue
    sample = skill.draw_sample(occurred, np.arange(9), np.random.default_rng(0), resamples=1)
    swaps = np.array(list(product([0, 1], repeat=9)), dtype=np.uint8)
    found = skill.permute_probability(sample, swaps, first, second)["brier"]
    assert found * (1 + len(swaps)) - 1 == pytest.approx(expected * len(swaps))


def test_a_clearly_better_forecast_has_a_small_p_value_and_a_copy_has_1():
    first, second, occurred, region = two_forecasts(150, 0, (0.1, 2.5))
    found = all_p_values(first, second, occurred, region)
    for name in (
        "tss",
        "hss",
        "brier",
        "bss",
        "log_loss",
        "average_precision",
        "roc_auc",
        "calibration_slope",
    ):
        assert found[name] < 0.02, name
    assert set(all_p_values(first, first, occurred, region).values()) == {1.0}


def test_two_forecasts_of_one_order_do_not_differ_in_it_whatever_their_levels():
    first, _, occurred, region = two_forecasts(60, 0, (0.5, 0.5))
    found = all_p_values(first, first**3, occurred, region)
    assert found["average_precision"] == found["roc_auc"] == 1
    assert found["brier"] < 0.05


def test_interchangeable_forecasts_have_a_p_value_below_a_tenth_one_time_in_ten():
    names = ("tss", "brier", "bss", "average_precision", "roc_auc", "ece", "miscalibration")
    data = [two_forecasts(30, seed, (0.8, 0.8), windows=3) for seed in range(200)]
    found = [all_p_values(*one, permutations=39) for one in data]
    for name in names:
        share = np.mean([one[name] <= 0.1 for one in found])
        assert abs(share - 0.1) < 3.5 * np.sqrt(0.1 * 0.9 / 200), (name, share)


def test_swaps_of_single_windows_find_differences_between_near_copies_that_are_not_there():
    shares = {True: 0.0, False: 0.0}
    for seed in range(50):
        first, second, occurred, region = two_forecasts(20, seed, (0.8, 0.8), copies=True)
        for by_region in shares:
            sample = skill.draw_sample(
                occurred, region if by_region else np.arange(200), np.random.default_rng(seed), resamples=1
            )
            swaps = skill.draw_swaps(sample.blocks.n, 99, np.random.default_rng(seed))
            found = skill.permute_probability(sample, swaps, first, second)["brier"]
            shares[by_region] += (found <= 0.05) / 50
    assert shares[True] < 0.2 < 0.4 < shares[False]


def test_what_is_undefined_has_no_p_value():
    first, second, occurred, region = two_forecasts(20, 0, (0.5, 0.5))
    found = all_p_values(first, second, np.zeros(occurred.size, dtype=bool), region)
    assert np.isnan(found["tss"])
    assert np.isnan(found["average_precision"])
    assert 0 < found["brier"] <= 1
    one_sided = all_p_values(first, np.full(first.size, 0.1), occurred, region)
    assert np.isnan(one_sided["precision"])  # the second never warns


def test_holm_multiplies_the_smallest_most_keeps_the_order_and_skips_what_is_no_test():
    np.testing.assert_allclose(skill.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(skill.holm([0.6, np.nan, 0.7]), [1, np.nan, 1])
    assert skill.holm([]).shape == (0,)
    np.testing.assert_allclose(skill.holm([0.02]), [0.02])

"""Block bootstrap: draws, undefined intervals, paired differences, and coverage by simulation."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from flarecast import skill
from flarecast.skill.ranking import N_RANK_BINS


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
        | skill.estimate_economic(sample, probability)
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
        assert bounds.low <= estimate.value <= bounds.high, name
    drawn = np.repeat(np.arange(region.size), sample.counts[5][sample.blocks.code].astype(int))
    one = skill.sum_probability(probability[drawn], occurred[drawn])
    assert found["bss"].resampled[5] == pytest.approx(float(skill.bss(one)))
    table = skill.contingency_table(probability[drawn], occurred[drawn], 0.3)
    assert found["hss"].resampled[5] == pytest.approx(float(skill.hss(table)))


def test_scores_that_gain_from_chance_may_lie_below_percentiles_but_not_outside_the_shifted_interval():
    rng = np.random.default_rng(2)
    probability = rng.beta(2, 2, 3000)
    occurred = rng.random(3000) < probability
    sample = skill.draw_sample(occurred, np.arange(3000) // 2, rng, resamples=300)
    estimate = all_scores(sample, probability)["miscalibration"]
    assert estimate.gains
    assert skill.interval(estimate, sample, form="percentile").low > estimate.value
    shifted = skill.interval(estimate, sample)
    assert 0 <= shifted.low < estimate.value < shifted.high
    assert {name for name, score in skill.SCORES.items() if score.gains} == {
        *("ece", "ece_mass", "reliability", "resolution", "miscalibration", "discrimination", "tss_max")
    }


def test_the_shifted_interval_holds_the_value_where_but_a_few_resamples_differ():
    occurred = np.arange(2000) % 20 < 3
    sample = skill.draw_sample(occurred, np.arange(2000) // 2, np.random.default_rng(0), resamples=300)
    resampled = np.zeros(300)
    resampled[:3] = -0.01  # the better constant was the other one
    bounds = skill.interval(skill.Estimate(0.0, resampled), sample)
    assert bounds.low <= 0 <= bounds.high


def test_no_bound_leaves_the_range_of_its_score():
    rng = np.random.default_rng(3)
    probability, occurred, region = regions_of(12, rng, windows=6)
    sample = skill.draw_sample(occurred, region, rng, resamples=300)
    certain = np.where(occurred, 0.9, np.where(rng.random(occurred.size) < 0.02, 0.5, 0.05))
    for forecast in (probability, certain):
        for name, estimate in all_scores(sample, forecast).items():
            low, high = skill.SCORES[name].limits
            for form in ("shifted", "bca", "percentile"):
                bounds = skill.interval(estimate, sample, form=form)
                if not np.isnan(bounds.low):
                    assert low <= bounds.low <= bounds.high <= high, (name, form)


def test_bca_of_single_windows_is_that_of_scipy():
    rng = np.random.default_rng(0)
    probability = rng.beta(0.5, 6, 1500)
    occurred = rng.random(1500) < probability
    sample = skill.draw_sample(occurred, np.arange(1500), rng, resamples=4000)
    estimate = skill.estimate_probability(sample, probability)["brier"]
    theirs = stats.bootstrap(((probability - occurred) ** 2,), np.mean, method="BCa", n_resamples=4000, rng=1)
    ours = skill.interval(estimate, sample, form="bca")
    plain = skill.interval(estimate, sample, form="percentile")
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.05 * width)
    assert ours.low > plain.low  # the errors are skewed to the right


def test_what_is_left_out_is_the_score_of_the_other_blocks():
    probability, occurred, region = regions_of(25, np.random.default_rng(0))
    sample = skill.draw_sample(occurred, region, np.random.default_rng(1), resamples=2)
    found = all_scores(sample, probability)
    rest = region != 7
    without = skill.draw_sample(occurred[rest], region[rest], np.random.default_rng(1), resamples=2)
    expected = all_scores(without, probability[rest])
    for name in ("hss", "brier", "bss", "log_loss", "average_precision", "roc_auc", "miscalibration"):
        assert found[name].left_out.shape == (25,)
        nth = sample.blocks.code[region == 7][0]
        assert found[name].left_out[nth] == pytest.approx(expected[name].value, abs=1e-6), name


def test_blocks_that_do_unequally_much_widen_the_interval():
    even = skill.Estimate(0.5, np.linspace(0, 1, 1001), left_out=0.5 + np.tile([-0.01, 0.01], 20))
    odd = replace(even, left_out=0.5 + np.concatenate([np.zeros(38), [-0.04, 0.04]]))
    occurred = np.arange(80) % 2 == 0
    sample = skill.draw_sample(occurred, np.arange(80) // 2, np.random.default_rng(0), resamples=1)
    widths = [np.ptp([one.low, one.high]) for one in (skill.interval(e, sample) for e in (even, odd))]
    assert 0.95 < widths[0] < 0.96 < 0.99 < widths[1]


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


def coverage(repeats: int, estimate, by_region: bool = True) -> dict[str, float]:
    """Share of simulated samples whose interval holds the score of the population."""
    rng = np.random.default_rng(7)
    probability, occurred, region = regions_of(20_000, rng)
    population = skill.draw_sample(occurred, np.zeros(region.size), rng, resamples=1)
    truth = {name: found.value for name, found in estimate(population, probability).items()}
    inside = dict.fromkeys(truth, 0)
    for _ in range(repeats):
        probability, occurred, region = regions_of(150, rng)
        cluster = region if by_region else np.arange(region.size)
        sample = skill.draw_sample(occurred, cluster, rng, resamples=300)
        for name, found in estimate(sample, probability).items():
            bounds = skill.interval(found, sample)
            inside[name] += bounds.low <= truth[name] <= bounds.high
    return {name: count / repeats for name, count in inside.items()}


def test_intervals_by_region_cover_the_truth_and_intervals_by_window_do_not():
    def estimate(sample, probability):
        return skill.estimate_contingency(sample, probability, 0.3) | skill.estimate_probability(
            sample, probability
        )

    by_region, by_window = coverage(100, estimate), coverage(40, estimate, by_region=False)
    for name in ("tss", "hss", "f1", "brier", "bss", "log_loss"):
        assert by_region[name] >= 0.87, (name, by_region[name])
        assert by_window[name] < 0.85, (name, by_window[name])


@pytest.mark.slow
def test_coverage_of_intervals_by_region_is_near_95_percent_for_every_score():
    found = coverage(400, all_scores)
    for name in ("tss", "hss", "f1", "brier", "bss", "log_loss", "average_precision", "roc_auc"):
        assert 0.92 <= found[name] <= 0.985, (name, found[name])
    found.pop("economic_value@0.01")  # hangs on a handful of missed events, see docs/intervals.md
    assert all(share >= 0.9 for share in found.values()), found

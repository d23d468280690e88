"""Scores of several nested events at once: scikit-learn, the formulas written out, what is undefined."""

import numpy as np
import pytest
from sklearn import metrics

from flarecast import skill
from flarecast.errors import FlarecastError

CUTS = np.array([0.5, 0.3, 0.15])
LABELS = ("none", "C1.0", "M1.0", "X1.0")


def nested(n: int = 2000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nested probabilities and outcomes of three events, and regions whose windows look alike."""
    rng = np.random.default_rng(seed)
    region = np.sort(rng.integers(100, size=n))
    activity = rng.normal(0, 1.2, 100)[region, None] - np.array([0.5, 2, 3.5])
    occurred = rng.random((n, 1)) < 1 / (1 + np.exp(-activity))
    return 1 / (1 + np.exp(-activity - rng.normal(0, 0.5, (n, 1)))), occurred, region


def gerrity(confusion: np.ndarray) -> float:
    """The score as its authors write it, class by class."""
    size = len(confusion)
    share = confusion.sum(axis=0) / confusion.sum()
    odds = [(1 - share[: r + 1].sum()) / share[: r + 1].sum() for r in range(size - 1)]
    found = 0.0
    for i in range(size):
        for j in range(size):
            low, high = min(i, j), max(i, j)
            left = sum(1 / odds[r] for r in range(low))
            right = sum(odds[r] for r in range(high, size - 1))
            found += confusion[i, j] / confusion.sum() * (left - (high - low) + right) / (size - 1)
    return found


def test_the_classes_are_the_strongest_event_forecast_and_observed():
    probability, occurred, _ = nested()
    sums = skill.sum_classes(probability, occurred, CUTS)
    forecast, observed = skill.class_of(probability >= CUTS), skill.class_of(occurred)
    expected = metrics.confusion_matrix(observed, forecast, labels=range(4)).T
    np.testing.assert_array_equal(sums.confusion, expected)
    assert skill.class_of(np.array([[True, False, True]]))[0] == 3


def test_kappa_recall_and_precision_are_those_of_scikit_learn():
    probability, occurred, _ = nested()
    sums = skill.sum_classes(probability, occurred, CUTS)
    forecast, observed = skill.class_of(probability >= CUTS), skill.class_of(occurred)
    for name, weights in (("kappa_linear", "linear"), ("kappa_quadratic", "quadratic")):
        expected = metrics.cohen_kappa_score(observed, forecast, weights=weights)
        assert skill.CLASSES[name].compute(sums) == pytest.approx(expected)
    precision, recall, *_ = metrics.precision_recall_fscore_support(observed, forecast, labels=range(4))
    np.testing.assert_allclose(skill.class_precision(sums), precision)
    np.testing.assert_allclose(skill.class_recall(sums), recall)


def test_the_ranked_score_is_the_mean_brier_score_of_the_events():
    probability, occurred, _ = nested()
    sums = skill.sum_classes(probability, occurred, CUTS)
    brier = [metrics.brier_score_loss(occurred[:, nth], probability[:, nth]) for nth in range(3)]
    assert skill.rps(sums) == pytest.approx(np.mean(brier))
    rate = occurred.mean(axis=0)
    assert skill.rpss(sums) == pytest.approx(1 - np.mean(brier) / np.mean(rate * (1 - rate)))


def test_gerritys_score_is_the_formula_written_out():
    probability, occurred, _ = nested()
    sums = skill.sum_classes(probability, occurred, CUTS)
    assert skill.gmgs(sums) == pytest.approx(gerrity(np.asarray(sums.confusion)))
    rng = np.random.default_rng(0)
    for size in (2, 3, 5):
        confusion = rng.integers(1, 50, (size, size)).astype(float)
        assert skill.gmgs(skill.ClassSums(confusion, np.zeros(()))) == pytest.approx(gerrity(confusion))


def test_two_classes_give_tss_hss_brier_and_bss():
    probability, occurred, _ = nested()
    sums = skill.sum_classes(probability[:, 1:2], occurred[:, 1:2], CUTS[1:2])
    table = skill.contingency_table(probability[:, 1], occurred[:, 1], CUTS[1])
    one = skill.sum_probability(probability[:, 1], occurred[:, 1])
    assert skill.gmgs(sums) == pytest.approx(float(skill.tss(table)))
    assert skill.kappa_linear(sums) == pytest.approx(float(skill.hss(table)))
    assert skill.rps(sums) == pytest.approx(float(skill.brier(one)))
    assert skill.rpss(sums) == pytest.approx(float(skill.bss(one)))


def test_perfect_forecasts_score_1_and_constant_ones_0():
    _, occurred, _ = nested()
    perfect = skill.sum_classes(occurred.astype(float), occurred, CUTS)
    constant = skill.sum_classes(np.tile(occurred.mean(axis=0), (len(occurred), 1)), occurred, CUTS)
    for score in (skill.rpss, skill.gmgs, skill.kappa_linear, skill.kappa_quadratic):
        assert score(perfect) == pytest.approx(1)
        assert score(constant) == pytest.approx(0, abs=1e-12)
    assert skill.rps(perfect) == 0


def test_every_score_of_classes_has_an_interval_around_its_value():
    probability, occurred, region = nested()
    sample = skill.draw_sample(occurred[:, 0], region, np.random.default_rng(0), resamples=300)
    found = skill.estimate_classes(sample, probability, occurred, CUTS, LABELS)
    assert set(found) == {
        *skill.CLASSES,
        *(f"{name}@{label}" for name in skill.PER_CLASS for label in LABELS),
    }
    for name, estimate in found.items():
        bounds = skill.interval(estimate, sample)
        assert bounds.low < estimate.value < bounds.high, name
        assert skill.find_score(name).limits[1] >= bounds.high, name
    drawn = np.repeat(np.arange(region.size), sample.counts[3][sample.blocks.code])
    again = skill.sum_classes(probability[drawn], occurred[drawn], CUTS)
    assert found["gmgs"].resampled[3] == pytest.approx(float(skill.gmgs(again)))
    assert found["rpss"].resampled[3] == pytest.approx(float(skill.rpss(again)))


def test_a_better_forecast_of_classes_has_a_small_p_value():
    probability, occurred, region = nested()
    sample = skill.draw_sample(occurred[:, 0], region, np.random.default_rng(0), resamples=1)
    swaps = skill.draw_swaps(sample.blocks.n, 199, np.random.default_rng(0))
    worse = np.tile(probability.mean(axis=0), (len(probability), 1))
    pair = ((probability, CUTS), (worse, CUTS))
    found = skill.permute_classes(sample.blocks, swaps, occurred, pair, LABELS)
    assert found["rps"] < 0.01
    assert found["gmgs"] < 0.01
    assert np.isnan(found["class_precision@X1.0"])  # the constant never forecasts it


def test_what_is_undefined_says_why():
    probability, occurred, region = nested()
    occurred[:, 2] = False
    sample = skill.draw_sample(occurred[:, 0], region, np.random.default_rng(0), resamples=5)
    found = skill.estimate_classes(sample, probability, occurred, CUTS, LABELS)
    assert found["gmgs"].reason == "a class did not occur"
    assert found["class_recall@X1.0"].reason == "undefined (0 / 0)"
    assert not np.isnan(found["rpss"].value)
    quiet = np.zeros_like(occurred)
    found = skill.estimate_classes(sample, 0 * probability, quiet, CUTS, LABELS)
    assert found["rpss"].reason == "all windows are of one class"
    assert found["kappa_linear"].reason == "all windows are of one class and forecast to be of it"
    assert found["rps"].value == 0
    nothing = skill.draw_sample(occurred[:0, 0], region[:0], np.random.default_rng(0), resamples=5)
    found = skill.estimate_classes(nothing, probability[:0], occurred[:0], CUTS, LABELS)
    assert found["rps"].reason == "no windows"
    with pytest.raises(FlarecastError, match="floats in \\[0, 1\\] first and booleans second"):
        skill.sum_classes(occurred, probability, CUTS)

"""Every score beside scikit-learn, the `scores` library or numpy on random data; by hand if none has it."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import xarray as xr
from scores import categorical
from scores import probability as theirs
from sklearn import calibration, metrics
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from flarecast import skill

CUT, TRAINING_RATE = 0.2, 0.07
CUTS = np.array([0.2, 0.1])
LABELS = ("none", "weak", "strong")
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def data(seed: int) -> Arrays:
    """Probabilities of two nested events and outcomes, shape (window, event), and years, shape (window,)."""
    rng = np.random.default_rng(seed)
    activity = rng.normal(-2, 1.5, (600, 1)) - np.array([0, 1])
    occurred = rng.random((600, 1)) < 1 / (1 + np.exp(-activity))
    probability = 1 / (1 + np.exp(-0.9 * activity - rng.normal(0, 0.5, (600, 1)) - 0.2))
    return probability.round(2).clip(0.01, 0.99), occurred, rng.integers(2010, 2013, 600)


def library(name: str, p: np.ndarray, o: np.ndarray) -> float:
    warned = xr.DataArray((p >= CUT) * 1.0, dims="window")
    manager = categorical.BinaryContingencyManager(warned, xr.DataArray(o * 1.0, dims="window"))
    return float(getattr(manager, name)())


def value_at(cost: float, p: np.ndarray, o: np.ndarray) -> float:
    arrays = (xr.DataArray(one * 1.0, dims="window") for one in (p, o))
    found = theirs.relative_economic_value(*arrays, cost_loss_ratios=[cost], probability_thresholds=[cost])
    return float(found.values.item())


def roc_at(rate: float, p: np.ndarray, o: np.ndarray) -> float:
    far, hit, _ = metrics.roc_curve(o, p, drop_intermediate=False)
    after = int(np.searchsorted(far, rate, side="right"))
    return float(np.interp(rate, far[after - 1 : after + 1], hit[after - 1 : after + 1]))


def precision_at(share: float, p: np.ndarray, o: np.ndarray) -> float:
    """Hits and false alarms are straight between the points of scikit-learn's ROC curve."""
    far, hit, _ = metrics.roc_curve(o, p, drop_intermediate=False)
    after = int(np.searchsorted(hit, share))
    false_alarms = np.interp(share, hit[after - 1 : after + 1], far[after - 1 : after + 1]) * (~o).sum()
    return float(share * o.sum() / (share * o.sum() + false_alarms))


def skill_against(rate: np.ndarray, p: np.ndarray, o: np.ndarray) -> float:
    return 1 - metrics.brier_score_loss(o, p) / metrics.brier_score_loss(o, rate)


def yearly_rate(o: np.ndarray, year: np.ndarray) -> np.ndarray:
    return np.array([o[year == one].mean() for one in year])


def gap_of_bins(strategy: str, p: np.ndarray, o: np.ndarray) -> float:
    """From scikit-learn's reliability curve with its bins of equal width, each weighed by its windows."""
    frequency, mean = calibration.calibration_curve(o, p, n_bins=15, strategy=strategy)
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, 16)[1:-1], p), minlength=15)
    return float(np.sum(np.abs(frequency - mean) * counts[counts > 0]) / p.size)


def logistic(p: np.ndarray, o: np.ndarray) -> tuple[float, float]:
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(np.log(p / (1 - p))[:, None], o)
    return float(model.intercept_[0]), float(model.coef_[0, 0])


def after_map(p: np.ndarray, o: np.ndarray) -> float:
    return float(metrics.brier_score_loss(o, IsotonicRegression().fit_transform(p, o)))


ONE_EVENT: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], float]] = {
    "tss": lambda p, o, y: library("true_skill_statistic", p, o),
    "hss": lambda p, o, y: library("heidke_skill_score", p, o),
    "recall": lambda p, o, y: metrics.recall_score(o, p >= CUT),
    "precision": lambda p, o, y: metrics.precision_score(o, p >= CUT),
    "false_alarm_rate": lambda p, o, y: library("probability_of_false_detection", p, o),
    "false_alarm_ratio": lambda p, o, y: library("false_alarm_ratio", p, o),
    "f1": lambda p, o, y: metrics.f1_score(o, p >= CUT),
    "csi": lambda p, o, y: metrics.jaccard_score(o, p >= CUT),
    "frequency_bias": lambda p, o, y: library("frequency_bias", p, o),
    "gilbert": lambda p, o, y: library("gilberts_skill_score", p, o),
    "accuracy": lambda p, o, y: metrics.accuracy_score(o, p >= CUT),
    "mcc": lambda p, o, y: metrics.matthews_corrcoef(o, p >= CUT),
    "sedi": lambda p, o, y: library("symmetric_extremal_dependence_index", p, o),
    "hss1": lambda p, o, y: 1 - metrics.zero_one_loss(o, p >= CUT) / metrics.zero_one_loss(o, 0 * o),
    "apss": lambda p, o, y: 1 - metrics.zero_one_loss(o, p >= CUT) / min(o.mean(), 1 - o.mean()),
    "average_precision": lambda p, o, y: metrics.average_precision_score(o, p),
    "roc_auc": lambda p, o, y: metrics.roc_auc_score(o, p),
    "recall_at_far_01": lambda p, o, y: roc_at(0.01, p, o),
    "recall_at_far_05": lambda p, o, y: roc_at(0.05, p, o),
    "precision_at_recall_50": lambda p, o, y: precision_at(0.5, p, o),
    "precision_at_recall_80": lambda p, o, y: precision_at(0.8, p, o),
    "tss_max": lambda p, o, y: np.max(np.subtract(*metrics.roc_curve(o, p)[1::-1])),
    "base_rate": lambda p, o, y: np.mean(o),
    "brier": lambda p, o, y: metrics.brier_score_loss(o, p),
    "bss": lambda p, o, y: metrics.d2_brier_score(o, p),
    "bss_train": lambda p, o, y: skill_against(np.full(o.size, TRAINING_RATE), p, o),
    "bss_year": lambda p, o, y: skill_against(yearly_rate(o, y), p, o),
    "log_loss": lambda p, o, y: metrics.log_loss(o, p),
    "ece": lambda p, o, y: gap_of_bins("uniform", p, o),
    "ignorance_skill": lambda p, o, y: metrics.d2_log_loss_score(o, p),
    "uncertainty": lambda p, o, y: np.var(o),
    "sharpness": lambda p, o, y: np.std(p),
    "miscalibration": lambda p, o, y: metrics.brier_score_loss(o, p) - after_map(p, o),
    "discrimination": lambda p, o, y: np.var(o) - after_map(p, o),
    "calibration_intercept": lambda p, o, y: logistic(p, o)[0],
    "calibration_slope": lambda p, o, y: logistic(p, o)[1],
    **{
        f"economic_value@{cost:g}": lambda p, o, y, cost=cost: value_at(cost, p, o)
        for cost in skill.COST_RATIOS
    },
}

BY_HAND = {
    "ece_mass": "test_probability: bins of equal mass that keep ties together",
    "reliability": "test_calibration: the parts bin by bin",
    "resolution": "test_calibration: the parts bin by bin",
    "within_bin": "test_calibration: the parts bin by bin",
    "gmgs": "test_classes: the formula written out; two classes give TSS",
}
"""Scores that none of the libraries has, and where they are tested."""

CLASSES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], float]] = {
    "rps": lambda p, o, f, c: np.mean(
        [metrics.brier_score_loss(*pair) for pair in zip(o.T, p.T, strict=True)]
    ),
    "rpss": lambda p, o, f, c: 1 - np.mean((p - o) ** 2) / np.mean(np.var(o, axis=0)),
    "kappa_linear": lambda p, o, f, c: metrics.cohen_kappa_score(c, f, weights="linear"),
    "kappa_quadratic": lambda p, o, f, c: metrics.cohen_kappa_score(c, f, weights="quadratic"),
    **{
        f"class_recall@{label}": partial(
            lambda nth, p, o, f, c: metrics.recall_score(c, f, average=None)[nth], nth
        )
        for nth, label in enumerate(LABELS)
    },
    **{
        f"class_precision@{label}": partial(
            lambda nth, p, o, f, c: metrics.precision_score(c, f, average=None)[nth], nth
        )
        for nth, label in enumerate(LABELS)
    },
}


def ours(arrays: Arrays) -> dict[str, skill.Estimate]:
    probability, occurred, year = arrays
    first = np.ascontiguousarray(occurred[:, 0])
    sample = skill.draw_sample(
        first, np.arange(first.size) // 5, np.random.default_rng(0), resamples=2, year=year
    )
    own = np.ascontiguousarray(probability[:, 0])
    return (
        skill.estimate_contingency(sample, own, CUT)
        | skill.estimate_ranking(sample, own)
        | skill.estimate_probability(sample, own, TRAINING_RATE)
        | skill.estimate_calibration(sample, own)
        | skill.estimate_economic(sample, own)
        | skill.estimate_classes(sample, probability, occurred, CUTS, LABELS)
    )


@pytest.fixture(scope="module")
def found() -> dict[int, tuple[Arrays, dict[str, skill.Estimate]]]:
    return {seed: (data(seed), ours(data(seed))) for seed in range(3)}


def test_every_score_is_compared_with_a_library_or_known_to_be_in_none(found):
    assert ONE_EVENT.keys() | CLASSES.keys() | BY_HAND.keys() == found[0][1].keys()
    assert not (ONE_EVENT.keys() | CLASSES.keys()) & BY_HAND.keys()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ONE_EVENT)
def test_scores_of_one_event_are_those_of_other_libraries(found, name, seed):
    (probability, occurred, year), scores = found[seed]
    expected = ONE_EVENT[name](probability[:, 0], occurred[:, 0], year)
    assert scores[name].value == pytest.approx(float(expected), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", CLASSES)
def test_scores_of_classes_are_those_of_other_libraries(found, name, seed):
    (probability, occurred, _), scores = found[seed]
    forecast, observed = skill.class_of(probability >= CUTS), skill.class_of(occurred)
    expected = CLASSES[name](probability, occurred, forecast, observed)
    assert scores[name].value == pytest.approx(float(expected))

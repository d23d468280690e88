"""The test of calibration: how often it refuses what is calibrated, and what is not."""

import numpy as np
import pytest
from scipy.stats import kstest

from flarecast.errors import FlarecastError
from flarecast.skill.calibration_test import calibration_p_value


def clustered(seed, n_clusters=60, per_cluster=40, distort=lambda logit: logit):
    """Forecasts of clusters whose windows share their outcome to a large part, and outcomes that fit them."""
    rng = np.random.default_rng(seed)
    logit = np.repeat(rng.normal(-1, 1, n_clusters), per_cluster)
    level = np.where(
        rng.random(logit.size) < 0.7, np.repeat(rng.random(n_clusters), per_cluster), rng.random(logit.size)
    )
    occurred = level < 1 / (1 + np.exp(-logit))
    said = 1 / (1 + np.exp(-distort(logit)))
    return said, occurred, np.repeat(np.arange(n_clusters), per_cluster)


def test_calibrated_forecasts_are_refused_as_often_as_the_level_says_however_alike_windows_are():
    found = np.array([calibration_p_value(*clustered(seed)) for seed in range(400)])
    assert 0.02 <= (found < 0.05).mean() <= 0.09
    assert kstest(found, "uniform").pvalue > 0.001


@pytest.mark.parametrize(
    "distort", [lambda logit: logit + 1.5, lambda logit: logit - 1.5, lambda logit: 3 * logit]
)
def test_biased_and_too_steep_forecasts_are_refused(distort):
    found = np.array([calibration_p_value(*clustered(seed, distort=distort)) for seed in range(30)])
    assert (found < 0.05).mean() > 0.9


def test_the_order_of_the_windows_does_not_matter():
    said, occurred, cluster = clustered(0)
    order = np.random.default_rng(0).permutation(said.size)
    again = calibration_p_value(said[order], occurred[order], cluster[order])
    assert again == pytest.approx(calibration_p_value(said, occurred, cluster))


@pytest.mark.parametrize(
    ("said", "cluster"),
    [(np.linspace(0.1, 0.9, 30), np.arange(30) % 3), (np.full(30, 0.3), np.arange(30)), (np.zeros(0), [])],
)
def test_with_too_few_clusters_or_one_forecast_only_nothing_is_said(said, cluster):
    assert np.isnan(calibration_p_value(said, np.arange(said.size) % 2 == 0, cluster))


def test_certain_forecasts_have_a_p_value_and_swapped_arguments_do_not():
    said, occurred, cluster = clustered(0)
    assert 0 <= calibration_p_value(said.round(), occurred, cluster) < 0.05
    with pytest.raises(FlarecastError, match="swap"):
        calibration_p_value(occurred, said, cluster)

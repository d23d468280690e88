"""The choice among calibrators."""

import numpy as np
import pytest

from flarecast.calibrators import auto
from flarecast.errors import FlarecastError


def grouped(curve, n_groups=60, per_group=80, copies=1, seed=0):
    """Forecasts, outcomes and groups; a curve says what the truth is for a forecast."""
    rng = np.random.default_rng(seed)
    said = rng.uniform(0.01, 0.95, n_groups * per_group // copies)
    occurred = rng.random(said.size) < curve(said)
    group = np.arange(said.size) * n_groups // said.size
    return [np.repeat(one, copies) for one in (said, occurred, group)]


def logistic(odds):
    return 1 / (1 + np.exp(-odds))


def test_calibrated_forecasts_are_left_as_they_are_or_nearly():
    said, occurred, group = grouped(lambda said: said)
    found = auto.fit(said, occurred, group=group)
    np.testing.assert_allclose(auto.apply(said, found), said, atol=0.03)


def test_a_line_through_the_logit_is_mended_by_a_line():
    said, occurred, group = grouped(lambda said: logistic(0.5 * np.log(said / (1 - said)) - 1))
    found = auto.fit(said, occurred, group=group)
    assert found["chosen"] in ("platt", "beta")
    assert found["log_loss"]["platt"] < found["log_loss"]["prior"] - 0.05
    assert found["log_loss"]["platt"] < found["log_loss"]["temperature"] - 0.05


def test_a_staircase_is_mended_by_steps():
    said, occurred, group = grouped(lambda said: np.where(said < 0.3, 0.05, np.where(said < 0.6, 0.5, 0.55)))
    assert auto.fit(said, occurred, group=group)["chosen"] in ("isotonic", "venn_abers")


def test_whole_groups_are_held_out_so_that_copies_do_not_flatter_supple_curves():
    said, occurred, group = grouped(lambda said: said, n_groups=40, per_group=100, copies=50, seed=2)
    supple = ("prior", "isotonic")
    rng = np.random.default_rng(0)
    apart = auto.fit(said, occurred, group=rng.permutation(said.size), candidates=supple)
    together = auto.fit(said, occurred, group=group, candidates=supple)
    assert apart["chosen"] == "isotonic", "each copy is known from its fifty others"
    assert together["chosen"] == "prior"


def test_folds_hold_whole_groups_and_about_as_many_events():
    rng = np.random.default_rng(3)
    part = rng.integers(0, 50, 5_000)
    occurred = rng.random(5_000) < 0.1
    fold = auto.deal(part, occurred, 5)
    for one in range(50):
        assert np.unique(fold[part == one]).size == 1
    events = np.bincount(fold, occurred)
    assert events.max() - events.min() <= 25


def test_events_in_too_few_groups_get_the_prior_correction_and_the_reason():
    said, occurred, group = grouped(lambda said: said)
    found = auto.fit(said, occurred & (group < 3), group=group)
    assert found["chosen"] == "prior"
    assert found["reason"] == "events in 3 groups of calibration, 5 needed: only the prior is corrected"
    np.testing.assert_array_equal(auto.apply(said, found), said)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"candidates": ("magic",)}, "candidates: expected some of prior, temperature, platt, .*got magic"),
        ({"candidates": ()}, "candidates: expected some of .*got none"),
        ({"folds": 1}, "folds: expected at least 2, got 1"),
        ({"min_events": 0}, "min_events: expected at least 1"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(FlarecastError, match=message):
        auto.fit(*grouped(lambda said: said)[:2], **options)

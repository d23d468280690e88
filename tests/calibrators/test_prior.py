"""Undoing the prior that balancing moved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flarecast.calibrators import correct_prior
from flarecast.errors import FlarecastError


def posterior(likelihood, prior):
    """Bayes: nested probabilities (window, event) from p(x | class) (window, class) and a prior."""
    joint = likelihood * prior
    exclusive = joint / joint.sum(axis=1, keepdims=True)
    return np.cumsum(exclusive[:, ::-1], axis=1)[:, ::-1][:, 1:]


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_events=st.integers(1, 4), log_shift=st.floats(0, 3))
def test_it_is_the_exact_inverse_of_another_prior_in_training(seed, n_events, log_shift):
    rng = np.random.default_rng(seed)
    likelihood = rng.exponential(size=(50, n_events + 1)) ** 3
    natural = rng.dirichlet(np.ones(n_events + 1)) + 1e-4
    natural /= natural.sum()
    trained = natural * 10 ** rng.uniform(-log_shift, log_shift, n_events + 1)
    trained /= trained.sum()
    corrected = correct_prior(posterior(likelihood, trained), natural, trained)
    np.testing.assert_allclose(corrected, posterior(likelihood, natural), atol=1e-9, rtol=0)


def test_for_one_event_it_is_a_shift_of_the_logit():
    probability = np.array([[0.5], [0.9], [0.01]])
    corrected = correct_prior(probability, [0.98, 0.02], [0.5, 0.5])
    odds = probability / (1 - probability) * 0.02 / 0.98
    np.testing.assert_allclose(corrected, odds / (1 + odds), rtol=1e-12)


def test_equal_priors_change_nothing():
    probability = np.array([[0.5, 0.2, 0.05], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(
        correct_prior(probability, [4, 3, 2, 1], [0.4, 0.3, 0.2, 0.1]), probability, atol=1e-15
    )


def test_certainty_stays_certainty_and_the_result_is_nested():
    rng = np.random.default_rng(0)
    probability = np.sort(rng.choice([0, 1e-8, 0.3, 1 - 1e-9, 1], (200, 3)), axis=1)[:, ::-1]
    corrected = correct_prior(probability, [0.9, 0.08, 0.015, 0.005], [0.3, 0.3, 0.3, 0.1])
    assert np.isfinite(corrected).all()
    assert (np.diff(corrected, axis=1) <= 0).all()
    assert ((corrected >= 0) & (corrected <= 1)).all()
    np.testing.assert_array_equal(corrected[probability == 0], 0)
    np.testing.assert_allclose(corrected[probability == 1], 1, rtol=1e-15)


def test_a_class_that_training_never_saw_moves_with_its_neighbour():
    # X was never seen: it keeps its share of M and above, while these shrink tenfold against the rest.
    probability = np.array([[0.5, 0.1]])
    corrected = correct_prior(probability, [0.9, 0.1, 0.0], [0.5, 0.5, 0.0])
    assert corrected[0, 1] / corrected[0, 0] == pytest.approx(0.1 / 0.5, rel=1e-12)
    assert corrected[0, 0] == pytest.approx(0.1, rel=1e-12)
    # Quiet was never seen: there is no class below, so it moves with C.
    corrected = correct_prior(np.array([[0.9, 0.5]]), [0.5, 0.4, 0.1], [0.0, 0.5, 0.5])
    assert (1 - corrected[0, 0]) / (corrected[0, 0] - corrected[0, 1]) == pytest.approx(0.1 / 0.4, rel=1e-12)


def test_missing_events_stay_missing_and_the_others_merge_the_classes_between():
    natural, trained = np.array([0.90, 0.06, 0.03, 0.01]), np.array([0.5, 0.1, 0.3, 0.1])
    probability = np.array(
        [[0.5, np.nan, 0.1], [np.nan, np.nan, np.nan], [0.5, 0.3, 0.1], [np.nan, 0.3, np.nan]]
    )
    corrected = correct_prior(probability, natural, trained)
    np.testing.assert_array_equal(np.isnan(corrected), np.isnan(probability))
    merged = correct_prior(np.array([[0.5, 0.1]]), [0.90, 0.09, 0.01], [0.5, 0.4, 0.1])
    np.testing.assert_allclose(corrected[0, [0, 2]], merged[0])
    np.testing.assert_allclose(corrected[2], correct_prior(probability[2:3], natural, trained)[0])
    np.testing.assert_allclose(
        corrected[3, 1], correct_prior(np.array([[0.3]]), [0.96, 0.04], [0.6, 0.4])[0, 0]
    )


@pytest.mark.parametrize(
    "prior", [[0.5, 0.5], [0.5, 0.6, -0.1], [0, 0, 0], [0.5, np.nan, 0.5], [1, 1, np.inf]]
)
def test_priors_that_are_no_shares_of_the_classes_are_refused(prior):
    for priors in ([prior, [0.3, 0.3, 0.4]], [[0.3, 0.3, 0.4], prior]):
        with pytest.raises(FlarecastError, match="expected shares of 3 exclusive classes"):
            correct_prior(np.array([[0.5, 0.2]]), *priors)

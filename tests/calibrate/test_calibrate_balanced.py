"""Balanced training and calibration together: what the one takes, the other gives back."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from flarecast import schema
from flarecast.balance import BALANCERS, NEVER_ANALYTIC, TrainWindows, class_priors
from flarecast.calibrate import calibrate
from flarecast.errors import FlarecastError

EVENTS = ("C1.0", "M1.0", "X1.0")
TRAIN, CALIBRATION, TEST = 1, 3, 4


def forecasts_of(probability, occurred, role, **attributes):
    """A forecasts file made of the parts that matter here."""
    issue_time = 86_400 * np.arange(len(role))
    arrays = {
        "event": EVENTS,
        "probability": probability,
        "occurred": occurred,
        "issue_time": issue_time,
        "valid_from": issue_time,
        "valid_to": issue_time + 86_400,
        "region": ["disk"] * len(role),
        "cluster": ["rotation 1"] * len(role),
        "role": role,
        "fold": np.zeros(len(role)),
    }
    return schema.build(
        schema.FORECASTS, arrays, {"forecast_name": "model", "history": "simulated", **attributes}
    )


def as_train(classes, positive_class=2):
    """Train windows of known classes, without steps."""
    return TrainWindows(
        low=classes,
        high=classes,
        classes=("below C1.0", *EVENTS),
        positive_class=positive_class,
        sub_class=np.array([0, 2, 3, 4])[classes].astype(np.int8),
        region=np.arange(classes.size) % 7,
        issue_time=np.arange(classes.size) * 3600,
        steps=lambda index: np.zeros((index.size, 1, 1), dtype=np.float32),
    )


def nested(exclusive):
    """Probabilities of nested events from those of exclusive classes."""
    return np.cumsum(exclusive[:, ::-1], axis=1)[:, ::-1][:, 1:].clip(0, 1)


ANALYTIC = sorted({*BALANCERS} - NEVER_ANALYTIC)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), positive_class=st.integers(1, 3))
@pytest.mark.parametrize("balancer", ANALYTIC)
def test_calibration_undoes_a_stated_prior_exactly(balancer, seed, positive_class):
    """A model that knows p(x | class) and learns the prior that balancing gave it, whatever that is."""
    rng = np.random.default_rng(seed)
    classes = rng.permutation(
        np.repeat(np.arange(4), rng.integers([900, 200, 100, 60], [1500, 300, 200, 90]))
    )
    balanced = BALANCERS[balancer](as_train(classes, positive_class), rng)
    assume((balanced.prior > 0).all())  # a class that was not drawn cannot come back
    natural = np.bincount(classes) / classes.size
    likelihood = rng.gamma(0.5, size=(300, 4)) + 1e-6  # p(x | class) of 300 windows

    def posterior(prior):
        joint = likelihood * prior
        return nested(joint / joint.sum(axis=1, keepdims=True))

    forecasts = forecasts_of(
        posterior(balanced.prior),
        np.zeros((300, 3), dtype=np.int8),
        np.full(300, TEST),
        prior_natural=natural,
        prior_trained=balanced.prior,
    )
    mended = calibrate(forecasts, "prior", {})[0]["probability"].values
    np.testing.assert_allclose(mended, posterior(natural), atol=1e-9)


@pytest.mark.parametrize("calibrator", ["none", "prior"])
def test_without_a_stated_prior_a_calibrator_must_be_fitted(calibrator):
    role = np.repeat([CALIBRATION, TEST], 50)
    forecasts = forecasts_of(
        np.full((100, 3), 0.5),
        np.zeros((100, 3), dtype=np.int8),
        role,
        prior_natural=[0.8, 0.1, 0.08, 0.02],
        prior_trained=[0.4, 0.1, 0.4, 0.1],
        prior_analytic=0,
    )
    with pytest.raises(
        FlarecastError, match=f"fitted calibrator, got calibrate.name {calibrator}; use platt"
    ):
        calibrate(forecasts, calibrator, {})
    mended, calibration = calibrate(forecasts, "platt", {})
    assert not calibration["prior_analytic"]
    assert calibration["event_calibration"]["M1.0"]["reason"].endswith("this kind of balancing only roughly")
    assert mended["probability"].values[0, 1] < 0.2, "the shares are corrected all the same"


def bss(probability, occurred):
    """Brier skill score against the sample's own base rate."""
    return 1 - ((probability - occurred) ** 2).mean() / occurred.var()


def fitted_posterior(balancer, seed=0):
    """A logistic model of four classes, trained under a remedy, and its forecasts of all roles."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(4, 16_000, p=[0.80, 0.14, 0.045, 0.015])
    features = rng.normal(size=(classes.size, 3)) + classes[:, None] * [1.0, 0.5, -0.3]
    role = rng.choice([TRAIN, CALIBRATION, TEST], classes.size, p=[0.4, 0.3, 0.3])
    train = np.flatnonzero(role == TRAIN)
    known = classes[train]
    balanced = BALANCERS[balancer](as_train(known), rng)
    seen = train[balanced.index]
    model = LogisticRegression(max_iter=500).fit(features[seen], classes[seen], balanced.weight)
    exclusive = model.predict_proba(features)
    return forecasts_of(
        nested(exclusive),
        (classes[:, None] >= [1, 2, 3]).astype(np.int8),
        role,
        prior_natural=class_priors(known, known, np.ones(known.size), 4),
        prior_trained=class_priors(classes[seen], classes[seen], balanced.weight, 4),
    )


@pytest.mark.parametrize(
    ("balancer", "tolerance"),
    # Undersampling also throws away windows, which no calibration can bring back.
    [
        ("class_weights", 0.01),
        ("oversample", 0.01),
        ("oversample_classes", 0.01),
        ("undersample", 0.02),
        ("undersample_classes", 0.02),
    ],
)
def test_calibration_gives_back_the_skill_that_balancing_takes(balancer, tolerance):
    def skills(forecasts):
        test = forecasts["role"].values == TEST
        probability, occurred = forecasts["probability"].values[test], forecasts["occurred"].values[test]
        return np.array([bss(probability[:, j], occurred[:, j]) for j in range(3)])

    natural, raw = fitted_posterior("none"), fitted_posterior(balancer)
    assert skills(raw)[1] < -0.5, "balancing should have destroyed the calibration"
    for calibrator in ("prior", "platt"):
        whole, mended = (skills(calibrate(forecasts, calibrator, {})[0]) for forecasts in (natural, raw))
        assert (mended[:2] > whole[:2] - tolerance).all(), calibrator
        assert mended[2] > whole[2] - 2 * tolerance, calibrator

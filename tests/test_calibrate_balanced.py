"""Balanced training and calibration together: what the one takes, the other gives back."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from flarecast import schema
from flarecast.balance import BALANCERS, class_priors
from flarecast.calibrate import calibrate

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
    balanced = BALANCERS[balancer](known, known, 4, 2, rng)
    seen = train[balanced.index]
    model = LogisticRegression(max_iter=500).fit(features[seen], classes[seen], balanced.weight)
    exclusive = model.predict_proba(features)
    return forecasts_of(
        np.cumsum(exclusive[:, ::-1], axis=1)[:, ::-1][:, 1:].clip(0, 1),
        (classes[:, None] >= [1, 2, 3]).astype(np.int8),
        role,
        prior_natural=class_priors(known, known, np.ones(known.size), 4),
        prior_trained=class_priors(classes[seen], classes[seen], balanced.weight, 4),
    )


@pytest.mark.parametrize(
    ("balancer", "tolerance"),
    # Undersampling also throws away windows, which no calibration can bring back.
    [("class_weights", 0.01), ("oversample", 0.01), ("undersample", 0.02)],
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

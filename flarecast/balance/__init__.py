"""Remedies for rare events, used in training only: which train windows are seen how often, with which weight.

An entry takes the range of exclusive classes of every train window and gives a `Balanced`. To add a remedy:
a file, a line here, a test id. Files are never resampled; `class_priors` measures how far a remedy moved
the prior, and `calibrate` moves it back.
"""

from collections.abc import Callable

from flarecast.balance.balanced import Balanced
from flarecast.balance.natural import none
from flarecast.balance.over import oversample
from flarecast.balance.priors import class_priors
from flarecast.balance.under import undersample
from flarecast.balance.weights import class_weights

BALANCERS: dict[str, Callable[..., Balanced]] = {
    "none": none,
    "undersample": undersample,
    "oversample": oversample,
    "class_weights": class_weights,
}
"""Name in the configuration: function of (low, high, n_classes, positive_class, rng, *, options)."""

__all__ = ["BALANCERS", "Balanced", "class_priors"]

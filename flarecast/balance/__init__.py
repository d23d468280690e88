"""Remedies for rare events, used in training only: which train windows are seen how often, with which weight.

An entry takes the `TrainWindows` and gives a `Balanced`. To add a remedy: a file, a line here, a test id.
Files are never resampled. A `Balanced` states the prior that it gives the exclusive classes, and `calibrate`
moves it back; a remedy that changes what windows of a class look like states `not analytic` instead, and
then a calibrator must be fitted. docs/balancing.md compares them all.
"""

from collections.abc import Callable

from flarecast.balance.balanced import NOT_ANALYTIC, Balanced, Made
from flarecast.balance.by_region import region_balance
from flarecast.balance.coherent import undersample_coherent
from flarecast.balance.logits import logit_adjustment
from flarecast.balance.natural import none
from flarecast.balance.neighbours import edited_neighbours, smote, tomek_links
from flarecast.balance.noise import oversample_noisy, under_over
from flarecast.balance.over import oversample
from flarecast.balance.priors import class_priors
from flarecast.balance.sub_classes import oversample_classes, undersample_classes
from flarecast.balance.train_windows import TrainWindows
from flarecast.balance.under import undersample
from flarecast.balance.weights import class_weights, effective_number

BALANCERS: dict[str, Callable[..., Balanced]] = {
    "none": none,
    "undersample": undersample,
    "undersample_classes": undersample_classes,
    "undersample_coherent": undersample_coherent,
    "tomek_links": tomek_links,
    "edited_neighbours": edited_neighbours,
    "oversample": oversample,
    "oversample_classes": oversample_classes,
    "oversample_noisy": oversample_noisy,
    "smote": smote,
    "under_over": under_over,
    "region_balance": region_balance,
    "class_weights": class_weights,
    "effective_number": effective_number,
    "logit_adjustment": logit_adjustment,
}
"""Name in the configuration: function of (train, rng, *, options)."""

NEVER_ANALYTIC: frozenset[str] = frozenset(
    {
        *("undersample_coherent", "tomek_links", "edited_neighbours"),
        *("oversample_noisy", "smote", "under_over", "region_balance"),
    }
)
"""Remedies that state no prior whatever the windows; the sub-class ones may or may not."""

__all__ = [
    "BALANCERS", "NEVER_ANALYTIC", "NOT_ANALYTIC", "Balanced", "Made", "TrainWindows", "class_priors",
]  # fmt: skip

"""Ways to mend probabilities, fitted on the calibration role and saved as plain numbers.

A calibrator is two functions: `CALIBRATORS` fits one event's numbers, `CURVES` maps probabilities by them.
To add one: a file, a line in both tables (and in `auto`, if it is to be chosen from), a test id.
`correct_prior` undoes what balancing moved, before any of them but `none`.
"""

from collections.abc import Callable
from typing import Any

from flarecast.calibrators import auto, beta, identity, isotonic, platt, temperature, updates, venn_abers
from flarecast.calibrators.nesting import NESTINGS, conditional_share, nest
from flarecast.calibrators.prior import correct_prior

CALIBRATORS: dict[str, Callable[..., dict[str, Any]]] = {
    "none": identity.fit,
    "prior": identity.fit,
    "temperature": temperature.fit,
    "platt": platt.fit,
    "beta": beta.fit,
    "isotonic": isotonic.fit,
    "venn_abers": venn_abers.fit,
    "auto": auto.fit,
}
"""Name in the configuration: function of (probability, occurred, *, options) that gives an event's numbers.

`none` leaves forecasts raw, `prior` only undoes the prior that balancing moved, the others do so first.
"""

CURVES: dict[str, Callable[..., Any]] = {
    "none": identity.apply,
    "prior": identity.apply,
    "temperature": temperature.apply,
    "platt": platt.apply,
    "beta": beta.apply,
    "isotonic": isotonic.apply,
    "venn_abers": venn_abers.apply,
    "auto": auto.apply,
}
"""Name: function of (probability, numbers) that gives probabilities; NaN stays NaN."""

RANGES: dict[str, Callable[..., Any]] = {"venn_abers": venn_abers.ranges, "auto": auto.ranges}
"""Name: function of (probability, numbers) that gives lower and upper ends; the others have no range."""

TAKES_GROUP = frozenset({"auto"})
"""Calibrators that are told which windows belong together, as argument `group`."""

__all__ = [
    "CALIBRATORS",
    "CURVES",
    "NESTINGS",
    "RANGES",
    "TAKES_GROUP",
    "conditional_share",
    "correct_prior",
    "nest",
    "updates",
]

"""Ways to mend probabilities, fitted on the calibration role and saved as plain numbers.

A calibrator is two functions: `CALIBRATORS` fits one event's numbers, `CURVES` maps probabilities by them.
To add one: a file, a line in both tables, a test id. `correct_prior` undoes what balancing moved, before
any of them but `none`.
"""

from collections.abc import Callable
from typing import Any

from flarecast.calibrators import identity, platt
from flarecast.calibrators.prior import correct_prior, nest

CALIBRATORS: dict[str, Callable[..., dict[str, Any]]] = {
    "none": identity.fit,
    "prior": identity.fit,
    "platt": platt.fit,
}
"""Name in the configuration: function of (probability, occurred, *, options) that gives an event's numbers.

`none` leaves forecasts raw, `prior` only undoes the prior that balancing moved, the others do so first.
"""

CURVES: dict[str, Callable[..., Any]] = {
    "none": identity.apply,
    "prior": identity.apply,
    "platt": platt.apply,
}
"""Name: function of (probability, numbers) that gives probabilities; NaN stays NaN."""

__all__ = ["CALIBRATORS", "CURVES", "correct_prior", "nest"]

"""A warning where train and test differ in how often events happen."""

from dataclasses import replace

import numpy as np
import xarray as xr

from flarecast import goes
from flarecast.split.roles import TEST, TRAIN, Roles

EVENTS = ("C1.0", "M1.0", "X1.0")
MOST_RATIO = 2.0
LEAST_EXPECTED = 10
"""Events that the rarer side would have at the other's rate; with fewer a ratio is chance."""


def warn_of_base_rates(windows: xr.Dataset, roles: Roles) -> Roles:
    """Add the detail `warning` where the base rate of C, M or X differs by more than 2x from train to test.

    Only windows with a known outcome count, and only classes of which the side with the lower rate would have
    ten events or more at the rate of the other. Of several folds the first is looked at.
    """
    occurred = goes.occurred_table(windows, EVENTS)
    told = []
    for column, event in enumerate(EVENTS):
        known = occurred[:, column] >= 0
        mine = [occurred[(roles.role[0] == role) & known, column] for role in (TRAIN, TEST)]
        if not all(outcomes.size for outcomes in mine):
            continue
        rates = [float(outcomes.mean()) for outcomes in mine]
        low = int(np.argmin(rates))
        ratio = max(rates) / rates[low] if rates[low] else np.inf
        if ratio > MOST_RATIO and max(rates) * mine[low].size >= LEAST_EXPECTED:
            told.append(f"{event} {rates[0]:.2g} and {rates[1]:.2g}")
    if not told:
        return roles
    text = f"base rates of train and test differ by more than {MOST_RATIO:g}x: {', '.join(told)}"
    return replace(roles, details={**roles.details, "warning": text})

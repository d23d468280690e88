"""Splits: who is trained on, chosen by, calibrated on and tested.

A strategy takes windows, a generator and its options and gives `Roles`. Time strategies (those with an option
`embargo_hours`) keep their borders clean themselves; see `borders`.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from flarecast import schema
from flarecast.errors import FlarecastError, choose
from flarecast.split.at_peak import holds_peak
from flarecast.split.blocks import blocks
from flarecast.split.borders import embargo_hours
from flarecast.split.by_cycle import by_cycle
from flarecast.split.by_partition import by_partition
from flarecast.split.by_phase import by_phase
from flarecast.split.by_region import by_region
from flarecast.split.by_time import by_time
from flarecast.split.k_fold_region import k_fold_region
from flarecast.split.k_fold_time import k_fold_time
from flarecast.split.out_of_fold import add_folds
from flarecast.split.random_windows import random_windows
from flarecast.split.regions import linked_regions
from flarecast.split.returning import Returning, link_returning
from flarecast.split.roles import UNUSED, Roles
from flarecast.split.rolling_origin import rolling_origin

__all__ = [
    "STRATEGIES",
    "Roles",
    "embargo_hours",
    "holds_peak",
    "link_returning",
    "linked_regions",
    "make_split",
]

STRATEGIES: dict[str, Callable[..., Roles]] = {
    "by_cycle": by_cycle,
    "by_phase": by_phase,
    "by_partition": by_partition,
    "by_time": by_time,
    "blocks": blocks,
    "rolling_origin": rolling_origin,
    "k_fold_time": k_fold_time,
    "by_region": by_region,
    "k_fold_region": k_fold_region,
    "random_windows": random_windows,
}
"""Strategies by name; each is called as `strategy(windows, rng, **options)`."""

BY_REGION = frozenset({"by_region", "k_fold_region"})
"""Strategies that deal out whole regions, whatever their dates."""


def make_split(  # noqa: PLR0913 (hash and folds are plain values)
    windows: xr.Dataset,
    strategy: str,
    rng: np.random.Generator,
    *,
    embargo_hours: float | None = None,
    options: Mapping[str, Any] | None = None,
    windows_sha256: str = "",
    out_of_fold: int = 0,
    returning: Returning = "new",
) -> xr.Dataset:
    """Split windows by a strategy; a Dataset of the schema SPLIT, with what its borders cost as attributes.

    Windows with a row at or after the peak of their flare are left unused, whatever the strategy.

    Args:
        windows: A windows Dataset.
        strategy: Name in `STRATEGIES`.
        rng: Generator of the strategies that draw.
        embargo_hours: Least time between the issue times of two roles [h]; None: that of the file.
        options: Keyword arguments of the strategy.
        windows_sha256: Hash of the windows file.
        out_of_fold: With n > 0 fold 0 trains on the whole training span, and folds 1 to n hold out a part of
            it each as calibration; see `out_of_fold`.
        returning: Whether a region that returns after a rotation is the same or a new one; see `returning`.

    Raises:
        FlarecastError: An unknown strategy or option, an embargo for a strategy without, or whatever the
            strategy raises.
    """
    make = choose("split.strategy", strategy, STRATEGIES)
    arguments, recorded = _checked_options(strategy, options or {}, embargo_hours)
    windows = link_returning(windows, returning)
    roles = make(windows, rng, **arguments)
    if out_of_fold:
        roles = _with_out_of_fold(windows, strategy, roles, rng, out_of_fold)
    too_late = holds_peak(windows)
    attributes = {
        "windows_sha256": windows_sha256,
        "strategy": strategy,
        "options": json.dumps(recorded, default=str),
        "embargo_hours": roles.embargo_hours,
        "out_of_fold": out_of_fold,
        "final_fold": len(roles.role) - 1 if strategy == "rolling_origin" else 0,
        "returning": returning,
        "n_outside": roles.n_outside,
        "n_straddling_regions": roles.n_straddling_regions,
        "n_straddling_windows_unused": roles.n_straddling_windows_unused,
        "n_embargoed": roles.n_embargoed,
        "n_at_peak": int(too_late.sum()),
        "history": f"split {strategy}",
        **roles.details,
    }
    role = np.where(too_late, np.int8(UNUSED), roles.role)
    fold_use = np.zeros(len(role), dtype=np.int8)
    fold_use[1:] = out_of_fold > 0
    return schema.build(schema.SPLIT, {"role": role, "fold_use": fold_use}, attributes)


def _checked_options(
    strategy: str, options: Mapping[str, Any], embargo_hours: float | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keyword arguments of a strategy, and its options with the defaults filled in, for the record.

    Raises:
        FlarecastError: Options that it does not have, or an embargo although it does not split by time.
    """
    parameters = inspect.signature(STRATEGIES[strategy]).parameters.values()
    known = {one.name: one.default for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY}
    timed = "embargo_hours" in known
    known.pop("embargo_hours", None)
    unknown = [name for name in options if name not in known]
    if unknown:
        raise FlarecastError(
            f"split.options: expected some of {', '.join(known)} for {strategy}, got {', '.join(unknown)}"
        )
    if embargo_hours is not None and not timed:
        raise FlarecastError(
            f"split.embargo_hours: expected none for {strategy}, which does not split by time, "
            f"got {embargo_hours!r}"
        )
    embargo = {"embargo_hours": embargo_hours} if timed else {}
    return dict(options) | embargo, known | dict(options)


def _with_out_of_fold(
    windows: xr.Dataset, strategy: str, roles: Roles, rng: np.random.Generator, n_folds: int
) -> Roles:
    """Roles with inner folds in the training span.

    Raises:
        FlarecastError: Windows at random hold nothing out, or whatever `add_folds` raises.
    """
    if strategy == "random_windows":
        raise FlarecastError(
            'calibrate.fit_on: expected "calibration" for random_windows, got "out_of_fold"; windows at '
            "random hold nothing out"
        )
    return add_folds(windows, roles, rng, n_folds, whole_regions=strategy in BY_REGION)

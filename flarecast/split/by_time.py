"""Roles by date or by fraction of the time span."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import xarray as xr

from flarecast.errors import FlarecastError
from flarecast.schema import ROLES
from flarecast.split.base_rates import warn_of_base_rates
from flarecast.split.borders import chosen_embargo, settle
from flarecast.split.interleaving import PATTERN, interleave_training, make_calendar
from flarecast.split.roles import Roles
from flarecast.split.spans import Span, check_filled, mark, seconds_of


def by_time(  # noqa: PLR0913 (an option is a keyword argument, for every strategy)
    windows: xr.Dataset,
    rng: np.random.Generator,  # noqa: ARG001 (one signature for all strategies; dates decide here)
    *,
    embargo_hours: float | None = None,
    train: Span = (0.0, 0.7),
    validation: Span | None = None,
    calibration: Span | None = None,
    test: Span = (0.7, 1.0),
    block_rotations: int | None = None,
    pattern: str = PATTERN,
) -> Roles:
    """Give each role a span of issue times: `("1996-08", "2004-01")`, `(0.0, 0.7)` or `(0.0, "2004-01")`.

    Validation and calibration spans may lie inside the span of train, which then goes without them, or
    outside. Where one is not given, it is interleaved in the training span as in `by_cycle`; the letter of
    one that is given counts as train, and the pattern `t` interleaves nothing. Windows outside are unused.
    Where the base rate differs by more than a factor of 2 between train and test, the roles carry a warning.

    Args:
        windows: A windows Dataset.
        rng: Not used.
        embargo_hours: Least time between the issue times of two roles [h]; None: that of the file.
        train: Span of train (and of what is interleaved).
        validation: Span of validation.
        calibration: Span of calibration.
        test: Span of test.
        block_rotations: 27-day rotations in a block; None: six or fewer, as the span and 2.5 embargoes need.
        pattern: Roles of the blocks in turn: t train, v validation, c calibration.

    Raises:
        FlarecastError: A span that is none, ends before it starts, overlaps another or holds no windows;
            blocks too short or too long.
    """
    embargo = chosen_embargo(windows, embargo_hours)
    asked = {"train": train, "validation": validation, "calibration": calibration, "test": test}
    given = {name: span for name, span in asked.items() if span is not None}
    issue_time = windows["issue_time"].values
    spans = {name: seconds_of(name, span, issue_time) for name, span in given.items()}
    _check_apart(spans, given)
    calendar = make_calendar(block_rotations, pattern, embargo).without(given.keys() - {"train"})
    role = np.zeros((1, issue_time.size), dtype=np.int8)
    for name, span in spans.items():
        mark(role[0], ROLES.index(name), span, issue_time)
    for name, span in spans.items():
        check_filled(role, ROLES.index(name), span, issue_time)
    words = interleave_training(role[0], issue_time, calendar)
    roles = settle(windows, role, embargo, **({"blocks": words} if words else {}))
    return warn_of_base_rates(windows, roles)


def _check_apart(spans: Mapping[str, tuple[int, int]], given: Mapping[str, Span]) -> None:
    """Raise if two spans overlap; validation and calibration may lie inside train."""
    for one, other in combinations(spans, 2):
        if one == "train" and other != "test":
            continue
        if spans[one][0] < spans[other][1] and spans[other][0] < spans[one][1]:
            raise FlarecastError(
                f"split: expected {one} and {other} apart, got {one} {list(given[one])} and "
                f"{other} {list(given[other])}; end one where the other starts"
            )

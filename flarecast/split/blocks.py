"""Roles by interleaved blocks: train, validation, calibration and test from one span."""

import numpy as np
import xarray as xr

from flarecast.split.borders import chosen_embargo, settle
from flarecast.split.interleaving import interleave, make_calendar
from flarecast.split.roles import Roles

PATTERN = "ttxttvttxttc"


def blocks(
    windows: xr.Dataset,
    rng: np.random.Generator,  # noqa: ARG001 (one signature for all strategies; dates decide here)
    *,
    embargo_hours: float | None = None,
    block_rotations: int | None = None,
    pattern: str = PATTERN,
) -> Roles:
    """Give whole blocks of 27-day rotations to the roles in turn, so that each sees every phase of the cycle.

    Test lies between training blocks, weeks away: less is known of it than in a split at random, more than
    of a cycle to come.

    Args:
        windows: A windows Dataset.
        rng: Not used.
        embargo_hours: Least time between the issue times of two roles [h]; None: that of the file.
        block_rotations: 27-day rotations in a block; None: six or fewer, as the span and 2.5 embargoes need.
        pattern: Roles of the blocks in turn: t train, v validation, c calibration, x test.

    Raises:
        FlarecastError: Blocks too short or too long, or a pattern with other letters or without t.
    """
    embargo = chosen_embargo(windows, embargo_hours)
    calendar = make_calendar(block_rotations, pattern, embargo, letters="tvcx")
    role, words = interleave(windows["issue_time"].values, calendar)
    return settle(windows, role[None, :], embargo, blocks=words)

"""Audit the roles of a split, fold by fold, pair by pair."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Literal

import numpy as np
import xarray as xr

from flarecast import goes
from flarecast.audit.differences import base_rates, blocks_of, count_roles, few_event_blocks, flux_scales
from flarecast.audit.events import roles_of
from flarecast.audit.findings import Audit, Finding
from flarecast.audit.leaks import Spans, leaks_between, spans_of
from flarecast.schema import ROLES
from flarecast.split.roles import RoleArray


def audit(
    windows: xr.Dataset,
    split: xr.Dataset,
    events: Sequence[str] = ("M1.0",),
    unassigned: Literal["ignore", "mask"] = "ignore",
) -> Audit:
    """Look for leaks between the roles of every fold, and for differences between them.

    Args:
        windows: A windows Dataset.
        split: Its split.
        events: GOES classes to count.
        unassigned: What flares without a region do to a negative; see `goes.events`.

    Raises:
        FlarecastError: The split has another number of windows.
    """
    roles = roles_of(windows, split)
    spans, block = spans_of(windows), blocks_of(windows)
    occurred = goes.occurred_table(windows, events, unassigned)
    scale = windows["flux_scale"].values
    findings: list[Finding] = []
    counts = []
    for fold, role in enumerate(roles):
        table = count_roles(role, spans.region, block, occurred, events)
        counts += [{"fold": fold, "role": name, **entry} for name, entry in table.items()]
        found = [
            *_leaks(spans, role),
            *base_rates(table, events),
            *flux_scales(role, scale),
            *few_event_blocks(table, events),
        ]
        where = f"fold {fold}: " if len(roles) > 1 else ""
        findings += [replace(one, fold=fold, message=where + one.message) for one in found]
    return Audit(tuple(sorted(findings, key=lambda one: one.level != "leak")), tuple(counts))


def _leaks(spans: Spans, role: RoleArray) -> Iterator[Finding]:
    """Leaks between every two roles of one fold; unused windows are in nobody's way."""
    for one, other in combinations(range(1, len(ROLES)), 2):
        mine, theirs = np.flatnonzero(role == one), np.flatnonzero(role == other)
        yield from leaks_between(spans, mine, theirs, (ROLES[one], ROLES[other]))

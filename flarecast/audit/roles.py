"""Audit the roles of a split, fold by fold, pair by pair."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, combinations
from typing import Literal

import numpy as np
import xarray as xr

from flarecast.audit.copies import copies, hash_windows
from flarecast.audit.dates import contemporaneous, cycle_phases, sampling
from flarecast.audit.differences import base_rates, count_roles, few_event_blocks
from flarecast.audit.events import roles_of
from flarecast.audit.evidence import Evidence, gather_evidence
from flarecast.audit.findings import Audit, Finding, collect
from flarecast.audit.giveaways import few_to_judge, giveaways, label_names
from flarecast.audit.leaks import leaks_between
from flarecast.audit.moments import in_progress, late_rows, unknown_starts
from flarecast.audit.returns import regions_with_returns, returned_regions
from flarecast.audit.scales import flux_scales
from flarecast.audit.shifts import cadences, class_mix, shifted_features
from flarecast.config import Config
from flarecast.schema import ROLES
from flarecast.split import link_returning
from flarecast.split.roles import TEST, RoleArray

OUT_OF_FOLD = "out-of-fold"
"""What the folds inside the training span are together called in a finding."""


def audit(
    windows: xr.Dataset,
    split: xr.Dataset,
    events: Sequence[str] = ("M1.0",),
    unassigned: Literal["ignore", "mask"] = "ignore",
    *,
    features: Sequence[str] | None = None,
    rng: np.random.Generator | None = None,
) -> Audit:
    """Look for leaks in the windows and between the roles of every fold, and for differences between roles.

    Args:
        windows: A windows Dataset.
        split: Its split.
        events: GOES classes, ascending.
        unassigned: What flares without a region do to a negative; see `goes.events`.
        features: Features that the model is offered; all if None.
        rng: Draws regions for intervals; None gives the same audit every time.

    Raises:
        FlarecastError: The split has another number of windows, or a feature is not in the file.
    """
    roles = roles_of(windows, split)
    returning = str(split.attrs.get("returning", "new"))
    linked = regions_with_returns(windows) if returning == "new" else None
    evidence = gather_evidence(link_returning(windows, returning), events, unassigned, features)
    hashed = hash_windows(evidence)
    draws = rng or np.random.default_rng(0)
    findings: list[Finding] = [*label_names(evidence), *sampling(evidence), *unknown_starts(evidence)]
    counts = []
    for fold, role in enumerate(roles):
        table = count_roles(role, evidence.spans.region, evidence.block, evidence.occurred, evidence.events)
        counts += [{"fold": fold, "role": name, **entry} for name, entry in table.items()]
        found = chain(
            _leaks(evidence, role),
            copies(evidence, role, hashed),
            late_rows(evidence, role),
            returned_regions(evidence, role, linked),
            giveaways(evidence, role, draws),
            _warnings(evidence, role),
            base_rates(table, evidence.events),
            few_event_blocks(table, evidence.events),
            few_to_judge(evidence, role),
        )
        where = f"fold {fold}: " if len(roles) > 1 else ""
        findings += [replace(one, fold=fold, message=where + one.message) for one in found]
    findings += _inner_folds(evidence, split, roles)
    return collect(findings, counts)


def audit_for(windows: xr.Dataset, split: xr.Dataset, config: Config) -> Audit:
    """The audit of what a configuration would train on; see `audit`."""
    features, rng = config.model.features, config.generator("audit")
    return audit(windows, split, config.events, config.unassigned, features=features, rng=rng)


def _leaks(evidence: Evidence, role: RoleArray) -> Iterator[Finding]:
    """Leaks between every two roles of one fold; unused windows are in nobody's way."""
    for one, other in combinations(range(1, len(ROLES)), 2):
        mine, theirs = np.flatnonzero(role == one), np.flatnonzero(role == other)
        yield from leaks_between(evidence.spans, mine, theirs, (ROLES[one], ROLES[other]))


def _warnings(evidence: Evidence, role: RoleArray) -> Iterator[Finding]:
    """Warnings that need no table of counts."""
    scale, peak = (evidence.windows[name].values for name in ("flux_scale", "peak_flux"))
    yield from contemporaneous(evidence, role)
    yield from in_progress(evidence, role)
    yield from class_mix(evidence, role)
    yield from flux_scales(role, scale, peak)
    yield from cadences(evidence, role)
    yield from shifted_features(evidence, role)
    yield from cycle_phases(evidence, role)


def _inner_folds(evidence: Evidence, split: xr.Dataset, roles: RoleArray) -> Iterator[Finding]:
    """Leaks between all that the out-of-fold folds use and the test windows of the final fold.

    Calibrators and decision thresholds are fitted on those folds together, so that none of their windows may
    touch what is scored.
    """
    if "fold_use" not in split:
        return
    inner = roles[split["fold_use"].values != 0]
    final = roles[int(split.attrs.get("final_fold", 0))]
    mine, theirs = np.flatnonzero((inner > 0).any(axis=0)), np.flatnonzero(final == TEST)
    yield from leaks_between(evidence.spans, mine, theirs, (OUT_OF_FOLD, ROLES[TEST]))
    both = np.intersect1d(mine, theirs)
    if both.size:
        examples = evidence.spans.labels(both)
        text = f"{both.size:,} test windows of the final fold are used by out-of-fold folds; split again"
        yield Finding("shared window", "leak", text, int(both.size), examples, (OUT_OF_FOLD, ROLES[TEST]))

"""Warnings of the calendar and of the choice of windows: what no score of this split can say."""

from collections.abc import Iterator

import numpy as np

from flarecast import cycles
from flarecast.audit.evidence import Evidence
from flarecast.audit.findings import Finding, share
from flarecast.schema import ROLES
from flarecast.split.roles import TEST, TRAIN, RoleArray

LEAST_SHARE = 0.05
"""Share of the test windows in a phase of the cycle from which a role without that phase is warned about."""


def contemporaneous(evidence: Evidence, role: RoleArray) -> Iterator[Finding]:
    """Warn where test windows were issued on days on which another role has windows of other regions."""
    spans = evidence.spans
    day = np.where(spans.disk, -1, spans.issue_time // cycles.DAY)
    tests = day[role == TEST]
    found = []
    for number in range(TRAIN, TEST):
        days = np.unique(day[(role == number) & ~spans.disk])
        found.append((int(np.isin(tests, days).sum()), ROLES[number]))
    n, name = max(found, key=lambda pair: pair[0])
    if n:
        text = (
            f"{share(n, tests.size)} of {tests.size:,} test windows were issued on days of which {name} "
            "holds other regions; the scores say nothing about another time"
        )
        yield Finding("contemporaneous roles", "warning", text, n, (), (name, ROLES[TEST]))


def cycle_phases(evidence: Evidence, role: RoleArray) -> Iterator[Finding]:
    """Warn where a role has no window in a phase of the solar cycle in which test windows lie."""
    phase = cycles.phase_of(evidence.spans.issue_time)
    n_phases = len(cycles.PHASES)
    tests = np.bincount(phase[role == TEST], minlength=n_phases)
    wanted = tests >= max(1.0, LEAST_SHARE * tests.sum())
    for number in range(TRAIN, TEST):
        mine = np.bincount(phase[role == number], minlength=n_phases)
        lacking = np.flatnonzero(wanted & (mine == 0)) if mine.any() else ()
        if len(lacking):
            names = tuple(cycles.PHASES[place] for place in lacking)
            n = int(tests[list(lacking)].sum())
            text = (
                f"{ROLES[number]} has no window in the {' and the '.join(names)} of a solar cycle, where "
                f"{share(n, int(tests.sum()))} of the test windows lie; what it fits may not hold there"
            )
            yield Finding("cycle phase", "warning", text, n, names, (ROLES[number], ROLES[TEST]))


def sampling(evidence: Evidence) -> Iterator[Finding]:
    """Warn where the windows were not taken as they came."""
    how = str(evidence.windows.attrs["sampling"])
    said = {
        "case-control": "their times were set by the flares; base rates, and all scores that depend on "
        "them, say nothing about the Sun",
        "filtered": "what was left out may be what is hard to forecast; scores hold for such windows only",
    }
    if how in said:
        n = int(evidence.spans.first_row.size)
        yield Finding("sampling", "warning", f"the windows are a {how} sample: {said[how]}", n, (how,))

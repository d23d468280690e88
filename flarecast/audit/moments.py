"""Windows that know too much: rows after the issue or the peak, or a flare that has begun."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from flarecast.audit.evidence import Evidence
from flarecast.audit.findings import Finding, and_so_on, counted, note, share
from flarecast.schema import NO_TIME, ROLES
from flarecast.split import holds_peak
from flarecast.split.roles import RoleArray

IntArray = NDArray[np.int64]


def late_rows(evidence: Evidence, role: RoleArray) -> Iterator[Finding]:
    """Leaks: windows with a row after their issue time, or at or after the peak of their flare."""
    filled = np.flatnonzero((role > 0) & (evidence.spans.after_row > evidence.spans.first_row))
    windows = evidence.windows
    latest = windows["time"].values[evidence.spans.after_row[filled] - 1]
    late = filled[latest > evidence.spans.issue_time[filled]]
    if late.size:
        text = "rows after their issue time"
        advice = "a row's time is when its content is known; mend the times"
        yield _finding(evidence, role, late, ("row after the issue time", text, advice))
    beyond = np.flatnonzero((role > 0) & holds_peak(windows))
    if beyond.size:
        text = "rows at or after the peak of the flare that they predict"
        advice = "issue earlier, or leave these windows out"
        yield _finding(evidence, role, beyond, ("row after the peak", text, advice))


def in_progress(evidence: Evidence, role: RoleArray) -> Iterator[Finding]:
    """Warning: windows issued when the flare that they predict had begun."""
    windows = evidence.windows
    event = (role > 0) & (evidence.occurred[:, 0] == 1)
    start = windows["flare_start"].values
    known = event & (start != NO_TIME)
    running = np.flatnonzero(known & (start <= evidence.spans.issue_time))
    if running.size:
        n, of_role = running.size, [ROLES[number] for number in np.unique(role[running])]
        tests = int((role[running] == ROLES.index("test")).sum())
        examples = evidence.spans.labels(running)
        text = (
            f"{counted(n, 'window')} of {int(known.sum()):,} with {evidence.events[0]} or more "
            f"({share(n, int(known.sum()))}; {tests:,} of them in test) issued when that flare had begun"
            f"{and_so_on(examples)}; score with and without them"
        )
        yield Finding("in progress", "warning", text, n, examples, tuple(of_role))


def unknown_starts(evidence: Evidence) -> Iterator[Finding]:
    """Note: events whose flare has no start, so that nobody can tell whether it had begun."""
    event = evidence.occurred[:, 0] == 1
    if event.any() and (evidence.windows["flare_start"].values[event] == NO_TIME).all():
        yield note(
            "in progress", "no flare start is known; windows in a flare that has begun are not checked"
        )


def _finding(evidence: Evidence, role: RoleArray, index: IntArray, words: tuple[str, str, str]) -> Finding:
    """A leak of single windows: kind, what they hold, what to do."""
    kind, holds, advice = words
    roles = tuple(ROLES[number] for number in np.unique(role[index]))
    examples = evidence.spans.labels(index)
    verb = "holds" if index.size == 1 else "hold"
    text = (
        f"{counted(index.size, 'window')} of {', '.join(roles)} {verb} {holds}{and_so_on(examples)}; {advice}"
    )
    return Finding(kind, "leak", text, index.size, examples, roles)

"""Leaks between two roles: shared rows, shared regions, overlapping spans of time.

The history of a window is (issue_time - span - longest feature memory, issue_time], its outcome
[valid_from, valid_to). Everything is sorted once and swept, so that hundreds of thousands of windows take
seconds.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles
from flarecast.audit.findings import Finding, and_so_on, counted
from flarecast.split.regions import is_disk, linked_regions

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Interval = tuple[IntArray, IntArray]


@dataclass(frozen=True)
class Spans:
    """What the audit knows of each window, shape (window,).

    Attributes:
        name: Region as it is called.
        region: Number of the linked region.
        disk: Whether it is the disk.
        issue_time: UTC [s since 1970].
        first_row: First row of the slice.
        after_row: Row after the last of the slice.
        history: Start, inclusive, and end, exclusive [half seconds since 1970].
        outcome: The same of the valid span.
        n_rows: Rows in the file.
    """

    name: NDArray[np.object_]
    region: IntArray
    disk: BoolArray
    issue_time: IntArray
    first_row: IntArray
    after_row: IntArray
    history: Interval
    outcome: Interval
    n_rows: int

    def labels(self, index: IntArray) -> tuple[str, ...]:
        """The first of some windows in words: `HARP 377 at 2011-02-15T00:00:00Z`."""
        return tuple(f"{self.name[i]} at {cycles.iso(self.issue_time[i])}" for i in index[:5])


def spans_of(windows: xr.Dataset) -> Spans:
    """Read the spans of all windows from a windows Dataset."""
    attributes = windows.attrs
    memory = float(windows["feature_memory_hours"].values.max(initial=0.0))
    reach = round(attributes["n_steps"] * attributes["cadence_minutes"] * 60) + math.ceil(memory * 3600)
    issue_time = windows["issue_time"].values
    first_row = windows["first_row"].values
    # In half seconds an open start lies half a second later, and both spans become [start, end).
    return Spans(
        name=windows["region"].values,
        region=linked_regions(windows),
        disk=is_disk(windows),
        issue_time=issue_time,
        first_row=first_row,
        after_row=first_row + windows["n_rows"].values,
        history=(2 * (issue_time - reach) + 1, 2 * issue_time + 1),
        outcome=(2 * windows["valid_from"].values, 2 * windows["valid_to"].values),
        n_rows=windows.sizes["row"],
    )


def leaks_between(
    spans: Spans, mine: IntArray, theirs: IntArray, roles: tuple[str, str]
) -> Iterator[Finding]:
    """Find what two roles of one fold share.

    Args:
        spans: Spans of all windows.
        mine: Windows of the first role, ascending.
        theirs: Windows of the second role, ascending.
        roles: Names of the two roles.
    """
    if mine.size and theirs.size:
        yield from _shared_rows(spans, mine, theirs, roles)
        yield from _shared_regions(spans, mine, theirs, roles)
        yield from _overlaps(spans, mine, theirs, roles)


def _shared_rows(spans: Spans, mine: IntArray, theirs: IntArray, roles: tuple[str, str]) -> Iterator[Finding]:
    """Rows that lie in windows of both roles."""
    shared = _covered(spans, mine) & _covered(spans, theirs)
    if shared.any():
        before = np.concatenate([[0], np.cumsum(shared)])
        has = before[spans.after_row[theirs]] > before[spans.first_row[theirs]]
        examples = spans.labels(theirs[has])
        text = (
            f"{counted(int(shared.sum()), 'row')} in windows of both {roles[0]} and {roles[1]}"
            f"{and_so_on(examples)}; split by region or widen the gap"
        )
        yield Finding("shared row", "leak", text, int(shared.sum()), examples, roles)


def _covered(spans: Spans, index: IntArray) -> BoolArray:
    """Whether each row of the file lies in any of some windows, shape (row,)."""
    change = np.zeros(spans.n_rows + 1, dtype=np.int64)
    np.add.at(change, spans.first_row[index], 1)
    np.add.at(change, spans.after_row[index], -1)
    covered: BoolArray = np.cumsum(change)[:-1] > 0
    return covered


def _shared_regions(
    spans: Spans, mine: IntArray, theirs: IntArray, roles: tuple[str, str]
) -> Iterator[Finding]:
    """Regions, under any of their names and numbers, with windows in both roles; the disk exempt."""
    regions, place = np.unique(spans.region[mine], return_index=True)
    others, other_place = np.unique(spans.region[theirs], return_index=True)
    _, at, other_at = np.intersect1d(regions, others, assume_unique=True, return_indices=True)
    first, second = mine[place[at]], theirs[other_place[other_at]]
    keep = ~spans.disk[first]
    first, second = first[keep], second[keep]
    if first.size:
        examples = tuple(
            spans.name[i] if spans.name[i] == spans.name[j] else f"{spans.name[i]} (also {spans.name[j]})"
            for i, j in zip(first[:5], second[:5], strict=True)
        )
        text = (
            f"{counted(first.size, 'region')} appear{'s' * (first.size == 1)} in both {roles[0]} and "
            f"{roles[1]}{and_so_on(examples)}; split by region or widen the gap"
        )
        yield Finding("shared region", "leak", text, first.size, examples, roles)


def _overlaps(spans: Spans, mine: IntArray, theirs: IntArray, roles: tuple[str, str]) -> Iterator[Finding]:
    """Windows of the second role that share time with history or outcome of the first in one region."""
    both = np.intersect1d(spans.region[mine], spans.region[theirs])
    mine = mine[np.isin(spans.region[mine], both)]
    theirs = theirs[np.isin(spans.region[theirs], both)]
    overlaps = np.zeros(theirs.size, dtype=np.bool_)
    for one in (spans.history, spans.outcome):
        for other in (spans.history, spans.outcome):
            overlaps |= touched(one, theirs, other, mine, spans.region)
    if overlaps.any():
        n = int(overlaps.sum())
        examples = spans.labels(theirs[overlaps])
        text = (
            f"{counted(n, roles[1] + ' window')} overlap{'s' * (n == 1)} history or outcome of {roles[0]} in "
            f"one track{and_so_on(examples)}; widen the embargo"
        )
        yield Finding("overlapping history or outcome", "leak", text, n, examples, roles)


def touched(
    span: Interval, index: IntArray, other_span: Interval, other_index: IntArray, region: IntArray
) -> BoolArray:
    """Whether spans of some windows meet any span of other windows of the same region.

    Args:
        span: Start, inclusive, and end, exclusive, of each window of the file, shape (window,) each.
        index: Windows asked about, shape (n,).
        other_span: Start and end of what they may meet, shape (window,) each.
        other_index: The other windows.
        region: Region of each window of the file, shape (window,).

    Returns:
        Shape (n,).
    """
    if index.size == 0 or other_index.size == 0:
        return np.zeros(index.size, dtype=np.bool_)
    base = min(int(span[0][index].min()), int(other_span[0][other_index].min()))
    top = max(int(span[1][index].max()), int(other_span[1][other_index].max()))
    # Each region gets a stretch of its own on one long axis, so that one sort and one search serve all.
    regions = np.unique(region[other_index])
    place, known = np.searchsorted(regions, region[index]), np.isin(region[index], regions)
    other_shift = np.searchsorted(regions, region[other_index]) * (top - base + 1) - base
    starts = other_span[0][other_index] + other_shift
    order = np.argsort(starts, kind="stable")
    latest_end = np.maximum.accumulate((other_span[1][other_index] + other_shift)[order])
    shift = place * (top - base + 1) - base
    begun = np.searchsorted(starts[order], span[1][index] + shift, side="left")
    meets: BoolArray = known & (begun > 0) & (latest_end[begun.clip(min=1) - 1] > span[0][index] + shift)
    return meets

"""One flare, one line: the rule by which entries of flare lists are the same flare.

Two entries are one flare when their classes agree to 10 % on one scale, their peaks to 2 minutes, and their
starts, where both are known, to 15 minutes; where one of them has no peak time, their starts have to agree to
2 minutes. A time that is only known to a SHARP record's 12 minutes may be off by 8 more, within one region.
Of the entries of one flare the one of the file named first counts, of one file the last (lists append their
corrections); what it does not know (start, peak, end, region) is taken from the others in that order. Regions
may differ: there is one Sun in the X-ray flux, so that the same rise and peak can not be two flares.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from flarecast.flares import scales
from flarecast.flares.entry import Entry
from flarecast.schema import NO_TIME

SAME_TIME = 120
SAME_START = 900
SAME_CLASS = 1.1 * (1 + 1e-6)
COARSE_SLACK = 480
"""Slack for times known to 12 minutes [s]: half the cadence and the two minutes that all have."""

_MINUTE = 60
IntArray = NDArray[np.int64]


def merge(
    entries: list[Entry], file_of: list[int], settled: frozenset[int] = frozenset()
) -> tuple[list[Entry], dict[str, int]]:
    """Join the entries of the same flare.

    Args:
        entries: From all files, with their scale known (0 or more).
        file_of: Place of each entry's file in the order of the files named.
        settled: Places of files that hold each flare once: flares.csv, whose merging is not repeated.

    Returns:
        One entry a flare, in order of peak (else start, else end); and counts: entries that were joined to
        others, and flares whose entries name several regions.
    """
    if not entries:
        return [], {"n_duplicates": 0, "n_region_conflicts": 0}
    label = _flares(entries, np.array(file_of), settled)
    # Of one flare: the first file first, of one file the last line first.
    order = np.lexsort((-np.arange(len(entries)), np.array(file_of), label))
    merged: list[Entry] = []
    n_conflicts = 0
    for group in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        members = [entries[place] for place in group.tolist()]
        n_conflicts += len({entry.region for entry in members} - {0}) > 1
        merged.append(_joined(members) if len(members) > 1 else members[0])
    merged.sort(key=lambda entry: (entry.when, entry.flux, entry.region))
    return merged, {"n_duplicates": len(entries) - len(merged), "n_region_conflicts": n_conflicts}


def _joined(members: list[Entry]) -> Entry:
    """The first entry, with what it does not know from the others; precise times go before coarse ones."""
    by_precision = sorted(members, key=lambda entry: entry.accuracy)
    first = members[0] if members[0].accuracy == by_precision[0].accuracy else by_precision[0]

    def known(name: str, unknown: int) -> int:
        values = (getattr(entry, name) for entry in (first, *by_precision))
        return next((value for value in values if value != unknown), unknown)

    return first._replace(
        start=known("start", NO_TIME),
        peak=known("peak", NO_TIME),
        end=known("end", NO_TIME),
        region=known("region", 0),
    )


def _flares(entries: list[Entry], file_of: IntArray, settled: frozenset[int]) -> IntArray:
    """Number of the flare that each entry belongs to, shape (entry,)."""
    start = np.array([entry.start for entry in entries])
    peak = np.array([entry.peak for entry in entries])
    region = np.array([entry.region for entry in entries])
    flux = np.array([entry.flux for entry in entries])
    flux = flux * scales.factor(np.array([entry.scale for entry in entries]), scales.TRUE)
    coarse = np.array([entry.accuracy > _MINUTE for entry in entries])

    one, two = _close(np.where(coarse, NO_TIME, peak), SAME_TIME)
    started = (
        (start[one] == NO_TIME) | (start[two] == NO_TIME) | (np.abs(start[one] - start[two]) <= SAME_START)
    )
    pairs = [(one[started], two[started])]
    one, two = _close(start, SAME_TIME)
    lacking = (peak[one] == NO_TIME) | (peak[two] == NO_TIME)
    pairs.append((one[lacking], two[lacking]))
    if coarse.any():
        one, two = _close(peak, COARSE_SLACK)
        rough = (coarse[one] | coarse[two]) & (region[one] == region[two])
        pairs.append((one[rough], two[rough]))
    one, two = (np.concatenate(side) for side in zip(*pairs, strict=True))
    same = np.maximum(flux[one], flux[two]) <= SAME_CLASS * np.minimum(flux[one], flux[two])
    same &= (file_of[one] != file_of[two]) | ~np.isin(file_of[one], list(settled))
    links = coo_array((np.ones(same.sum()), (one[same], two[same])), shape=(len(entries), len(entries)))
    _, label = connected_components(links, directed=False)
    return np.asarray(label, dtype=np.int64)


def _close(time: IntArray, tolerance: int) -> tuple[IntArray, IntArray]:
    """Pairs of entries whose times are known and differ by at most the tolerance."""
    known = np.flatnonzero(time != NO_TIME)
    order = known[np.argsort(time[known], kind="stable")]
    sorted_time = time[order]
    stop = np.searchsorted(sorted_time, sorted_time + tolerance, side="right")
    count = stop - np.arange(order.size) - 1
    one = np.repeat(np.arange(order.size), count)
    within = np.arange(one.size) - np.repeat(np.cumsum(count) - count, count)
    return order[one], order[one + 1 + within]

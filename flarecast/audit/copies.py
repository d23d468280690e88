"""The same window under two names: windows of two roles whose values agree to the last bit.

Each row is hashed over the features of its region; a window's hash is a polynomial in those of its rows, so
that all windows take one cumulative sum. What agrees in the hash is compared. Windows that hold hardly a
value of a feature fine enough to tell rows apart (quiet regions, whole numbers) are no copies of each other.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from flarecast.audit.evidence import Evidence
from flarecast.audit.findings import Finding, and_so_on, counted
from flarecast.schema import ROLES
from flarecast.split.roles import RoleArray

IntArray = NDArray[np.int64]
Hash = NDArray[np.uint64]

LEAST_VALUES = 4
"""Distinct values other than 0 that a window must hold before an equal one is no coincidence."""

FINE = 0.2
"""Share of distinct values among a feature's values other than 0 from which it tells rows apart."""

_SAMPLE = 20_000
_BLOCK = 32_768
_ODD = 0x9E3779B97F4A7C15  # golden ratio times 2^64; odd, so that it has an inverse modulo 2^64
_MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # Steele et al. (2014), OOPSLA: SplitMix64
_BITS = 64


def hash_windows(evidence: Evidence) -> tuple[Hash, IntArray]:
    """Hash of each window's values, shape (window,), and the columns of the file that it is made of.

    Windows that hold too little to be told apart have hash 0.
    """
    values, spans = evidence.windows["values"].values, evidence.spans
    columns = evidence.columns[evidence.measured]
    fine = [_is_fine(values[:, column]) for column in columns]
    if not any(fine) or spans.n_rows == 0:
        return np.zeros(spans.first_row.size, dtype=np.uint64), columns
    row_hash, n_new = _hash_rows(values, columns, fine)
    with np.errstate(over="ignore"):
        power = _powers(_ODD, spans.n_rows)
        total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(row_hash * power, dtype=np.uint64)])
        inverse = _powers(pow(_ODD, -1, 2**_BITS), spans.n_rows)
        first = spans.first_row.clip(max=spans.n_rows - 1)
        hashed = (total[spans.after_row] - total[spans.first_row]) * inverse[first]
        hashed = _mixed(hashed ^ (spans.after_row - spans.first_row).astype(np.uint64))
    seen = np.concatenate([np.zeros(1, np.int64), np.cumsum(n_new)])
    telling = seen[spans.after_row] - seen[spans.first_row] >= LEAST_VALUES
    return np.where(telling, hashed | np.uint64(1), np.uint64(0)), columns


def copies(evidence: Evidence, role: RoleArray, hashed: tuple[Hash, IntArray]) -> Iterator[Finding]:
    """Leaks: windows of two roles that hold the same values though they are called otherwise."""
    code, columns = hashed
    telling = np.flatnonzero((role > 0) & (code > 0))
    _, same, size = np.unique(code[telling], return_inverse=True, return_counts=True)
    telling = telling[size[same] > 1]
    for one, other in combinations(range(1, len(ROLES)), 2):
        mine, theirs = telling[role[telling] == one], telling[role[telling] == other]
        pairs = [
            (i, j)
            for i, j in _matched(code, mine, theirs)
            if evidence.spans.first_row[i] != evidence.spans.first_row[j] and _equal(evidence, columns, i, j)
        ]
        if pairs:
            roles = (ROLES[one], ROLES[other])
            examples = tuple(
                f"{evidence.spans.labels(np.array([j]))[0]} = {evidence.spans.labels(np.array([i]))[0]}"
                for i, j in pairs[:5]
            )
            n = len(pairs)
            text = (
                f"{counted(n, roles[1] + ' window')} hold{'s' * (n == 1)} the values of a window of "
                f"{roles[0]} under another name{and_so_on(examples[:1])}; keep one of each"
            )
            yield Finding("same window", "leak", text, n, examples, roles)


def _is_fine(series: NDArray[np.float32]) -> bool:
    """Whether a feature takes so many values that two rows seldom share one."""
    some = series[:: max(1, series.size // _SAMPLE)]
    some = some[np.isfinite(some) & (some != 0)]
    return bool(some.size > 0 and np.unique(some).size >= FINE * some.size)


def _hash_rows(values: NDArray[np.float32], columns: IntArray, fine: Sequence[bool]) -> tuple[Hash, IntArray]:
    """Hash of each row, and how many fine values other than 0 it holds that the row before did not."""
    hashed = np.zeros(len(values), dtype=np.uint64)
    n_new = np.zeros(len(values), dtype=np.int64)
    for start in range(0, len(values), _BLOCK):  # in blocks, which stay in the processor's cache
        block = slice(start, start + _BLOCK)
        some = values[block][:, columns].T + np.float32(0)  # -0 and 0 are one
        before = values[start - 1, columns] if start else np.full(columns.size, np.nan)
        for place, series in enumerate(some):
            known = np.isfinite(series)
            bits = np.where(known, series, np.float32(np.nan)).view(np.uint32).astype(np.uint64)
            with np.errstate(over="ignore"):
                hashed[block] = _mixed(hashed[block] * np.uint64(_ODD) + bits + np.uint64(place))
            if fine[place]:
                n_new[block] += known & (series != 0) & (series != np.append(before[place], series[:-1]))
    return hashed, n_new


def _mixed(code: Hash) -> Hash:
    """Spread every bit over all bits."""
    code = (code ^ (code >> np.uint64(30))) * np.uint64(_MIX[0])
    code = (code ^ (code >> np.uint64(27))) * np.uint64(_MIX[1])
    return code ^ (code >> np.uint64(31))


def _powers(number: int, n: int) -> Hash:
    """The powers 0 to n - 1 of a number modulo 2^64, shape (n,)."""
    factors = np.full(n, number, dtype=np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


def _matched(code: Hash, mine: IntArray, theirs: IntArray) -> Iterator[tuple[int, int]]:
    """Each of their windows with the first of mine that has its hash."""
    order = mine[np.argsort(code[mine], kind="stable")]
    place = np.searchsorted(code[order], code[theirs]).clip(max=max(0, order.size - 1))
    if order.size:
        same = code[order[place]] == code[theirs]
        yield from zip(order[place[same]].tolist(), theirs[same].tolist(), strict=True)


def _equal(evidence: Evidence, columns: IntArray, one: int, other: int) -> bool:
    """Whether two windows hold the same values, missing ones alike."""
    values, spans = evidence.windows["values"].values, evidence.spans
    first, second = (values[spans.first_row[i] : spans.after_row[i]][:, columns] for i in (one, other))
    return bool(np.array_equal(first, second, equal_nan=True))

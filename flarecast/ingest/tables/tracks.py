"""Rows to tracks and windows, in the three layouts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from flarecast.ingest.tables import clock
from flarecast.ingest.tables.cells import Cells
from flarecast.ingest.tables.mapping import Table
from flarecast.ingest.tables.values import Rows

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Laid:
    """Rows in order of track and time, and the row that ends each window.

    Attributes:
        row: Rows of the file that are stored, shape (stored,).
        time: UTC when they were observed [s since 1970], on the grid, shape (stored,).
        track: Ascending, shape (stored,).
        last: Place among the stored rows of the last row of each window, ascending, shape (window,).
        n_repeated: Rows that say the same once more, not stored.
        n_conflicting: Rows with the time of another and other values: on tracks of their own, or, in a
            block, instead of the earlier.
    """

    row: IntArray
    time: IntArray
    track: IntArray
    last: IntArray
    n_repeated: int
    n_conflicting: int


def lay_rows(cells: Cells, table: Table, rows: Rows) -> Laid:
    """Tracks of regions, one window a row; of rows with one time the second goes to another track."""
    good = np.flatnonzero(np.array(cells.good, dtype=bool))
    region = np.unique(rows.region[good].astype(str), return_inverse=True)[1]
    order = np.lexsort((good, rows.time[good], region))
    row, region = good[order], region[order]
    time = _snapped(rows.time[row], region, table)
    copy, repeated = _copies(rows, row, region, time)
    row, region, time, copy = (array[~repeated] for array in (row, region, time, copy))
    # Number the tracks by their first time, the first copy of a region before the others.
    order = np.lexsort((time, copy, region))
    row, time = row[order], time[order]
    pair = np.stack([region[order], copy[order]], axis=1)
    track = np.zeros(row.size, dtype=np.int64)
    track[1:] = np.cumsum((np.diff(pair, axis=0) != 0).any(axis=1))
    n_conflicting = int((copy > 0).sum())
    return _by_first_time(Laid(row, time, track, np.arange(row.size), int(repeated.sum()), n_conflicting))


def lay_blocks(cells: Cells, table: Table, rows: Rows) -> Laid:
    """One track and one window a block; blocks that say the same once more are not stored."""
    parts: list[tuple[IntArray, IntArray]] = []
    seen: set[tuple[object, ...]] = set()
    n_repeated = n_conflicting = 0
    for members in _blocks(cells, table):
        block = _one_region(cells, rows, members)
        if not block.size:
            continue
        block = block[np.argsort(rows.time[block], kind="stable")]
        time = _snapped(rows.time[block], np.zeros(block.size, dtype=np.int64), table)
        stays = np.append(np.diff(time) > 0, True)  # of several rows of one time the last
        same = [_same(rows, int(one), int(two)) for one, two in pairwise(block)]
        n_conflicting += sum(not alike and not stay for alike, stay in zip(same, stays[:-1], strict=True))
        n_repeated += int((~stays).sum())
        block, time = block[stays], time[stays]
        last = block[-1]
        outcome = (float(rows.low[last]), float(rows.high[last]))
        key = (rows.region[last], time.tobytes(), rows.values[block].tobytes(), *outcome)
        if key in seen:
            n_repeated += block.size
            continue
        seen.add(key)
        parts.append((block, time))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Laid(none, none, none, none, n_repeated, n_conflicting)
    sizes = [block.size for block, _ in parts]
    track = np.repeat(np.arange(len(parts)), sizes)
    row, time = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return _by_first_time(Laid(row, time, track, np.cumsum(sizes) - 1, n_repeated, n_conflicting))


def _by_first_time(laid: Laid) -> Laid:
    """Tracks numbered by the time of their first row."""
    _, start, size = np.unique(laid.track, return_index=True, return_counts=True)
    order = np.argsort(laid.time[start], kind="stable")
    place = np.concatenate([np.arange(start[n], start[n] + size[n]) for n in order]) if order.size else start
    ends = np.zeros(laid.row.size, dtype=bool)
    ends[laid.last] = True
    return replace(
        laid,
        row=laid.row[place],
        time=laid.time[place],
        track=np.repeat(np.arange(order.size), size[order]),
        last=np.flatnonzero(ends[place]),
    )


def _snapped(time: NDArray[np.float64], group: IntArray, table: Table) -> IntArray:
    """Times in whole seconds, on the grid of their group where they lie near it."""
    window = table.window
    borders = np.flatnonzero(np.diff(group)) + 1
    cadence = round(window.cadence_minutes * 60)
    groups = [piece for piece in np.split(time, borders) if piece.size]
    pieces = [clock.snap(piece, cadence, window.snap_seconds) for piece in groups]
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int64)


def _copies(
    rows: Rows, row: IntArray, region: IntArray, time: IntArray
) -> tuple[IntArray, NDArray[np.bool_]]:
    """Of rows in order: which of the different rows of its region and time each is, and if it repeats one."""
    copy = np.zeros(row.size, dtype=np.int64)
    repeated = np.zeros(row.size, dtype=bool)
    follows = np.append(False, (np.diff(region) == 0) & (np.diff(time) == 0))
    different: list[int] = []
    for place in np.flatnonzero(follows | np.append(follows[1:], False)):
        if not follows[place]:
            different = [int(row[place])]
        elif any(_same(rows, one, int(row[place])) for one in different):
            repeated[place] = True
        else:
            copy[place] = len(different)
            different.append(int(row[place]))
    return copy, repeated


def _same(rows: Rows, one: int, two: int) -> bool:
    """Whether two rows have the same values and outcome."""
    return (
        np.array_equal(rows.values[one], rows.values[two], equal_nan=True)
        and rows.low[one] == rows.low[two]
        and rows.high[one] == rows.high[two]
    )


def _blocks(cells: Cells, table: Table) -> Sequence[IntArray]:
    """Rows of each block, broken ones included."""
    size, column = table.window.rows_per_block, table.window.block_column
    if column is not None:
        key = np.array(cells.columns[column], dtype=object).astype(str)
        _, first, group = np.unique(key, return_index=True, return_inverse=True)
        order = np.argsort(group, kind="stable")
        members = np.split(order, np.cumsum(np.bincount(group))[:-1]) if key.size else []
        return [members[number] for number in np.argsort(first)]
    number = np.arange(cells.n_rows)
    file = np.array(cells.file, dtype=np.int64)
    blocks = []
    for one in np.unique(file):
        own = number[file == one]
        blocks += [own[start : start + (size or 1)] for start in range(0, own.size, size or 1)]
    for block in blocks:
        if block.size != size:
            told = f"expected {size} rows a block, got {block.size}"
            for row in block:
                cells.leave_out(int(row), "block cut short", told)
    return blocks


def _one_region(cells: Cells, rows: Rows, members: IntArray) -> IntArray:
    """Good rows of a block that are of its region, most rows' own; none if they have several outcomes."""
    block: IntArray = members[np.array([cells.good[row] for row in members], dtype=bool)]
    if not block.size:
        return block
    names, count = np.unique(rows.region[block].astype(str), return_counts=True)
    major = names[count.argmax()]
    for row in block[rows.region[block] != major]:
        told = f"expected {major}, the region of its block, got {rows.region[row]}"
        cells.leave_out(int(row), "other region in a block", told)
    block = block[rows.region[block] == major]
    bounds = {(float(rows.low[row]), float(rows.high[row])) for row in block}
    if len(bounds) > 1:
        told = f"expected one outcome in the block of {major}, got {len(bounds)}"
        for row in block:
            cells.leave_out(int(row), "several outcomes in a block", told)
        return block[:0]
    return block

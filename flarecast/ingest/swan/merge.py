"""Parts put together in their order, as if one reading had met all their windows.

So archives may be read apart, in any number of processes, and give the same bytes.
"""

from dataclasses import fields, replace

import numpy as np

from flarecast.ingest.swan.lines import Tally
from flarecast.ingest.swan.reader import Part
from flarecast.ingest.swan.series import ABSENT, CADENCE, N_STEPS, IntArray, SeriesTable


def merge(parts: list[Part], tally: Tally) -> Part:
    """Put parts together; what a later one repeats is left out, what it contradicts gets a series of its own.

    Args:
        parts: At least one; no region is in two of them unless the same region was put in two archives.
        tally: Takes over what could not be read.

    Raises:
        FlarecastError: More could not be read than may be.
    """
    for part in parts:
        tally.add(part.tally)
        tally.check()
    regions = np.concatenate([np.unique(part.series_region) for part in parts])
    known, n_parts = np.unique(regions, return_counts=True)
    shared = known[n_parts > 1]
    if shared.size:
        parts = _disjoint(parts, shared)
    return _joined(parts, tally)


def _joined(parts: list[Part], tally: Tally) -> Part:
    """Parts one after the other, with their series and texts numbered on."""
    texts: dict[str, int] = {"": 0}
    columns: dict[str, list[np.ndarray]] = {
        field.name: [] for field in fields(Part) if field.name not in ("texts", "counts", "tally")
    }
    counts: dict[str, int] = {}
    n_series = 0
    for part in parts:
        code = np.array([texts.setdefault(text, len(texts)) for text in part.texts], dtype=np.int64)
        renumbered = {
            "row_series": part.row_series + n_series,
            "window_series": part.window_series + n_series,
            "row_noaa": code[part.row_noaa],
            "flare": code[part.flare],
        }
        for name, column in columns.items():
            column.append(renumbered.get(name, getattr(part, name)))
        for name, count in part.counts.items():
            counts[name] = counts.get(name, 0) + count
        n_series += part.series_region.size
    arrays = {
        name: column[0] if len(column) == 1 else np.concatenate(column) for name, column in columns.items()
    }
    return Part(**arrays, texts=list(texts), counts=counts, tally=tally)


def _disjoint(parts: list[Part], shared: IntArray) -> list[Part]:
    """The parts without the shared regions, and one more in which those were met in order."""
    met = _Meeting()
    rest = []
    for part in parts:
        is_shared = np.isin(part.series_region, shared)
        rest.append(_chosen(part, ~is_shared[part.row_series], ~is_shared[part.window_series]))
        met.take(_chosen(part, is_shared[part.row_series], is_shared[part.window_series]))
    return [*rest, *met.parts()]


def _chosen(part: Part, rows: np.ndarray, windows: np.ndarray | slice) -> Part:
    """Some rows and windows of a part."""
    changed = {}
    for field in fields(Part):
        value = getattr(part, field.name)
        if field.name.startswith("row_") or field.name in ("values", "longitude"):
            changed[field.name] = value[rows]
        elif field.name in ("window_series", "issue_time", "low", "high", "partition", "flare"):
            changed[field.name] = value[windows]
    return replace(part, **changed)


class _Meeting:
    """Windows of several parts, placed one by one as a single reading would have placed them."""

    def __init__(self) -> None:
        self._table = SeriesTable()
        self._pieces: list[Part] = []

    def take(self, part: Part) -> None:
        """Place the windows of a part."""
        row_of = {
            key: row
            for row, key in enumerate(zip(part.row_series.tolist(), part.row_slot.tolist(), strict=True))
        }
        taken, home_of_taken, home_of_window = [], [], []
        for series, issue in zip(part.window_series.tolist(), part.issue_time.tolist(), strict=True):
            first = issue // CADENCE - N_STEPS + 1
            rows = np.array([row_of.get((series, slot), -1) for slot in range(first, first + N_STEPS)])
            found = np.where(rows >= 0, part.row_hash[rows], ABSENT)
            key = int(part.series_region[series]), int(part.series_phase[series])
            home, new = self._table.place(key, first, found)
            if new is not None:
                self._table.keep(home, first, found, new)
                taken += rows[new].tolist()
                home_of_taken += [home.number] * new.size
            home_of_window.append(home.number)
        piece = _chosen(part, np.array(taken, dtype=np.int64), slice(None))
        homes = np.array(home_of_taken, dtype=np.int64), np.array(home_of_window, dtype=np.int64)
        self._pieces.append(replace(piece, row_series=homes[0], window_series=homes[1], counts={}))

    def parts(self) -> list[Part]:
        """The parts, whose series are now numbered together: the table's are given with the last."""
        none = np.empty(0, dtype=np.int64)
        pieces = [replace(piece, series_region=none, series_phase=none) for piece in self._pieces]
        regions = np.array(self._table.regions, dtype=np.int64)
        phases = np.array(self._table.phases, dtype=np.int64)
        return [*pieces[:-1], replace(pieces[-1], series_region=regions, series_phase=phases)]

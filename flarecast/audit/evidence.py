"""What the audit knows of a windows file, computed once for all folds and roles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles, goes
from flarecast.audit.leaks import Spans, spans_of
from flarecast.split.regions import is_disk, linked_regions
from flarecast.windows import feature_columns

IntArray = NDArray[np.int64]

N_BINS = 10
"""Bins of a feature's values, of equally many windows, in which roles are compared."""


@dataclass(frozen=True)
class Evidence:
    """Windows as the audit looks at them.

    Attributes:
        windows: The windows Dataset.
        spans: Regions, slices and times.
        block: Independent block, see `blocks_of`, shape (window,).
        events: GOES classes.
        occurred: 1, 0 or -1, shape (window, event).
        names: The features that a model is offered.
        columns: Their columns in the file.
        last: Last known value of each offered feature in the window, NaN where none, shape (window, feature).
        missing: Steps of the window without a value, shape (window, feature).
        ranks: Dense rank of `last` among all windows, -1 where none, shape (window, feature).
        bins: Decile of `last` among all windows, from 0, 10 where none, shape (window, feature).
    """

    windows: xr.Dataset
    spans: Spans
    block: IntArray
    events: tuple[str, ...]
    occurred: NDArray[np.int8]
    names: tuple[str, ...]
    columns: IntArray
    last: NDArray[np.float32]
    missing: NDArray[np.int32]
    ranks: NDArray[np.int32]
    bins: NDArray[np.int8]

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Whether each offered feature is the region's own, not the whole disk's, shape (feature,)."""
        context = set(str(self.windows.attrs["context_features"]).split())
        return np.array([name not in context for name in self.names], dtype=np.bool_)


def gather_evidence(
    windows: xr.Dataset,
    events: Sequence[str],
    unassigned: Literal["ignore", "mask"] = "ignore",
    features: Sequence[str] | None = None,
) -> Evidence:
    """Look at windows once.

    Args:
        windows: A windows Dataset.
        events: GOES classes.
        unassigned: What flares without a region do to a negative; see `goes.events`.
        features: Features that the model is offered; all if None.

    Raises:
        FlarecastError: A feature is not in the file.
    """
    names = tuple(features) if features is not None else tuple(map(str, windows["feature"].values))
    columns = feature_columns(windows, names)
    spans = spans_of(windows)
    last, missing = _last_and_missing(windows, spans, columns)
    ranks, bins = _ranks_and_bins(last)
    return Evidence(
        windows=windows,
        spans=spans,
        block=blocks_of(windows),
        events=tuple(events),
        occurred=goes.occurred_table(windows, events, unassigned),
        names=names,
        columns=columns,
        last=last,
        missing=missing,
        ranks=ranks,
        bins=bins,
    )


def blocks_of(windows: xr.Dataset) -> IntArray:
    """Number of the independent block of each window: its region, or for the disk its 27-day rotation."""
    disk = is_disk(windows)
    region = linked_regions(windows)
    rotation = cycles.rotation_of(windows["valid_from"].values)
    block: IntArray = np.where(disk, region.max(initial=0) + 1 + rotation - rotation.min(initial=0), region)
    return block


def _last_and_missing(
    windows: xr.Dataset, spans: Spans, columns: IntArray
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Last known value of each feature, and how many steps have none, shape (window, feature) each."""
    n_windows, n_steps = spans.first_row.size, int(windows.attrs["n_steps"])
    last = np.full((n_windows, columns.size), np.nan, dtype=np.float32)
    missing = np.full((n_windows, columns.size), n_steps, dtype=np.int32)
    before = np.zeros(spans.n_rows + 1, dtype=np.int64)
    values = windows["values"].values
    finite = np.isfinite(values)
    for place, column in enumerate(columns if spans.n_rows else ()):
        known = finite[:, column]
        np.cumsum(known, out=before[1:])
        n_known = before[spans.after_row] - before[spans.first_row]
        missing[:, place] = (n_steps - n_known).clip(0)
        has = n_known > 0
        # The last known row is the one that brings the count of known rows to what it is after the window.
        rows = np.flatnonzero(known)
        last[has, place] = values[rows[before[spans.after_row[has]] - 1], column]
    return last, missing


def _ranks_and_bins(last: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Dense rank of each value (-1 = missing) and its decile (10 = missing), shape (window, feature) each."""
    ranks = np.full(last.shape, -1, dtype=np.int32)
    bins = np.full(last.shape, N_BINS, dtype=np.int8)
    for place in range(last.shape[1]):
        known = np.isfinite(last[:, place])
        if known.any():
            values = last[known, place]
            levels, ranks[known, place] = np.unique(values, return_inverse=True)
            edges = np.unique(np.quantile(values, np.linspace(0, 1, N_BINS + 1)[1:-1]))
            bins[known, place] = np.searchsorted(edges, levels, side="right")[ranks[known, place]]
    return ranks, bins

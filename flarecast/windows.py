"""Windows as slices of rows: cut them, gather them.

Each observation is stored once, as a row of a track; a window is the rows of one track with time in
(issue_time - n_steps x cadence, issue_time].
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.errors import FlarecastError

IntArray = NDArray[np.int64]


def cut(
    row_time: IntArray, row_track: IntArray, issue_time: IntArray, window_track: IntArray, span_seconds: int
) -> tuple[IntArray, IntArray]:
    """Find the rows of each window: those of its track with time in (issue_time - span, issue_time].

    Args:
        row_time: UTC [s since 1970], shape (row,), ascending inside each track.
        row_track: Track of each row, ascending, shape (row,).
        issue_time: UTC [s since 1970], shape (window,).
        window_track: Track of each window, shape (window,).
        span_seconds: n_steps x cadence [s].

    Returns:
        `first_row` and `n_rows`, each of shape (window,).
    """
    start_of = np.searchsorted(row_track, window_track, side="left")
    stop_of = np.searchsorted(row_track, window_track, side="right")
    # One search over all tracks: shift each track by more than any span, so that times never meet.
    shift = int(row_time.max() - row_time.min()) + span_seconds + 2 if row_time.size else 1
    base = int(row_time.min()) if row_time.size else 0
    tracks, row_code = np.unique(row_track, return_inverse=True)
    window_code = np.searchsorted(tracks, window_track)
    keys = row_code * shift + (row_time - base)
    inside = np.clip(issue_time - base, -1, shift - 1) + window_code * shift
    before = np.clip(issue_time - base - span_seconds, -1, shift - 1) + window_code * shift
    first = np.clip(np.searchsorted(keys, before, side="right"), start_of, stop_of)
    last = np.clip(np.searchsorted(keys, inside, side="right"), start_of, stop_of)
    return first.astype(np.int64), (last - first).astype(np.int64)


def step_rows(windows: xr.Dataset, index: NDArray[np.integer] | slice | None = None) -> IntArray:
    """Row number behind every step of the chosen windows, -1 where a step is absent.

    step = n_steps - 1 - floor((issue_time - time) / cadence).

    Args:
        windows: A windows Dataset.
        index: Windows to take; all if None.

    Returns:
        Shape (n, n_steps).
    """
    chosen = slice(None) if index is None else index
    first = windows["first_row"].values[chosen].astype(np.int64)
    count = windows["n_rows"].values[chosen].astype(np.int64)
    issue = windows["issue_time"].values[chosen]
    n_steps, cadence = int(windows.attrs["n_steps"]), round(windows.attrs["cadence_minutes"] * 60)
    rows = np.full((first.size, n_steps), -1, dtype=np.int64)
    if first.size == 0 or count.max() == 0:
        return rows
    place = np.arange(count.max())
    window, nth = np.nonzero(place < count[:, None])
    row = first[window] + nth
    step = n_steps - 1 - (issue[window] - windows["time"].values[row]) // cadence
    rows[window, step] = row  # rows ascend in time, so of two in one step the later one stays
    return rows


def gather(
    windows: xr.Dataset,
    index: NDArray[np.integer] | slice | None = None,
    features: Sequence[str] | None = None,
) -> NDArray[np.float32]:
    """Values of the chosen windows as a dense array; absent = NaN.

    Args:
        windows: A windows Dataset.
        index: Windows to take; all if None.
        features: Names of the features to take, in this order; all if None.

    Returns:
        Shape (n, n_steps, n_features), in the features' own units.

    Raises:
        FlarecastError: A feature is not in the file.
    """
    values = np.asarray(windows["values"].values)
    if features is not None:
        values = values[:, feature_columns(windows, features)]
    rows = step_rows(windows, index)
    if values.shape[0] == 0:
        return np.full((*rows.shape, values.shape[1]), np.nan, dtype=np.float32)
    out: NDArray[np.float32] = values.take(rows.clip(0), axis=0)
    out[rows < 0] = np.nan
    return out


def feature_columns(windows: xr.Dataset, features: Sequence[str]) -> IntArray:
    """Column of each named feature.

    Raises:
        FlarecastError: Some are not in the file.
    """
    there = {str(name): column for column, name in enumerate(windows["feature"].values)}
    absent = [name for name in features if name not in there]
    if absent:
        raise FlarecastError(
            f"features: expected {', '.join(features)}, got a windows file without {', '.join(absent)}"
        )
    return np.array([there[name] for name in features], dtype=np.int64)

"""Windows as slices of rows: cut them, gather them.

Each observation is stored once, as a row of a track; a window is the rows of one track with time in
(issue_time - n_steps x cadence, issue_time].
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.errors import FlarecastError
from flarecast.schema import SAMPLINGS, WINDOWS, open_file

IntArray = NDArray[np.int64]


def open_windows(path: Path) -> xr.Dataset:
    """Read a windows file and make sure that it can be gathered from.

    Raises:
        FlarecastError: It is missing, no windows file, or contradicts itself; all problems are named.
    """
    windows = open_file(path, WINDOWS)
    problems = list(_odd_attributes(windows.attrs)) or list(_contradictions(windows))
    if problems:
        raise FlarecastError(
            f"{path}: expected a windows file that fits itself; {'; '.join(problems)}; ingest anew"
        )
    return windows


def _odd_attributes(attributes: Mapping[str, Any]) -> Iterator[str]:
    """Attributes that cannot be, in words."""
    for name in ("n_steps", "cadence_minutes", "horizon_hours", "lead_hours", "latency_minutes"):
        value, may_be_zero = attributes[name], name in ("lead_hours", "latency_minutes")
        number = float(value) if isinstance(value, Real) else math.nan
        if not (0 <= number < math.inf and (number or may_be_zero)) or (name == "n_steps" and number % 1):
            yield f"attribute {name} is {value!r}"
    if attributes["sampling"] not in SAMPLINGS:
        yield f"attribute sampling is {attributes['sampling']!r}, none of {', '.join(SAMPLINGS)}"


def _contradictions(windows: xr.Dataset) -> Iterator[str]:
    """Variables that contradict each other or the attributes, in words."""
    names = windows["feature"].values.tolist()
    if not names or len(set(names)) < len(names):
        yield f"{len(names)} features have {len(set(names))} names"
    if not np.isfinite(windows["feature_memory_hours"].values).all():
        yield "feature_memory_hours is not finite"
    step = np.diff(windows["time"].values)
    next_track = np.diff(windows["track"].values)
    if (next_track < 0).any() or (step[next_track == 0] < 0).any():
        yield "rows do not ascend by track and time"
    issue, valid_from = windows["issue_time"].values, windows["valid_from"].values
    peak, upper = windows["peak_flux"].values, windows["peak_flux_upper"].values
    lead, horizon = (round(windows.attrs[name] * 3600) for name in ("lead_hours", "horizon_hours"))
    for what, wrong in (
        ("first_row and n_rows are not rows of one track and the window's span", ~_sliced(windows)),
        ("valid_from is not issue_time + lead", valid_from - issue != lead),
        ("valid_to is not valid_from + horizon", windows["valid_to"].values - valid_from != horizon),
        ("peak_flux is not from 0 to peak_flux_upper", (peak < 0) | (peak > upper)),
    ):
        if wrong.any():
            yield f"{what} in {np.count_nonzero(wrong):,} windows"


def _sliced(windows: xr.Dataset) -> NDArray[np.bool_]:
    """Whether each window's slice is of rows that there are, of one track, in its span; shape (window,)."""
    first, count = windows["first_row"].values, windows["n_rows"].values.astype(np.int64)
    n_rows = windows.sizes["row"]
    fine: NDArray[np.bool_] = (first >= 0) & (count >= 0) & (first <= n_rows - count)
    filled = np.flatnonzero(fine & (count > 0))
    start, last = first[filled], first[filled] + count[filled] - 1
    time, track, issue = windows["time"].values, windows["track"].values, windows["issue_time"].values
    span = windows.attrs["n_steps"] * round(windows.attrs["cadence_minutes"] * 60)
    inside = (time[start] > issue[filled] - span) & (time[last] <= issue[filled])
    fine[filled] = inside & (track[start] == track[last])
    return fine


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
    present = place < count[:, None]
    if present.all():  # no index of windows is needed then, which is faster
        row = first[:, None] + place
        step = n_steps - 1 - (issue[:, None] - windows["time"].values[row]) // cadence
        np.put_along_axis(rows, step, row, axis=1)
        return rows
    window, nth = np.nonzero(present)
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

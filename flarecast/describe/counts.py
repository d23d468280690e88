"""Classes of windows and flares, counted by what they are grouped by."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast import cycles, goes

Table = list[dict[str, Any]]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CLASSES = ("quiet", "A", "B", "C", "M", "X", "uncertain", "unknown")
"""`quiet`: no flare known, and none of C1.0 or more possible. `uncertain`: the bounds span several classes.
`unknown`: nothing is known, the upper bound is infinite or absent."""

QUIET, UNCERTAIN, UNKNOWN = 0, 6, 7
_STARTS = np.array([goes.DECADES[letter] for letter in "ABCMX"]) * (1 - goes.TOLERANCE)
_C = 3


def class_numbers(peak_flux: FloatArray, peak_flux_upper: FloatArray) -> IntArray:
    """Class of each window or flare, as an index into `CLASSES`.

    Args:
        peak_flux: Smallest that the largest peak can be [W m-2], shape (window,).
        peak_flux_upper: Largest that it can be [W m-2]; inf or NaN = not known, shape (window,).

    Returns:
        Shape (window,).
    """
    low = np.searchsorted(_STARTS, np.nan_to_num(peak_flux), side="right")
    high = np.searchsorted(_STARTS, np.where(np.isnan(peak_flux_upper), np.inf, peak_flux_upper), "right")
    number = np.where(low == high, low, UNCERTAIN)
    number[(low == QUIET) & (high < _C)] = QUIET
    number[(low == QUIET) & ~np.isfinite(peak_flux_upper)] = UNKNOWN
    return number.astype(np.int64)


def count_by(name: str, keys: NDArray[Any], numbers: IntArray, of: str = "windows") -> Table:
    """Rows of class counts, one for each distinct key, ascending.

    Args:
        name: What the keys are, the first column.
        keys: Key of each window or flare, shape (window,).
        numbers: Index into `CLASSES`, shape (window,).
        of: Name of the column of totals.
    """
    distinct, place = np.unique(keys, return_inverse=True)
    table = np.zeros((distinct.size, len(CLASSES)), dtype=np.int64)
    np.add.at(table, (place, numbers), 1)
    return [
        {name: key, of: int(row.sum()), **dict(zip(CLASSES, row.tolist(), strict=True))}
        for key, row in zip(distinct.tolist(), table, strict=True)
    ]


def years(time: IntArray) -> IntArray:
    """Calendar year of UTC times [s since 1970], shape (window,)."""
    return time.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970


def count_over_time(time: IntArray, numbers: IntArray, of: str = "windows") -> dict[str, Table]:
    """Class counts by year, solar cycle and phase of the cycle of UTC times [s since 1970]."""
    by: dict[str, NDArray[Any]] = {
        "year": years(time),
        "cycle": cycles.cycle_of(time),
        "phase": np.array(cycles.PHASES)[cycles.phase_of(time)],
    }
    tables = {f"classes by {name}": count_by(name, keys, numbers, of) for name, keys in by.items()}
    tables["classes by phase"].sort(key=lambda row: cycles.PHASES.index(row["phase"]))
    return tables


def span_text(time: IntArray) -> dict[str, str]:
    """First and last of some UTC times [s since 1970] as text; nothing where there are none."""
    return {"first": cycles.iso(time.min()), "last": cycles.iso(time.max())} if time.size else {}


def longest_gaps(time: IntArray, least_seconds: float, most: int = 10) -> Table:
    """Longest spans without any of some UTC times, longest first.

    Args:
        time: UTC [s since 1970], any order.
        least_seconds: Spans up to this are none.
        most: Rows to give.
    """
    moments = np.unique(time)
    length = np.diff(moments)
    order = np.argsort(-length, kind="stable")[:most]
    return [
        {
            "from": cycles.iso(moments[place]),
            "to": cycles.iso(moments[place + 1]),
            "days": round(float(length[place]) / cycles.DAY, 2),
        }
        for place in order
        if length[place] > least_seconds
    ]

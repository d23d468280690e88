"""SHARP records by rule and on a grid: which count, the rows of each HARP's track, and its windows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flarecast.ingest.sharps.records import UNKNOWN_QUALITY, Records
from flarecast.ingest.sharps.slots import to_utc
from flarecast.windows import cut

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Rules:
    """Which records count.

    Attributes:
        quality_mask: Bits of QUALITY of which none may be set.
        velocity_limit: Largest |OBS_VR| [m/s].
        longitude_limit: Largest |longitude| [deg].
    """

    quality_mask: int
    velocity_limit: float
    longitude_limit: float

    def told(self) -> str:
        """The rules as text."""
        return (
            f"QUALITY & {self.quality_mask:#010x} = 0; |OBS_VR| <= {self.velocity_limit:g} m/s;"
            f" |longitude| <= {self.longitude_limit:g} degrees"
        )


@dataclass(frozen=True)
class Grid:
    """Steps of a window, and when windows are issued; all but the first and last in seconds."""

    n_steps: int
    cadence: int
    stride: int
    lead: int
    horizon: int
    latency: int
    least_known: float


@dataclass(frozen=True)
class Rows:
    """Rows of all tracks, those of a track together, a cadence apart and without a gap.

    Attributes:
        time: UTC when the row is known [s since 1970], shape (row,).
        track: Ascending from 0, shape (row,).
        harp: HARP number, shape (row,).
        values: Features, NaN = missing, shape (row, feature).
        longitude: Stonyhurst [deg], NaN = not told, shape (row,).
        known: Whether a record that counts lies in the step, shape (row,).
    """

    time: IntArray
    track: IntArray
    harp: IntArray
    values: FloatArray
    longitude: FloatArray
    known: BoolArray


@dataclass(frozen=True)
class Issues:
    """Windows by track and issue time, each of shape (window,); and how many were not made, by reason."""

    issue_time: IntArray
    first_row: IntArray
    n_rows: IntArray
    n_sparse: int
    n_at_limb: int


def by_rule(records: Records, rules: Rules) -> tuple[BoolArray, dict[str, int]]:
    """Records that count, shape (record,); and how many do not, or could not be looked at, by rule.

    What is not told breaks no rule.
    """
    told = records.quality != UNKNOWN_QUALITY
    bad = told & ((records.quality & rules.quality_mask) != 0)
    fast = np.abs(records.velocity) > rules.velocity_limit
    beyond = np.abs(records.longitude) > rules.longitude_limit
    counts = {
        "n_bad_quality": int(bad.sum()),
        "n_too_fast": int((fast & ~bad).sum()),
        "n_beyond_longitude_limit": int((beyond & ~bad & ~fast).sum()),
        "n_quality_not_told": int((~told).sum()),
        "n_velocity_not_told": int(np.isnan(records.velocity).sum()),
        "n_longitude_not_told": int(np.isnan(records.longitude).sum()),
    }
    return ~(bad | fast | beyond), counts


def lay_rows(records: Records, good: BoolArray, grid: Grid) -> Rows:
    """Put records on the grid of their track: a step holds the last record that counts in (t - cadence, t].

    Steps are counted in TAI, so that tracks of all HARPs share one phase; a track's UTC is TAI less the leap
    seconds at its start. A gap longer than a window begins a new track.

    Args:
        records: By HARP and time.
        good: Records that count, shape (record,).
        grid: The steps.
    """
    step = -(-records.tai // grid.cadence)
    begins = np.ones(step.size, dtype=bool)
    begins[1:] = (np.diff(records.harp) != 0) | (np.diff(step) > grid.n_steps)
    edges = np.flatnonzero(begins)
    track = np.cumsum(begins) - 1
    last = np.r_[edges[1:], step.size].astype(np.int64)[: edges.size] - 1
    length = step[last] - step[edges] + 1
    start = np.cumsum(length) - length
    row_track = np.repeat(np.arange(length.size), length)
    nth = np.arange(row_track.size) - start[row_track]

    place = start[track] + step - step[edges][track]
    values = np.full((row_track.size, records.values.shape[1]), np.nan)
    known = np.zeros(row_track.size, dtype=bool)
    longitude = np.full(row_track.size, np.nan)
    values[place[good]] = records.values[good]  # records ascend, so of several in a step the last stays
    known[place[good]] = True
    longitude[place] = records.longitude
    first = step[edges] * grid.cadence
    time = to_utc(first)[row_track] + nth * grid.cadence + grid.latency
    return Rows(time, row_track, records.harp[edges][row_track], values, longitude, known)


def issue(rows: Rows, grid: Grid, longitude_limit: float) -> Issues:
    """Windows of all tracks at whole strides of UTC, from the first row on while the last is no cadence old.

    A window with too few known steps is not made, nor one whose region is last seen beyond the limit.
    """
    edges = np.flatnonzero(np.r_[True, np.diff(rows.track) != 0][: rows.track.size])
    last = np.r_[edges[1:], rows.track.size].astype(np.int64)[: edges.size] - 1
    first_issue = -(-rows.time[edges] // grid.stride)
    count = np.maximum(-(-(rows.time[last] + grid.cadence) // grid.stride) - first_issue, 0)
    track = np.repeat(np.arange(edges.size), count)
    nth = np.arange(track.size) - np.repeat(np.cumsum(count) - count, count)
    issue_time = (first_issue[track] + nth) * grid.stride
    first_row, n_rows = cut(rows.time, rows.track, issue_time, track, grid.n_steps * grid.cadence)

    n_known = np.r_[0, np.cumsum(rows.known)]
    share = (n_known[first_row + n_rows] - n_known[first_row]) / grid.n_steps
    sparse = (n_rows == 0) | (share == 0) | (share < grid.least_known)
    newest = np.minimum(first_row + np.maximum(n_rows, 1) - 1, max(rows.time.size - 1, 0))
    with np.errstate(invalid="ignore"):
        at_limb = np.abs(_last_told(rows)[newest]) > longitude_limit if newest.size else sparse
    made = ~sparse & ~at_limb
    return Issues(
        issue_time[made],
        first_row[made],
        n_rows[made],
        n_sparse=int((sparse & ~at_limb).sum()),
        n_at_limb=int(at_limb.sum()),
    )


def _last_told(rows: Rows) -> FloatArray:
    """Longitude of each row, or of the last row before it in its track that has one, shape (row,)."""
    number = np.arange(rows.time.size)
    begins = np.r_[True, np.diff(rows.track) != 0][: number.size]
    told = np.maximum.accumulate(np.where(begins | ~np.isnan(rows.longitude), number, 0))
    carried: FloatArray = rows.longitude[told]
    return carried

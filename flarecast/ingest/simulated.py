"""`ingest simulated`: a Sun whose truth is known, cut into windows like real data.

`docs/simulated.md` has its formulas.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import goes, schema
from flarecast.cycles import CYCLES, iso, seconds
from flarecast.errors import FlarecastError
from flarecast.ingest.largest import largest, largest_anywhere
from flarecast.ingest.sun import emergence, flares, parameters, rows, states, truth
from flarecast.windows import cut

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
HOUR = emergence.HOUR


@dataclass(frozen=True)
class Plan:
    """How windows are cut: hours between issues, steps, minutes between rows, lead and horizon in hours."""

    stride_hours: int
    n_steps: int
    cadence_minutes: int
    lead_hours: int
    horizon_hours: int


def ingest_simulated(  # noqa: PLR0913 - the options of a source are its keyword arguments
    raw: Path | None,  # noqa: ARG001 - every source takes it; this one reads nothing
    rng: np.random.Generator,
    *,
    n_regions: int = 6400,
    first_date: str = "1996-08",
    last_date: str = "2025-01",
    stride_hours: int = 12,
    n_steps: int = 60,
    cadence_minutes: int = 12,
    lead_hours: int = 0,
    horizon_hours: int = 24,
    unassigned_share: float = 0.1,
    list_floor: str = "B1.0",
) -> xr.Dataset:
    """Simulate active regions, what they show and how they flare, with the two truths of each window.

    Args:
        raw: Not read.
        rng: Source of chance; the same generator gives the same bytes.
        n_regions: Regions that come into view between the dates.
        first_date: Begin of the dates, 1996-08 or later.
        last_date: End of the dates, exclusive, 2030-12 or earlier.
        stride_hours: Hours between issue times, which lie on a grid that contains 00 UTC of 1970-01-01.
        n_steps: Rows of a complete window.
        cadence_minutes: Minutes between rows, a divisor of 60.
        lead_hours: Hours from issue to the begin of the valid span.
        horizon_hours: Length of the valid span [h].
        unassigned_share: Share of flares whose region the list does not name.
        list_floor: Smallest class of the flare list, B1.0 to C1.0.

    Returns:
        Windows (`schema.WINDOWS`). `peak_flux_upper` of a window without flare is the class below the
        detection limit, which rises with the cycle; else it equals `peak_flux`.

    Raises:
        FlarecastError: An option cannot be.
    """
    plan = Plan(stride_hours, n_steps, cadence_minutes, lead_hours, horizon_hours)
    floor = goes.parse_class(list_floor)
    first, last = seconds(first_date), seconds(last_date)
    _check(plan, n_regions, unassigned_share, floor, (first, last))
    regions = emergence.emerge(n_regions, first, last, rng)
    lives = states.live(regions, rng)
    region, issue_time = _issues(regions, lives, plan, last)
    if region.size == 0:
        raise FlarecastError(
            f"simulated Sun: expected windows, got none from {n_regions} regions; ask for more"
        )
    seen = rows.observe(regions, lives, *_used_rows(regions, region, issue_time, plan), rng)
    sparks = flares.ignite(regions, lives, unassigned_share, floor, rng)

    valid_from = issue_time + lead_hours * HOUR
    valid = valid_from, valid_from + horizon_hours * HOUR
    arrays = _row_arrays(seen) | _window_arrays(seen, region, issue_time, plan)
    arrays |= _outcomes(region, valid, sparks, floor)
    arrays |= _truths((regions, lives, seen), region, issue_time, plan, unassigned_share)
    return schema.build(schema.WINDOWS, arrays, _attributes(plan, n_regions, (first_date, last_date)))


def _check(plan: Plan, n_regions: int, unassigned_share: float, floor: float, dates: tuple[int, int]) -> None:
    """Raise one FlarecastError that names every option that cannot be."""
    limits = seconds(CYCLES[23][0]), seconds(emergence.END_OF_CYCLE_25)
    problems = [
        f"{name}: expected {expected}, got {value}"
        for name, expected, value, fine in (
            ("n_regions", "1 or more", n_regions, n_regions >= 1),
            ("stride_hours", "1 or more", plan.stride_hours, plan.stride_hours >= 1),
            ("n_steps", "1 or more", plan.n_steps, plan.n_steps >= 1),
            (
                "cadence_minutes",
                "a divisor of 60",
                plan.cadence_minutes,
                plan.cadence_minutes >= 1 and 60 % plan.cadence_minutes == 0,
            ),
            ("lead_hours", "0 or more", plan.lead_hours, plan.lead_hours >= 0),
            ("horizon_hours", "1 or more", plan.horizon_hours, plan.horizon_hours >= 1),
            ("unassigned_share", "0 to below 1", unassigned_share, 0 <= unassigned_share < 1),
            ("list_floor", "B1.0 to C1.0", goes.format_class(floor), 1e-7 <= floor * 1.000001 <= 1.00001e-6),
            (
                "first_date, last_date",
                f"{CYCLES[23][0]} or later, {emergence.END_OF_CYCLE_25} or earlier, in this order",
                " and ".join(iso(date) for date in dates),
                limits[0] <= dates[0] < dates[1] <= limits[1],
            ),
        )
        if not fine
    ]
    if problems:
        raise FlarecastError("simulated Sun: " + "; ".join(problems))


def _issues(
    regions: emergence.Regions, lives: states.Lives, plan: Plan, last: int
) -> tuple[IntArray, IntArray]:
    """Region and issue time [s since 1970] of every window: on the disk, with half of its steps in view."""
    stride, half = plan.stride_hours * HOUR, -(-plan.n_steps // 2) * plan.cadence_minutes * 60
    begin = -(-(regions.start * HOUR + half) // stride)
    on_disk = np.minimum(lives.n_alive, regions.n_visible - 1)
    end = np.minimum((regions.start + on_disk) * HOUR, last - 1) // stride
    count = np.maximum(end - begin + 1, 0)
    region = np.repeat(np.arange(count.size), count)
    nth = np.arange(region.size) - np.repeat(np.cumsum(count) - count, count)
    return region, (begin[region] + nth) * stride


def _used_rows(
    regions: emergence.Regions, region: IntArray, issue_time: IntArray, plan: Plan
) -> tuple[IntArray, IntArray]:
    """Region and time [s since 1970] of the rows that some window uses."""
    cadence = plan.cadence_minutes * 60
    last_issue = np.zeros_like(regions.start)
    np.maximum.at(last_issue, region, issue_time)
    count = np.maximum(last_issue - regions.start * HOUR, 0) // cadence
    row_region = np.repeat(np.arange(count.size), count)
    nth = np.arange(1, row_region.size + 1) - np.repeat(np.cumsum(count) - count, count)
    time = regions.start[row_region] * HOUR + nth * cadence
    first_row, n_rows = cut(time, row_region, issue_time, region, plan.n_steps * cadence)
    edges = np.zeros(time.size + 1, dtype=np.int64)
    np.add.at(edges, first_row, 1)
    np.add.at(edges, first_row + n_rows, -1)
    used = np.cumsum(edges[:-1]) > 0
    return row_region[used], time[used]


def _row_arrays(seen: rows.Rows) -> dict[str, NDArray[np.generic]]:
    """The arrays of the rows and their features."""
    units = [parameter.unit for parameter in parameters.PARAMETERS.values()]
    return {
        "values": seen.values,
        "feature": np.array(parameters.FEATURES),
        "feature_unit": np.array(units),
        "feature_memory_hours": np.zeros(len(units)),
        "time": seen.time,
        "track": seen.region + 1,
        "longitude": seen.longitude,
    }


def _window_arrays(
    seen: rows.Rows, region: IntArray, issue_time: IntArray, plan: Plan
) -> dict[str, NDArray[np.generic]]:
    """The arrays of the windows but for what happened in them."""
    span = plan.n_steps * plan.cadence_minutes * 60
    first_row, n_rows = cut(seen.time, seen.region, issue_time, region, span)
    valid_from = issue_time + plan.lead_hours * HOUR
    return {
        "first_row": first_row,
        "n_rows": n_rows,
        "issue_time": issue_time,
        "valid_from": valid_from,
        "valid_to": valid_from + plan.horizon_hours * HOUR,
        "region": np.array([f"SIM {number}" for number in (region + 1).tolist()], dtype=object),
        "noaa_regions": np.full(region.size, "", dtype=object),
        "flux_scale": np.full(region.size, goes.FLUX_SCALES.index("true")),
        "partition": np.zeros(region.size),
    }


def _outcomes(
    region: IntArray, valid: tuple[IntArray, IntArray], sparks: flares.Flares, floor: float
) -> dict[str, NDArray[np.generic]]:
    """What happened in the valid span of each window, of its region and of none."""
    valid_from, horizon = valid[0], int((valid[1] - valid[0]).max(initial=0))
    named, nameless = np.flatnonzero(sparks.assigned), np.flatnonzero(~sparks.assigned)
    listed = sparks.region[named], sparks.peak[named], sparks.flux[named]
    which = largest(region, valid_from, horizon, listed)
    happened = which >= 0
    flare = named[which[happened]]

    limits = np.maximum(*(flares.detection_limit(time, floor) for time in valid))
    levels, level = np.unique(limits, return_inverse=True)
    peak_flux, upper = np.zeros(region.size), np.array([goes.below(limit) for limit in levels])[level]
    start, peak = np.full((2, region.size), schema.NO_TIME)
    flare_id = np.full(region.size, "", dtype=object)
    peak_flux[happened] = upper[happened] = sparks.flux[flare]
    start[happened], peak[happened] = sparks.start[flare], sparks.peak[flare]
    flare_id[happened] = [f"SIM-F{number}" for number in (flare + 1).tolist()]

    return {
        "peak_flux": peak_flux,
        "peak_flux_upper": upper,
        "flare_start": start,
        "flare_peak": peak,
        "flare_id": flare_id,
        "unassigned_peak_flux": largest_anywhere(
            valid_from, horizon, sparks.peak[nameless], sparks.flux[nameless]
        ),
    }


def _truths(
    sun: tuple[emergence.Regions, states.Lives, rows.Rows],
    region: IntArray,
    issue_time: IntArray,
    plan: Plan,
    unassigned_share: float,
) -> dict[str, FloatArray]:
    """Probability of each event given the state of the region, and given what its rows show."""
    regions, lives, seen = sun
    ages = (issue_time // HOUR) - regions.start[region]
    issues = truth.Issues(region, ages, regions.n_visible[region] - ages)
    tables = np.stack(
        [
            truth.outcome_table(goes.DECADES[letter], plan.lead_hours, plan.horizon_hours, unassigned_share)
            for letter in "CMX"
        ]
    )
    known = {
        "truth": truth.given_state(tables, lives, issues, plan.lead_hours),
        "truth_observed": truth.given_rows(tables, regions, seen, issues, plan.lead_hours),
    }
    return {f"{name}_{letter}": p[i] for name, p in known.items() for i, letter in enumerate("CMX")}


def _attributes(plan: Plan, n_regions: int, dates: tuple[str, str]) -> dict[str, object]:
    """The attributes of the windows file."""
    return {
        "n_steps": plan.n_steps,
        "cadence_minutes": plan.cadence_minutes,
        "lead_hours": plan.lead_hours,
        "horizon_hours": plan.horizon_hours,
        "latency_minutes": 0,
        "source": "simulated",
        "sampling": "natural",
        "source_files": "",
        "context_features": "",
        "history": f"simulated {n_regions} regions from {dates[0]} to {dates[1]}, "
        f"windows every {plan.stride_hours} h",
    }

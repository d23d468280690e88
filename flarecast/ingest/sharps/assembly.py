"""Windows of SHARP records: rows, outcomes and attributes put together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from flarecast import files, goes, schema
from flarecast.errors import FlarecastError
from flarecast.flares import scales
from flarecast.flares.clock import DAY
from flarecast.flares.reading import Conversion
from flarecast.ingest import disk_context, dsd, region_history
from flarecast.ingest.region_flares import Flares
from flarecast.ingest.region_history import Feature
from flarecast.ingest.region_outcomes import quiet_bound
from flarecast.ingest.region_rows import MEMORY_DAYS, Tracks
from flarecast.ingest.sharps import labels, rows
from flarecast.ingest.sharps.keywords import UNITS
from flarecast.ingest.sharps.request import Collected, Request


@dataclass(frozen=True)
class Labelling:
    """How windows are named and labelled, and what joins them."""

    prefix: str
    flare_lists: tuple[str, ...]
    floor: float
    convert_to: Conversion
    noaa_context: bool
    max_bad_rows: int


def assemble(
    raw: Path, request: Request, found: Collected, rules: rows.Rules, grid: rows.Grid, labelling: Labelling
) -> xr.Dataset:
    """Windows of records.

    Args:
        raw: Folder of flares and daily solar data, or a recorded table.
        request: What was asked for.
        found: The records.
        rules: Which of them count.
        grid: Steps and windows.
        labelling: Outcomes and context.

    Raises:
        FlarecastError: Too many broken lines, a damaged file of flares or daily data, or no window.
    """
    _check_tally(found, labelling.max_bad_rows)
    names = _features_told(request, found)
    good, counts = rows.by_rule(found.records, rules)
    laid = rows.lay_rows(found.records, good, grid)
    issues = rows.issue(laid, grid, rules.longitude_limit)
    if not issues.issue_time.size:
        broken = "; ".join(f"{name} {n:,}" for name, n in counts.items() if n)
        raise FlarecastError(
            f"{raw}: expected a window of {grid.n_steps} steps at a whole stride of {grid.stride / 60:g}"
            f" minutes, got none from {good.size:,} records, {int(good.sum()):,} of them within the rules"
            f"{f' ({broken})' if broken else ''}: {issues.n_sparse:,} would have too few steps,"
            f" {issues.n_at_limb:,} lie beyond longitude_limit; widen the span or the rules, or lower n_steps"
            " or stride_minutes"
        )
    owners = labels.find_owners(found.records, _flux(request, found), found.noaa_of)
    record = labels.find_flares(raw, labelling.flare_lists, labelling.convert_to, labelling.max_bad_rows)
    own = {n: (laid.values[:, p], UNITS[n], 0.0) for p, n in enumerate(request.features) if n in names}
    disk: dict[str, Feature] = {}
    context_files = dsd.find_files(raw) if labelling.noaa_context and raw.is_dir() else []
    disk |= disk_context.daily_features(context_files, laid.time, labelling.max_bad_rows)
    if labelling.noaa_context and record.flares is not None:
        disk |= disk_context.flare_features(record.flares, laid.time)
        own |= _flare_history(laid, labels.of_harps(record.flares, owners, own=True))
    windows, n_doubtful = _windows(laid, issues, grid, owners, record, labelling)
    attributes = _attributes(request, grid, found, record) | counts
    attributes |= {
        "source_files": [_hashed(path, raw) for path in (*found.paths, *record.paths, *context_files)],
        "context_features": list(disk),
        "n_windows_too_sparse": issues.n_sparse,
        "n_windows_beyond_longitude_limit": issues.n_at_limb,
        "n_harps_without_noaa": int(np.setdiff1d(laid.harp, owners.harp).size),
        "n_noaa_of_several_harps": _shared(owners),
        "n_doubtful": n_doubtful,
        "n_unknown": int((~np.isfinite(windows["peak_flux_upper"])).sum()),
        "rules": rules.told(),
    }
    return schema.build(schema.WINDOWS, _row_arrays(laid, own | disk) | windows, attributes)


def _features_told(request: Request, found: Collected) -> set[str]:
    """Features that any record tells.

    Raises:
        FlarecastError: One that was named is not among them.
    """
    n_told = np.count_nonzero(~np.isnan(found.records.values), axis=0)
    names = {name for place, name in enumerate(request.features) if n_told[place]}
    absent = [name for name in request.features if name not in names]
    if absent and request.strict:
        raise FlarecastError(
            f"features: expected values of {', '.join(absent)} in {request.series.name}, got none in any of"
            f" {found.records.harp.size:,} records; leave them out"
        )
    return names


def _flux(request: Request, found: Collected) -> rows.FloatArray:
    """Unsigned flux of each record, NaN = not told, shape (record,)."""
    if "USFLUX" not in request.features:
        return np.full(found.records.harp.size, np.nan)
    flux: rows.FloatArray = found.records.values[:, request.features.index("USFLUX")]
    return flux


def _flare_history(laid: rows.Rows, flares: Flares) -> dict[str, Feature]:
    """Features of the flares of each row's HARP."""
    edges = np.flatnonzero(np.r_[True, np.diff(laid.track) != 0])
    age = np.minimum((laid.time - laid.time[edges][laid.track]) // DAY, MEMORY_DAYS).astype(np.float64)
    tracks = Tracks(laid.time, laid.track, laid.harp, laid.known, age, {})
    return region_history.region_features(tracks, flares)


def _row_arrays(laid: rows.Rows, features: dict[str, Feature]) -> dict[str, Any]:
    """Variables of the rows and features."""
    return {
        "values": np.stack([values.astype(np.float32) for values, _, _ in features.values()], axis=1),
        "feature": list(features),
        "feature_unit": [unit for _, unit, _ in features.values()],
        "feature_memory_hours": [memory for _, _, memory in features.values()],
        "time": laid.time,
        "track": laid.track,
        "longitude": laid.longitude,
    }


def _windows(
    laid: rows.Rows,
    issues: rows.Issues,
    grid: rows.Grid,
    owners: labels.Owners,
    record: labels.FlareRecord,
    labelling: Labelling,
) -> tuple[dict[str, Any], int]:
    """Variables of the windows; and for how many a flare may or may not be theirs."""
    harp = laid.harp[issues.first_row]
    valid_from = issues.issue_time + grid.lead
    quiet = quiet_bound(valid_from, labelling.floor, labelling.convert_to)
    outcome, n_doubtful = labels.label(harp, valid_from, grid.horizon, owners, record, quiet)
    scale = (
        scales.scale_of(np.zeros_like(valid_from), valid_from)
        if labelling.convert_to == "none"
        else np.full(harp.size, goes.FLUX_SCALES.index(labelling.convert_to))
    )
    numbers = {int(one): ",".join(f"{n:05d}" for n in owners.numbers_of(int(one))) for one in np.unique(harp)}
    arrays = {
        "first_row": issues.first_row,
        "n_rows": issues.n_rows,
        "issue_time": issues.issue_time,
        "valid_from": valid_from,
        "valid_to": valid_from + grid.horizon,
        "region": [f"{labelling.prefix} {one}" for one in harp.tolist()],
        "noaa_regions": [numbers[one] for one in harp.tolist()],
        "flux_scale": scale,
        "partition": np.zeros(harp.size),
    }
    return arrays | outcome, n_doubtful


def _attributes(
    request: Request, grid: rows.Grid, found: Collected, record: labels.FlareRecord
) -> dict[str, Any]:
    """Attributes that say what was asked for, and what became of it."""
    tally = found.tally
    return {
        "n_steps": grid.n_steps,
        "cadence_minutes": grid.cadence / 60,
        "lead_hours": grid.lead / 3600,
        "horizon_hours": grid.horizon / 3600,
        "latency_minutes": grid.latency / 60,
        "source": "sharp",
        "sampling": "natural",
        "history": f"ingest sharp: {found.records.harp.size} records of {request.series.name};"
        f" flares from {record.told}",
        "series": request.series.name,
        "flare_source": record.told,
        "n_value_lines": tally.n_lines,
        "n_rows_read": tally.n_read,
        "n_skipped": sum(tally.skipped.values()) + record.n_skipped,
        "skipped": "; ".join(filter(None, [tally.reasons(), record.skipped])),
        "first_skipped": tally.first,
        "n_repeated_rows": tally.n_repeated,
        "n_conflicting_rows": tally.n_conflicting,
        "n_odd_cells": tally.n_odd_cells,
        "n_odd_noaa_numbers": tally.n_odd_noaa,
        "n_answers_new": found.talk.n_asked,
        "n_answers_kept": found.talk.n_kept,
        "n_answers_outdated": found.talk.n_outdated,
        "harps_without_records": ", ".join(found.talk.empty),
    }


def _check_tally(found: Collected, max_bad_rows: int) -> None:
    """Refuse tables of which too many lines are skipped."""
    n_bad = found.tally.n_bad
    if n_bad > max_bad_rows:
        raise FlarecastError(
            f"{found.tally.first[0]}; {n_bad} of {found.tally.n_lines} lines are bad"
            f" ({found.tally.reasons()}), more than max_bad_rows = {max_bad_rows}: get the tables again or"
            " raise max_bad_rows"
        )


def _shared(owners: labels.Owners) -> int:
    """NOAA numbers that several HARPs list."""
    return int((np.unique(owners.noaa, return_counts=True)[1] > 1).sum())


def _hashed(path: Path, raw: Path) -> str:
    """Hash and name of a file read."""
    shown = path.relative_to(raw).as_posix() if path != raw and path.is_relative_to(raw) else path.name
    return f"{files.sha256(path)} {shown}"

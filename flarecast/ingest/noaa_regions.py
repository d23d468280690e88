"""NOAA's region summaries and event reports as windows of active regions.

A track is a NOAA region, a row a day, stamped when its locations are valid (`07/2400Z` is the 8th, 00:00).
There is one window for each region and day in section I, the region having spots; sections IA and II only say
where the region is and that it exists. The flares of the span forecast come from the event reports, or from
flare lists; where a day of them is missing, what it could have held is unknown.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import files, goes, schema, windows
from flarecast.errors import FlarecastError
from flarecast.flares import archives, event_reports, scales
from flarecast.flares.clock import DAY
from flarecast.ingest import region_history, region_json, region_rows, srs
from flarecast.ingest.region_flares import (
    Flares,
    listed_flares,
    no_flares,
    reported_flares,
    unassigned_by_year,
)
from flarecast.ingest.region_outcomes import outcomes, quiet_bound

HOUR = 3600
MOST_DAYS = 366
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Options:
    """What `ingest_noaa_regions` was asked for."""

    history_days: int
    lead_hours: float
    horizon_hours: float
    floor: float
    convert_to: Literal["none", "operational", "true"]
    max_bad_rows: int


def ingest_noaa_regions(  # noqa: PLR0913  (the options of a source are its keyword arguments)
    raw: Path | None,
    rng: np.random.Generator,  # noqa: ARG001  (every source has this signature; this one draws nothing)
    *,
    history_days: int = 4,
    lead_hours: float = 0.0,
    horizon_hours: float = 24.0,
    floor: str = "C1.0",
    convert_to: Literal["none", "operational", "true"] = "none",
    flare_lists: tuple[str, ...] = (),
    max_bad_rows: int = 100,
) -> xr.Dataset:
    """Windows of NOAA's region summaries, issued at the 00 UTC at which they are valid.

    Args:
        raw: Folder searched for `YYYYMMDDSRS.txt`, `YYYYMMDDevents.txt` and their `.tar.gz` archives, and
            for `solar_regions*.json`, which tells of the days that these do not.
        rng: Not used.
        history_days: Days in a window.
        lead_hours: From issue time to the start of the valid span.
        horizon_hours: Length of the valid span.
        floor: Class from which on the list of flares is complete, on its own scale: a region without a listed
            flare had at most the class below.
        convert_to: Scale to bring all classes to; `none` leaves them as reported.
        flare_lists: Flare lists to use instead of the event reports (see `flares`), names from RAW on; they
            count as complete from the day of their first flare to that of their last.
        max_bad_rows: Lines that may be skipped.

    Returns:
        A windows Dataset; attributes count reports, skipped lines and, by year, flares without a region.

    Raises:
        FlarecastError: Options that make no sense, no or damaged files, too many bad lines, no region.
    """
    options = _checked(
        Options(history_days, lead_hours, horizon_hours, goes.parse_class(floor), convert_to, max_bad_rows)
    )
    folder, tally = _folder(raw), srs.SrsTally()
    of_files = region_json.read_served_regions(folder, convert_to)
    summary_files = archives.find(folder, srs.SUFFIXES)
    summaries = region_json.join_summaries(
        _summaries(folder, summary_files, tally, max_bad_rows) if summary_files or not of_files.paths else [],
        of_files,
    )
    told, flare_files, counted = _told_flares(folder, flare_lists, options, bool(of_files.paths))
    flares, served_days = region_json.join_flares(told, of_files)
    region_json.require_whole_days(lead_hours, horizon_hours, served_days)
    tracks = region_rows.lay_tracks(summaries)
    if not tracks.spotted.any():
        raise FlarecastError(f"{folder}: expected regions with spots in the summaries, got none")
    context = region_rows.disk_spots(tracks, summaries) | region_history.disk_features(tracks, flares)
    own = region_rows.spot_features(tracks) | region_history.region_features(tracks, flares)
    outcome = region_json.blur(_window_arrays(tracks, flares, options), flares, served_days)
    arrays = _row_arrays(tracks, own | context) | outcome
    sources = ["flare lists" if flare_lists else "event reports"] if flare_files else []
    source = " and ".join([*sources, *(["counts of regions"] if served_days.size else [])])
    attributes = {
        "source_files": _source_files(folder, [*summary_files, *flare_files, *of_files.paths]),
        "context_features": list(context),
        "history": f"ingest noaa-regions: {len(summaries)} region summaries; flares from {source}",
        "flare_source": f"{source}, classes {'as listed' if convert_to == 'none' else convert_to}",
        "n_rows_read": sum(len(summary.regions) for summary in summaries),
        "n_flares": flares.time.size,
        "n_unknown": int((~np.isfinite(arrays["peak_flux_upper"])).sum()),
        "unassigned_by_year": unassigned_by_year(told or no_flares()),
    }
    attributes |= _settings(options) | _counted(tally, counted) | _served(of_files, served_days)
    return schema.build(schema.WINDOWS, arrays, attributes)


def _settings(options: Options) -> dict[str, Any]:
    """Attributes that say what was asked for."""
    return {
        "n_steps": options.history_days,
        "cadence_minutes": 1440.0,
        "lead_hours": float(options.lead_hours),
        "horizon_hours": float(options.horizon_hours),
        "latency_minutes": 0.0,
        "source": "noaa-regions",
        "sampling": "natural",
    }


def _told_flares(
    folder: Path, flare_lists: tuple[str, ...], options: Options, others: bool
) -> tuple[Flares | None, list[Path], dict[str, Any]]:
    """Flares of lists or reports, their files, counts; none where there are other files and no reports."""
    if flare_lists:
        paths = [folder / name for name in flare_lists]
        flares, counted = listed_flares(paths, options.convert_to, options.max_bad_rows)
        return flares, paths, counted
    paths = archives.find(folder, event_reports.SUFFIXES)
    if others and not paths:
        return None, [], {"n_skipped": 0, "skipped": ""}
    flares, counted = reported_flares(folder, paths, options.convert_to, options.max_bad_rows)
    return flares, paths, counted


def _served(of_files: region_json.ServedRegions, served_days: IntArray) -> dict[str, Any]:
    """Attributes that say what JSON files told; none where there were none."""
    if not of_files.paths:
        return {}
    return {
        "n_served_records": of_files.tally.n_records,
        "n_served_days": len(of_files.summaries),
        "n_days_of_counts": served_days.size,
        "served_skipped": of_files.tally.reasons(),
    }


def _counted(tally: srs.SrsTally, flares: dict[str, Any]) -> dict[str, Any]:
    """Attributes that say what became of the lines of summaries and of flares."""
    skipped = ", ".join(f"{name} {count}" for name, count in sorted(tally.skipped.items()) if count)
    return {
        "n_value_lines": tally.n_lines,
        "n_incomplete": tally.n_incomplete,
        "n_skipped": sum(tally.skipped.values()) + int(flares["n_skipped"]),
        "skipped": "; ".join(filter(None, [skipped, str(flares["skipped"])])),
    }


def _checked(options: Options) -> Options:
    """The options; all that make no sense are named."""
    problems = []
    if not 1 <= options.history_days <= MOST_DAYS:
        problems.append(f"history_days: expected 1 to {MOST_DAYS}, got {options.history_days}")
    if not 0 <= options.lead_hours <= MOST_DAYS * 24:
        problems.append(f"lead_hours: expected 0 to {MOST_DAYS * 24}, got {options.lead_hours:g}")
    if not 0 < options.horizon_hours <= MOST_DAYS * 24:
        problems.append(
            f"horizon_hours: expected more than 0 and at most {MOST_DAYS * 24}, got {options.horizon_hours:g}"
        )
    if options.max_bad_rows < 0:
        problems.append(f"max_bad_rows: expected at least 0, got {options.max_bad_rows}")
    if problems:
        raise FlarecastError("; ".join(problems))
    return options


def _folder(raw: Path | None) -> Path:
    """The folder of raw data."""
    if raw is None:
        raise FlarecastError(
            "noaa-regions: expected a folder with region summaries and event reports, got none;"
            " name it as RAW"
        )
    if not raw.is_dir():
        raise FlarecastError(f"{raw}: expected a folder with region summaries and event reports, found none")
    return raw


def _summaries(folder: Path, paths: list[Path], tally: srs.SrsTally, max_bad_rows: int) -> list[srs.Summary]:
    """Region summaries of all files, one a day."""
    if not paths:
        raise FlarecastError(
            f"{folder}: expected region summaries named like 20120308SRS.txt, 2012_SRS.tar.gz or"
            " solar_regions.json, found none"
        )
    texts = (text for path in paths for text in archives.texts(path, srs.SUFFIX))
    found = [srs.parse_srs(text, tally) for text in texts]
    summaries = srs.latest_summaries([summary for summary in found if summary is not None])
    n_bad = sum(tally.skipped.values())
    if n_bad > max_bad_rows or not summaries:
        raise FlarecastError(
            f"{tally.first_bad}; {n_bad} of {tally.n_lines} lines of region summaries are bad, more than"
            f" max_bad_rows = {max_bad_rows} or all: get the files again or raise max_bad_rows"
        )
    return summaries


def _row_arrays(
    tracks: region_rows.Tracks, features: dict[str, tuple[FloatArray, str, float]]
) -> dict[str, Any]:
    """Variables of the rows and features."""
    return {
        "values": np.stack([values for values, _, _ in features.values()], axis=1),
        "feature": list(features),
        "feature_unit": [unit for _, unit, _ in features.values()],
        "feature_memory_hours": [memory for _, _, memory in features.values()],
        "time": tracks.time,
        "track": tracks.track,
        "longitude": tracks.values["longitude"],
    }


def _window_arrays(tracks: region_rows.Tracks, flares: Flares, options: Options) -> dict[str, Any]:
    """Variables of the windows: one for every row in section I."""
    chosen = np.flatnonzero(tracks.spotted)
    issue_time, region, track = tracks.time[chosen], tracks.region[chosen], tracks.track[chosen]
    first_row, n_rows = windows.cut(tracks.time, tracks.track, issue_time, track, options.history_days * DAY)
    valid_from = issue_time + round(options.lead_hours * HOUR)
    horizon = round(options.horizon_hours * HOUR)
    none = np.full(chosen.size, schema.NO_TIME)
    scale = (
        scales.scale_of(np.zeros_like(valid_from), valid_from)
        if options.convert_to == "none"
        else np.full(chosen.size, goes.FLUX_SCALES.index(options.convert_to))
    )
    arrays: dict[str, Any] = {
        "first_row": first_row,
        "n_rows": n_rows,
        "issue_time": issue_time,
        "valid_from": valid_from,
        "valid_to": valid_from + horizon,
        "region": [f"NOAA {number}" for number in region.tolist()],
        "noaa_regions": [str(number) for number in region.tolist()],
        "flux_scale": scale,
        "partition": np.zeros(chosen.size),
        "flare_start": none,
        "flare_peak": none,
    }
    return arrays | outcomes(
        region, valid_from, horizon, flares, quiet_bound(valid_from, options.floor, options.convert_to)
    )


def _source_files(folder: Path, paths: list[Path]) -> list[str]:
    """Hash and name of each file read."""
    return [
        f"{files.sha256(path)} {path.relative_to(folder) if path.is_relative_to(folder) else path.name}"
        for path in paths
    ]

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

from flarecast import goes, schema, windows
from flarecast.errors import FlarecastError
from flarecast.flares import scales
from flarecast.flares.clock import DAY
from flarecast.ingest import region_history, region_json, region_rows
from flarecast.ingest.region_flares import Flares, no_flares, unassigned_by_year
from flarecast.ingest.region_outcomes import outcomes, quiet_bound
from flarecast.ingest.region_reading import Told, read_regions

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
    folder = _folder(raw)
    told = read_regions(folder, flare_lists, options.convert_to, max_bad_rows)
    region_json.require_whole_days(lead_hours, horizon_hours, told.served_days)
    tracks = region_rows.lay_tracks(told.summaries)
    if not tracks.spotted.any():
        raise FlarecastError(f"{folder}: expected regions with spots in the summaries, got none")
    context = region_rows.disk_spots(tracks, told.summaries)
    context |= region_history.disk_features(tracks, told.flares)
    own = region_rows.spot_features(tracks) | region_history.region_features(tracks, told.flares)
    outcome = region_json.blur(_window_arrays(tracks, told.flares, options), told.flares, told.served_days)
    attributes = _attributes(told, options, list(context), outcome["peak_flux_upper"])
    return schema.build(schema.WINDOWS, _row_arrays(tracks, own | context) | outcome, attributes)


def _attributes(told: Told, options: Options, context: list[str], upper: FloatArray) -> dict[str, Any]:
    """Attributes of the windows file; `upper` bounds the peak flux of each window."""
    scale = "as listed" if options.convert_to == "none" else options.convert_to
    return {
        "source_files": told.files,
        "context_features": context,
        "history": f"ingest noaa-regions: {len(told.summaries)} region summaries; flares from {told.source}",
        "flare_source": f"{told.source}, classes {scale}",
        "n_rows_read": sum(len(summary.regions) for summary in told.summaries),
        "n_flares": told.flares.time.size,
        "n_unknown": int((~np.isfinite(upper)).sum()),
        "unassigned_by_year": unassigned_by_year(told.listed or no_flares()),
        **_settings(options),
        **told.counts,
    }


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

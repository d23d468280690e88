"""HMI's SHARP keywords as windows of HARPs, with flares and disk context where they lie under RAW.

A track is a HARP, a row a step of its cadence, known `latency_minutes` after its T_REC, which is TAI. Windows
are issued at whole strides of UTC. Records come from recorded tables under RAW, from answers kept there, and
from JSOC for the rest; `docs/sharp.md` has the rules by which records count and flares are a HARP's.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import xarray as xr

from flarecast import goes
from flarecast.ingest.sharps import options
from flarecast.ingest.sharps.asking import Manners
from flarecast.ingest.sharps.assembly import Labelling, assemble
from flarecast.ingest.sharps.keywords import SERIES, Kind
from flarecast.ingest.sharps.request import Request, collect
from flarecast.ingest.sharps.rows import Rules


def ingest_sharp(  # noqa: PLR0913  (the options of a source are its keyword arguments)
    raw: Path | None,
    rng: np.random.Generator,  # noqa: ARG001  (every source has this signature; this one draws nothing)
    *,
    series: Kind = "definitive",
    harps: tuple[int, ...] = (),
    noaa: tuple[int, ...] = (),
    start: str = "",
    stop: str = "",
    features: tuple[str, ...] = (),
    n_steps: int = 60,
    cadence_minutes: float = 12.0,
    stride_minutes: float = 60.0,
    lead_hours: float = 0.0,
    horizon_hours: float = 24.0,
    latency_minutes: float | None = None,
    least_known: float = 0.5,
    quality_mask: int = 0xFFFF0000,
    velocity_limit: float = 3500.0,
    longitude_limit: float = 70.0,
    flare_lists: tuple[str, ...] = (),
    floor: str = "C1.0",
    convert_to: Literal["none", "operational", "true"] = "none",
    noaa_context: bool = True,
    max_bad_rows: int = 100,
    server: str = "JSOC",
    pause_seconds: float = 1.0,
    retries: int = 4,
    timeout_seconds: float = 120.0,
) -> xr.Dataset:
    """Windows of HARPs.

    Args:
        raw: Folder of recorded keyword tables and kept answers, of flare lists or event reports and of daily
            solar data; or one recorded table.
        rng: Not used.
        series: `definitive` or `nrt` (near-real-time).
        harps: HARP numbers of that series; with `noaa` and a span empty, all records under RAW are taken.
        noaa: NOAA region numbers, whose HARPs are taken.
        start: First UTC date or time of the records wanted.
        stop: UTC date or time up to which, exclusive.
        features: Keywords to take; `keywords.FEATURES`, as far as they are there, if empty.
        n_steps: Steps in a window.
        cadence_minutes: Length of a step: a multiple of 12.
        stride_minutes: Between two windows of a HARP; they are issued at whole strides since 00 UTC.
        lead_hours: From issue time to the start of the valid span.
        horizon_hours: Length of the valid span.
        latency_minutes: From T_REC to when a record is known; that of the series (`keywords.SERIES`) if None.
        least_known: Share of a window's steps that must be known.
        quality_mask: Bits of QUALITY of which a record may have none.
        velocity_limit: Largest |OBS_VR| of a record [m/s].
        longitude_limit: Largest |Stonyhurst longitude| of a record, and of a window's last one [deg].
        flare_lists: Flare lists (see `flares`), names from RAW on; if empty, the event reports under RAW,
            else the lists there.
        floor: Class from which on the record of flares is complete, on its own scale.
        convert_to: Scale to bring all classes to; `none` leaves them as listed.
        noaa_context: Whether daily solar data and flares under RAW become features, too.
        max_bad_rows: Lines of a kind of file that may be skipped.
        server: `JSOC`, or the address of the folder of another `jsoc_info`.
        pause_seconds: Between two questions to it.
        retries: How often a question is asked again.
        timeout_seconds: Longest silence of the server.

    Returns:
        A windows Dataset; attributes count records by rule, and say where they and the flares are from.

    Raises:
        FlarecastError: Options that make no sense, nothing to read, a damaged file, no answer, no window.
    """
    kind = SERIES[series]
    latency = kind.latency_minutes if latency_minutes is None else latency_minutes
    rules = Rules(quality_mask, velocity_limit, longitude_limit)
    manners = Manners(server, pause_seconds, retries, timeout_seconds)
    minutes = (cadence_minutes, stride_minutes, lead_hours * 60, horizon_hours * 60, latency)
    options.check(n_steps, minutes, least_known, rules, manners, max_bad_rows)
    grid = options.read_grid(n_steps, minutes, least_known)
    request = Request(
        kind,
        options.read_features(features),
        bool(features),
        options.read_harps(harps),
        options.read_noaa(noaa),
        *options.read_span(start, stop),
    )
    labelling = Labelling(
        kind.prefix, flare_lists, goes.parse_class(floor), convert_to, noaa_context, max_bad_rows
    )
    return assemble(raw or Path(), request, collect(raw, request, manners), rules, grid, labelling)

"""GOES X-rays as context: background, peaks and latest flux join the rows of any source.

    [ingest]
    source = "noaa-regions"
    context = ["goes-xrs"]

Each row gets what was known at its time: minutes that ended `latency_minutes` before it or earlier. Whatever
the X-rays do later changes no digit of it. All fluxes are on the true scale; those of GOES-8 to 15 as
operated are brought to it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from flarecast import files, served
from flarecast.cycles import iso
from flarecast.errors import FlarecastError
from flarecast.ingest.context import Feature, with_context
from flarecast.ingest.xrs.features import HOURS_BEFORE, xrs_features
from flarecast.ingest.xrs.live import read_live
from flarecast.ingest.xrs.minutes import MINUTE, Minutes, merged
from flarecast.ingest.xrs.netcdf import find_netcdf, read_netcdf

LATENCY_MINUTES = 5.0
"""SWPC serves a minute some two minutes after its end [min]."""

HOUR = 60
MOST_YEARS = 60


def join_goes_xrs(
    windows: xr.Dataset,
    raw: Path | None,
    *,
    folder: str = "",
    latency_minutes: float = LATENCY_MINUTES,
    satellites: tuple[int, ...] = (),
) -> xr.Dataset:
    """Windows of any source with the features of `xrs_features` as context.

    Args:
        windows: Windows of any source.
        raw: Folder searched for X-ray files: netCDF of any generation, and SWPC's `xrays*.json`.
        folder: Folder of these, from RAW on, where it is not RAW itself.
        latency_minutes: From a minute's end to when it is known.
        satellites: GOES numbers, the preferred first; those not named follow, the newest first.

    Raises:
        FlarecastError: No files, a damaged one, none of the windows' time, or options that make no sense.
    """
    if not 0 <= latency_minutes <= 7 * 1440:
        raise FlarecastError(f"goes-xrs: latency_minutes: expected 0 to 10080, got {latency_minutes:g}")
    where = _folder(raw, folder)
    archived, live = find_netcdf(where), served.find(where, "xrays")
    if not archived and not live:
        raise FlarecastError(
            f"{where}: expected GOES X-rays named like sci_xrsf-l2-avg1m_g16_d20170910_v2-1-0.nc or"
            " xrays-7-day.json in it or below, found none"
        )
    tally = served.Served()
    time = windows["time"].values
    first, stop = _span(time, latency_minutes)
    pieces = [_cut(read_netcdf(path), first, stop) for path in archived]
    pieces += [_cut(piece, first, stop) for path in live for piece in read_live(path, tally)]
    if not any(piece.minute.size for piece in pieces):
        raise FlarecastError(
            f"{where}: expected X-rays of {iso(first * MINUTE)} to {iso(stop * MINUTE)}, the windows' time,"
            " got files of other times"
        )
    series, used = merged(pieces, first, stop, satellites)
    features = xrs_features(series, first, time, latency_minutes)
    paths = [*archived, *live]
    attributes = {
        "goes_xrs": f"{_summary(pieces, used, tally)}; {_covered(features)}",
        "goes_xrs_latency_minutes": float(latency_minutes),
        "goes_xrs_scale": "true",
        "history": f"context goes-xrs: {len(paths)} files",
    }
    names = [f"{files.sha256(path)} {path.relative_to(where).as_posix()}" for path in paths]
    return with_context(windows, features, names, attributes)


def _folder(raw: Path | None, folder: str) -> Path:
    """The folder of X-ray files."""
    if raw is None:
        raise FlarecastError("goes-xrs: expected a folder with GOES X-rays, got none; name it as RAW")
    where = (raw if raw.is_dir() else raw.parent) / folder
    if not where.is_dir():
        raise FlarecastError(f"{where}: expected a folder with GOES X-rays, found none")
    return where


def _span(time: Any, latency_minutes: float) -> tuple[int, int]:
    """First minute, at a whole hour, and the one after the last that features of rows can read."""
    if not time.size:
        raise FlarecastError("goes-xrs: expected rows to join X-rays to, got none")
    before = (HOURS_BEFORE + 1) * HOUR + round(latency_minutes)
    first = (int(time.min()) // MINUTE - before) // HOUR * HOUR
    stop = int(time.max()) // MINUTE + 1
    if stop - first > MOST_YEARS * 366 * 1440:
        raise FlarecastError(f"goes-xrs: expected rows of some decades, got {iso(time.min())} on")
    return first, stop


def _cut(piece: Minutes, first: int, stop: int) -> Minutes:
    """The minutes that are needed."""
    inside = (piece.minute >= first) & (piece.minute < stop)
    if inside.all():
        return piece
    kept = {**vars(piece), "minute": piece.minute[inside], "flux": piece.flux[inside]}
    return Minutes(**kept)


def _summary(pieces: Sequence[Minutes], used: dict[int, int], tally: served.Served) -> str:
    """What the series is made of, as text."""
    by_satellite = ", ".join(
        f"{f'GOES-{number}' if number else 'satellite not told'} {count:,} minutes"
        for number, count in sorted(used.items())
    )
    counts = np.array([(one.n_samples, one.n_flagged, one.n_contaminated) for one in pieces]).sum(axis=0)
    scaled = sum(one.scale == "operational" for one in pieces)
    parts = [
        by_satellite or "no minute",
        f"{counts[1]:,} of {counts[0]:,} samples flagged, {counts[2]:,} with electrons",
    ]
    if scaled:
        parts.append(f"{scaled} files on the operational scale, brought to the true one")
    if tally.skipped:
        parts.append(f"skipped: {tally.reasons()}")
    return "; ".join(parts)


def _covered(features: Mapping[str, Feature]) -> str:
    """How many rows have a value, as text."""
    background = features["log10_xrsb_background_24h"][0]
    return f"{np.isfinite(background).sum():,} of {background.size:,} rows have a background"

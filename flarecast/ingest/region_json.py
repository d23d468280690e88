"""Regions and their flares out of SWPC's `solar_regions.json`, for days that no text tells of.

A region with spots is one of section I, others are named only; those that have left over the limb, which the
file carries on with their last spots, are named only, too. The flares are numbers of C, M and X flares of a
region and day: their fluxes are known to a class, their times to a day, and flares without a region are not
told at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast import goes, served
from flarecast.errors import FlarecastError
from flarecast.flares import as_table
from flarecast.flares.clock import DAY
from flarecast.flares.entry import Entry
from flarecast.flares.reading import Conversion, with_scale
from flarecast.flares.region_records import RegionRecord, read_region_records
from flarecast.ingest.region_flares import Flares, covered_days, flares_of_table, no_flares
from flarecast.ingest.spot_classes import mcintosh, mount_wilson
from flarecast.ingest.srs import (
    FARTHEST_LATITUDE,
    FARTHEST_LONGITUDE,
    LARGEST_AREA,
    LARGEST_EXTENT,
    MOST_SPOTS,
    RegionDay,
    Summary,
)
from flarecast.schema import NO_TIME

IntArray = NDArray[np.int64]

MAGNETIC = {"A": "Alpha", "B": "Beta", "G": "Gamma", "D": "Delta"}
MOST_FLARES = 100
"""No region has more flares of a class in a day: a misprint."""

ISSUED = 1800
"""When the summary of the day before is issued [s of the day]."""

HOUR_24 = 24


@dataclass(frozen=True)
class ServedRegions:
    """What the files tell.

    Attributes:
        paths: Files read.
        summaries: Regions at the end of each day.
        flares: Flares of regions, at noon of their day; as many days as have all their counts.
        tally: What became of the records.
    """

    paths: list[Path]
    summaries: list[Summary]
    flares: Flares
    tally: served.Served


def read_served_regions(folder: Path, convert_to: Conversion = "none") -> ServedRegions:
    """Read every `solar_regions*.json` of a folder; nothing where there is none.

    Raises:
        FlarecastError: A file is no such JSON.
    """
    tally = served.Served()
    paths = served.find(folder, "regions")
    records = read_region_records(paths, tally)
    by_day: dict[int, list[RegionRecord]] = {}
    for record in records:
        by_day.setdefault(record.time, []).append(record)
    summaries = [
        Summary(time, time + ISSUED, [region_day(record) for record in rows]) for time, rows in by_day.items()
    ]
    entries, days = [], []
    for time, rows in by_day.items():
        counts = [flare_counts(record) for record in rows]
        known = [count for count in counts if count is not None]
        entries += [entry for count, row in zip(counts, rows, strict=True) for entry in _entries(count, row)]
        if len(known) == len(counts):
            days.append(time // DAY - 1)
    table = as_table(with_scale(entries, "auto"), convert_to)
    flares = flares_of_table(table, np.array(days, dtype=np.int64))
    return ServedRegions(paths, summaries, flares, tally)


def region_day(record: RegionRecord) -> RegionDay:
    """A row's values; longitudes are west positive here, east positive in the file."""
    fields = record.fields
    z, p, c = mcintosh(served.text(fields, "spot_class"))
    area = served.number(fields, "area", 0, LARGEST_AREA)
    spots = served.number(fields, "number_spots", 1, MOST_SPOTS)
    latitude = served.number(fields, "latitude", -FARTHEST_LATITUDE, FARTHEST_LATITUDE)
    longitude = -served.number(fields, "longitude", -FARTHEST_LONGITUDE, FARTHEST_LONGITUDE)
    if record.departed or (np.isnan(z) and np.isnan(spots)):
        return RegionDay(record.time, record.region, 2, latitude, longitude)
    magnetic = "-".join(MAGNETIC.get(letter, "") for letter in served.text(fields, "mag_class").upper())
    extent = served.number(fields, "extent", 0, LARGEST_EXTENT)
    values = latitude, longitude, area, extent, spots, z, p, c, mount_wilson(magnetic)
    return RegionDay(record.time, record.region, 1, *values)


def flare_counts(record: RegionRecord) -> tuple[int, int, int] | None:
    """Numbers of C, M and X flares of a row's day; None where one is not told."""
    counts = [served.number(record.fields, f"{letter}_xray_events", 0, MOST_FLARES) for letter in "cmx"]
    if np.isnan(counts).any():
        return None
    c, m, x = (int(count) for count in counts)
    return c, m, x


def join_summaries(texts: Sequence[Summary], of_files: ServedRegions) -> list[Summary]:
    """Summaries of both, the text's where both have a day."""
    told = {summary.time for summary in texts}
    others = [summary for summary in of_files.summaries if summary.time not in told]
    return sorted([*texts, *others], key=lambda summary: summary.time)


def join_flares(flares: Flares | None, of_files: ServedRegions) -> tuple[Flares, IntArray]:
    """Flares of reports or lists, and on days that these do not cover those of the files.

    Returns:
        All flares; and the days [d since 1970] whose flares are known from the files alone.
    """
    known = no_flares() if flares is None else flares
    new = of_files.flares
    served_days = np.setdiff1d(new.days, known.days)
    uncovered = ~np.isin(new.time // DAY, known.days)
    joined = {
        name: np.concatenate([getattr(known, name), getattr(new, name)[uncovered]])
        for name in ("start", "time", "flux", "flux_upper", "region")
    }
    order = np.argsort(joined["time"], kind="stable")
    days = np.union1d(known.days, served_days)
    return Flares(**{name: values[order] for name, values in joined.items()}, days=days), served_days


def require_whole_days(lead_hours: float, horizon_hours: float, served_days: IntArray) -> None:
    """Refuse spans that begin or end inside a day where flares are only known to a day.

    Raises:
        FlarecastError: They do, and there are such days.
    """
    if served_days.size and (lead_hours % HOUR_24 or horizon_hours % HOUR_24):
        raise FlarecastError(
            "lead_hours and horizon_hours: expected whole days like 0 and 24, for solar_regions.json counts"
            f" flares by day, got {lead_hours:g} and {horizon_hours:g}; move the file away or change them"
        )


def blur(arrays: dict[str, Any], flares: Flares, served_days: IntArray) -> dict[str, Any]:
    """Outcomes of windows with what counts by day can not tell made unknown.

    Args:
        arrays: Variables of the windows.
        flares: All flares.
        served_days: Days known from the files alone [d since 1970].

    Returns:
        The variables: no time and name of a flare of such a day; flares without a region unknown in spans
        with such a day; and quiet no lower than below C1.0 there.
    """
    if not served_days.size:
        return arrays
    only_served = replace(flares, days=served_days)
    first, stop = arrays["valid_from"] // DAY, -(-arrays["valid_to"] // DAY)
    touched = covered_days(only_served, first, stop) > 0
    counted = np.isin(arrays["flare_peak"] // DAY, served_days) & (arrays["flare_peak"] != NO_TIME)
    upper = arrays["peak_flux_upper"]
    quiet = touched & (arrays["peak_flux"] == 0) & np.isfinite(upper)
    least = goes.below(goes.DECADES["C"])
    return arrays | {
        "flare_peak": np.where(counted, NO_TIME, arrays["flare_peak"]),
        "flare_id": np.where(counted, "", np.asarray(arrays["flare_id"], dtype=object)),
        "unassigned_peak_flux": np.where(touched, np.nan, arrays["unassigned_peak_flux"]),
        "peak_flux_upper": np.where(quiet, np.maximum(upper, least), upper),
    }


def _entries(counts: tuple[int, int, int] | None, record: RegionRecord) -> list[Entry]:
    """A row's flares, at noon of its day."""
    if counts is None:
        return []
    noon = record.time - DAY // 2
    return [
        Entry(NO_TIME, noon, NO_TIME, *goes.class_bounds(letter), record.region)
        for letter, count in zip("CMX", counts, strict=True)
        for _ in range(count)
    ]

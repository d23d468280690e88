"""The flares that region windows are about: from event reports or flare lists, with the days they cover."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flarecast import goes
from flarecast.errors import FlarecastError
from flarecast.flares import archives, as_table, event_reports, merging, read_flares
from flarecast.flares.clock import DAY
from flarecast.flares.entry import Tally
from flarecast.flares.reading import Conversion, with_scale
from flarecast.schema import NO_TIME

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Flares:
    """Flares in order of time, and the days whose flares are known.

    Attributes:
        start: [s since 1970], `NO_TIME` = unknown, shape (flare,).
        time: Peak, else start, else end [s since 1970], shape (flare,).
        flux, flux_upper: Peak flux [W m-2], shape (flare,).
        region: Five-digit number, 0 = unknown, shape (flare,).
        days: Days covered [d since 1970], ascending.
    """

    start: IntArray
    time: IntArray
    flux: FloatArray
    flux_upper: FloatArray
    region: IntArray
    days: IntArray


def reported_flares(
    folder: Path, paths: list[Path], convert_to: Conversion, max_bad_rows: int
) -> tuple[Flares, dict[str, Any]]:
    """Flares of event reports, one report a day, covering the days that have one; and counts.

    Raises:
        FlarecastError: There are no reports, they are damaged, or too many lines are bad.
    """
    if not paths:
        raise FlarecastError(
            f"{folder}: expected event reports named like 20120307events.txt or 2012_events.tar.gz,"
            " found none; get them or name flare_lists"
        )
    tally = Tally()
    texts = (text for path in paths for text in archives.texts(path, event_reports.SUFFIX))
    found = [event_reports.parse_report(text, tally, "event reports") for text in texts]
    reports = event_reports.latest_reports([report for report in found if report is not None])
    if tally.n_bad > max_bad_rows or not reports:
        raise FlarecastError(
            f"{tally.first_bad}; {tally.n_bad} of {tally.n_lines} lines of event reports are bad"
            f" ({tally.reasons()}), more than max_bad_rows = {max_bad_rows}: get the files again or raise"
            " max_bad_rows"
        )
    entries = with_scale([entry for report in reports for entry in report.entries], "auto")
    merged, _ = merging.merge(entries, [0] * len(entries))
    days = np.array([report.day // DAY for report in reports], dtype=np.int64)
    counted = {"n_skipped": sum(tally.skipped.values()), "skipped": tally.reasons()}
    return flares_of_table(as_table(merged, convert_to), days), counted


def listed_flares(
    paths: list[Path], convert_to: Conversion, max_bad_rows: int
) -> tuple[Flares, dict[str, Any]]:
    """Flares of lists, covering all days from the first flare to the last; and counts.

    Raises:
        FlarecastError: A file is no flare list, or too many lines are bad.
    """
    table = read_flares(paths, convert_to=convert_to, max_bad_rows=max_bad_rows)
    if not (table["region"] > 0).any():
        raise FlarecastError(
            f"flare_lists: expected flares with regions, got {len(table)} without any; name another list"
        )
    flares = flares_of_table(table, np.zeros(0, dtype=np.int64))
    known = flares.time
    days = np.arange(known.min() // DAY, known.max() // DAY + 1) if known.size else flares.days
    return replace(flares, days=days), table.attrs


def no_flares() -> Flares:
    """No flares, and no day whose flares are known."""
    none, numbers = np.zeros(0, dtype=np.int64), np.zeros(0)
    return Flares(none, none, numbers, numbers, none, none)


def flares_of_table(table: pd.DataFrame, days: IntArray) -> Flares:
    """Columns of the table of flares in order of time."""
    column = {
        name: table[name].to_numpy() for name in ("start", "peak", "end", "flux", "flux_upper", "region")
    }
    time = np.where(column["peak"] != NO_TIME, column["peak"], column["start"])
    time = np.where(time != NO_TIME, time, column["end"])
    order = np.argsort(time, kind="stable")
    own = (column[name][order] for name in ("start", "flux", "flux_upper", "region"))
    start, flux, flux_upper, region = own
    return Flares(start, time[order], flux, flux_upper, region, days)


def covered_days(flares: Flares, first_day: IntArray, stop_day: IntArray) -> IntArray:
    """Days in [first_day, stop_day) whose flares are known, shape of the arguments."""
    return np.searchsorted(flares.days, stop_day) - np.searchsorted(flares.days, first_day)


def unassigned_by_year(flares: Flares, letters: Sequence[str] = ("C", "M")) -> str:
    """Share of the flares without a region by year, as `2011: 15.9 % of 1,331 C+, 4.5 % of 111 M+; ...`."""
    year = flares.time.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    parts = []
    for number in np.unique(year).tolist():
        shares = []
        for letter in letters:
            chosen = (year == number) & goes.at_least(flares.flux, goes.DECADES[letter])
            if chosen.any():
                share = 100 * np.mean(flares.region[chosen] == 0)
                shares.append(f"{share:.1f} % of {chosen.sum():,} {letter}+")
        if shares:
            parts.append(f"{number}: {', '.join(shares)}")
    return "; ".join(parts)

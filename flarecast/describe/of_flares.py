"""What is in a list of flares: CSV with the columns start, peak, end, flux, region, source, flux_scale.

A column flux_upper may say how large the flare can have been at most, where only its letter is known.
"""

import csv
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flarecast import cycles, goes
from flarecast.describe.counts import (
    CLASSES,
    FloatArray,
    IntArray,
    Table,
    class_numbers,
    count_by,
    count_over_time,
    longest_gaps,
    span_text,
    years,
)
from flarecast.errors import FlarecastError

COLUMNS = ("start", "peak", "end", "flux", "region", "source", "flux_scale")
GAP_DAYS = 3
NO_REGION = {"", "0", "NOAA 0"}


@dataclass(frozen=True)
class Flares:
    """Flares in the order of the file.

    Attributes:
        peak: UTC of the peaks [s since 1970], shape (flare,).
        flux: Peak 1-8 A flux [W m-2], smallest it can be, shape (flare,).
        flux_upper: The same, largest it can be; inf = not bounded, shape (flare,).
        region: Region, empty = unknown, shape (flare,).
        source: Where the flare is from, shape (flare,).
        flux_scale: operational or true, shape (flare,).
    """

    peak: IntArray
    flux: FloatArray
    flux_upper: FloatArray
    region: np.ndarray
    source: np.ndarray
    flux_scale: np.ndarray


def read_flares(path: Path) -> Flares:
    """Read a list of flares.

    Raises:
        FlarecastError: It cannot be read, lacks columns, or a line holds no time or no flux.
    """
    rows = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            absent = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if absent:
                raise FlarecastError(
                    f"{path} line 1: expected the columns {', '.join(COLUMNS)}, got none named"
                    f" {', '.join(absent)}"
                )
            rows = [_flare(f"{path} line {reader.line_num}", line) for line in reader]
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise FlarecastError(f"{path}: expected a CSV of flares, got something else ({error})") from error
    peak, flux, flux_upper, region, source, flux_scale = zip(*rows, strict=True) if rows else ((),) * 6
    return Flares(
        np.array(peak, dtype=np.int64),
        np.array(flux, dtype=np.float64),
        np.array(flux_upper, dtype=np.float64),
        np.array(region, dtype=object),
        np.array(source, dtype=object),
        np.array(flux_scale, dtype=object),
    )


def describe_flares(flares: Flares) -> dict[str, Any]:
    """Summary and tables of a list of flares."""
    numbers = class_numbers(flares.flux, flares.flux_upper)
    known = flares.region != ""
    summary = {
        "flares": int(flares.peak.size),
        "regions": int(np.unique(flares.region[known].astype(str)).size),
        "flares_without_region": int((~known).sum()),
        **{f"{name}_peak": text for name, text in span_text(flares.peak).items()},
        "largest": goes.format_class(flares.flux.max()) if flares.flux.size else "",
        "flares_of_x10_or_more": int(goes.at_least(flares.flux, 1e-3).sum()),
        "same_peak_and_region": _repeated(flares),
    }
    tables = count_over_time(flares.peak, numbers, "flares")
    for name, keys in (("source", flares.source), ("flux_scale", flares.flux_scale)):
        tables[f"classes by {name}"] = count_by(name, keys.astype(str), numbers, "flares")
    tables["regions unknown"] = _unassigned(flares, numbers)
    tables["gaps"] = longest_gaps(flares.peak, GAP_DAYS * cycles.DAY)
    return {"summary": summary, "tables": tables}


def _flare(where: str, line: dict[str | None, Any]) -> tuple[int, float, float, str, str, str]:
    """Peak, flux, its upper bound, region, source and scale of a line."""
    if None in line or None in line.values():
        raise FlarecastError(
            f"{where}: expected as many values as the header has columns, got another number"
        )
    try:
        # A list may know when a flare began and not when it peaked.
        peak = cycles.seconds(line["peak"].strip() or line["start"].strip())
    except FlarecastError as error:
        raise FlarecastError(f"{where}: {error}") from error
    flux = _flux(line["flux"])
    upper = _flux(line["flux_upper"]) if line.get("flux_upper") else flux
    if not (0 < flux < 1 and flux <= upper):
        got = line["flux"] + (f" to {line['flux_upper']}" if "flux_upper" in line else "")
        raise FlarecastError(f"{where}: flux: expected a number of W m-2, got {got[:60]!r}")
    region = line["region"].strip()
    return (
        peak,
        flux,
        upper,
        "" if region in NO_REGION else region,
        line["source"].strip(),
        line["flux_scale"].strip(),
    )


def _flux(text: str) -> float:
    """A number; NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _unassigned(flares: Flares, numbers: IntArray) -> Table:
    """Of each class and year the flares without a region."""
    table = []
    year = years(flares.peak)
    for number in np.unique(year):
        row: dict[str, Any] = {"year": int(number)}
        for letter in "CMX":
            chosen = (year == number) & (numbers == CLASSES.index(letter))
            row[letter] = int(chosen.sum())
            row[f"{letter}_without_region"] = int((chosen & (flares.region == "")).sum())
        table.append(row)
    return table


def _repeated(flares: Flares) -> int:
    """Flares that share peak time and region with an earlier one."""
    pairs = Counter(zip(flares.peak.tolist(), flares.region.tolist(), strict=True))
    return sum(count - 1 for count in pairs.values())

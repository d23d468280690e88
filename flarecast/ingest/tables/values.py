"""Cells to values: features, regions and times; a row that holds something else is left out."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flarecast import cycles
from flarecast.ingest.tables import clock
from flarecast.ingest.tables.cells import Cells, is_missing
from flarecast.ingest.tables.mapping import Feature, Table
from flarecast.ingest.tables.outcomes import read_outcomes
from flarecast.schema import NO_TIME

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

GOES_16 = cycles.seconds("2019-12-09")
"""GOES-16 became the primary satellite, and classes true fluxes."""

FIVE_DIGITS = cycles.seconds("2002-06-14")
"""NOAA's first region 10000; later numbers are printed with four digits, of which none began below 5000."""

_NUMBER = re.compile(r"(\d{1,7})(\.0+)?")
_FLOAT32_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Rows:
    """Values of all rows, broken ones included; what they hold there means nothing.

    Attributes:
        region: Name of the region, shape (row,).
        noaa: NOAA numbers of five digits, comma separated, shape (row,).
        time: UTC of the observation [s since 1970], shape (row,).
        values: Features, NaN = missing, shape (row, feature).
        longitude: Stonyhurst longitude [deg], or None.
        low: Smallest that the largest peak can be [W m-2], shape (row,).
        high: Largest that it can be [W m-2], shape (row,).
        flare_start: UTC [s since 1970] or `NO_TIME`, shape (row,).
        flare_peak: The same of the peak.
        flare_id: Identifier, shape (row,).
    """

    region: NDArray[np.object_]
    noaa: NDArray[np.object_]
    time: FloatArray
    values: NDArray[np.float32]
    longitude: FloatArray | None
    low: FloatArray
    high: FloatArray
    flare_start: IntArray
    flare_peak: IntArray
    flare_id: NDArray[np.object_]


def read_rows(cells: Cells, table: Table, features: Sequence[str]) -> Rows:
    """Read the values of all rows; broken ones are left out in `cells`, with the reason."""
    time = _times(cells, table)
    region, noaa = _regions(cells, table, time)
    values = np.stack([_feature(cells, table, name) for name in features], axis=1).astype(np.float32)
    low, high = read_outcomes(cells, table)
    absent = [""] * cells.n_rows
    event = table.event
    longitude = table.region.longitude_column
    return Rows(
        region=region,
        noaa=noaa,
        time=time,
        values=values,
        longitude=None if longitude is None else _longitudes(cells, table, longitude),
        low=low,
        high=high,
        flare_start=_event_times(cells, table, event.start_column),
        flare_peak=_event_times(cells, table, event.peak_column),
        flare_id=_objects(cells.columns[event.id_column] if event.id_column is not None else absent),
    )


def _objects(texts: Sequence[str]) -> NDArray[np.object_]:
    """Texts as an array of objects."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def _dropped(text: str, drop: Sequence[str]) -> str:
    """A cell without the texts to drop."""
    for part in drop:
        text = text.replace(part, "")
    return text.strip()


def _times(cells: Cells, table: Table) -> FloatArray:
    """UTC of the observation [s since 1970] of each row."""
    rule = table.time
    texts = cells.columns[rule.column]
    known = {text: clock.read_time(_dropped(text, rule.drop), rule.format) for text in set(texts)}
    time = np.array([known[text] for text in texts], dtype=np.float64)
    for row in np.flatnonzero(np.isnan(time)):
        told = f"{rule.column}: expected a time like {rule.format}, got {texts[row][:60]!r}"
        cells.leave_out(int(row), "no time", told)
    time = np.nan_to_num(time) + rule.shift_minutes * 60
    if rule.hours_before is not None:
        found = [re.search(rule.hours_before, path.name) for path in cells.files]
        # Every file's name was matched when the files were found.
        hours = np.array([float(match[1]) if match else 0.0 for match in found])
        time = time - 3600 * hours[np.array(cells.file, dtype=np.int64)]
    return clock.tai_to_utc(time) if rule.scale == "TAI" else time


def _event_times(cells: Cells, table: Table, column: str | None) -> IntArray:
    """UTC of an event [s since 1970], `NO_TIME` where the cell is empty."""
    time = np.full(cells.n_rows, NO_TIME, dtype=np.int64)
    if column is None:
        return time
    rule = table.event
    for row, text in enumerate(cells.columns[column]):
        if is_missing(text, table.file):
            continue
        moment = clock.read_time(_dropped(text, rule.drop), rule.format)
        if math.isnan(moment):
            told = f"{column}: expected a time like {rule.format} or nothing, got {text[:60]!r}"
            cells.leave_out(row, "no event time", told)
        elif rule.scale == "TAI":
            time[row] = math.floor(clock.tai_to_utc(np.array([moment]))[0])
        else:
            time[row] = math.floor(moment)
    return time


def _regions(cells: Cells, table: Table, time: FloatArray) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Name and NOAA numbers of the region of each row."""
    rule = table.region
    names, numbers = [""] * cells.n_rows, [""] * cells.n_rows
    by_noaa = rule.prefix == "NOAA"
    others = cells.columns[rule.noaa_column] if rule.noaa_column is not None else None
    for row, text in enumerate(cells.columns[rule.column]):
        number = _noaa(_dropped(text, rule.drop), time[row] if by_noaa else 0.0)
        if number == 0 and text not in rule.unknown:
            cells.leave_out(row, "no region", f"{rule.column}: expected a region's number, got {text[:60]!r}")
        names[row] = f"{rule.prefix} {number or 'unknown'}"
        if others is not None:
            listed = [_noaa(part.strip(), time[row]) for part in re.split("[,;]", others[row])]
            numbers[row] = ",".join(f"{one:05d}" for one in listed if one)
        elif by_noaa and number:
            numbers[row] = f"{number:05d}"
    return _objects(names), _objects(numbers)


def _noaa(text: str, time: float) -> int:
    """A region's number, 0 where there is none; one of four digits after June 2002 gets its 10000."""
    match = _NUMBER.fullmatch(text)
    number = int(match[1]) if match else 0
    return number + 10_000 if 0 < number < 5000 and time >= FIVE_DIGITS else number


def _feature(cells: Cells, table: Table, name: str) -> FloatArray:
    """Values of a feature, NaN = missing."""
    feature = table.features[name]
    column = name if feature.column is None else feature.column
    if feature.codes is not None:
        return _coded(cells, table, column, feature)
    values = _numbers(cells, table, column, name) * feature.factor
    for row in np.flatnonzero(np.abs(values) > _FLOAT32_LARGEST):
        told = f"{column}: expected a number below 3.4e38, got {values[row]:g}; give the feature a factor"
        cells.leave_out(int(row), "number too large", told)
        values[row] = np.nan
    return values


def _numbers(cells: Cells, table: Table, column: str, name: str) -> FloatArray:
    """Numbers of a column, NaN = missing."""
    values = np.full(cells.n_rows, np.nan)
    for row, text in enumerate(cells.columns[column]):
        try:
            number = float(text) if "_" not in text else math.nan
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            values[row] = number
        elif not is_missing(text, table.file):
            what = name if name == column else f"{name} ({column!r})"
            cells.leave_out(row, "no number", f"{what}: expected a number, got {text[:60]!r}")
    return values


def _longitudes(cells: Cells, table: Table, column: str) -> FloatArray:
    """Longitudes [deg], NaN = missing."""
    values = _numbers(cells, table, column, "longitude")
    for row in np.flatnonzero(np.abs(values) > 180):
        told = f"{column}: expected a longitude of -180 to 180 degrees, got {values[row]:g}"
        cells.leave_out(int(row), "no longitude", told)
        values[row] = np.nan
    return values


def _coded(cells: Cells, table: Table, column: str, feature: Feature) -> FloatArray:
    """Numbers of a column of text, by the mapping's codes."""
    values = np.full(cells.n_rows, np.nan)
    codes = {name.upper(): code for name, code in (feature.codes or {}).items()}
    for row, text in enumerate(cells.columns[column]):
        if is_missing(text, table.file):
            continue
        part = text if feature.character is None else text[feature.character - 1 : feature.character]
        if part.upper() in codes:
            values[row] = codes[part.upper()]
        else:
            told = f"{column}: expected one of {', '.join(feature.codes or {})}, got {text[:60]!r}"
            cells.leave_out(row, "no code", told)
    return values

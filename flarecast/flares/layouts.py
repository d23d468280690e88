"""The layouts of flare lists in text tables, told apart by their header.

| layout | known by | where from |
|---|---|---|
| flarecast | `start,peak,end,flux,flux_upper,region,source,flux_scale` | `flarecast read-flares` |
| times, label | `start_time,peak_time,end_time,label,noaa_ar,obs` | CLEAR, from NOAA's yearly reports |
| SolarFlareNet | `Flare Class,Start Time,Peak Time,End Time,Active Region Number` | 1996-2022 |
| HEK | `event_starttime,...,fl_goescls,ar_noaanum` | as SunPy serves it |
| flare level | `NOAA_AR,Flare Start Time,Flare Level` | tens: A, B, C, M, X (4 and more) |
| latest events | `EName,Start,Stop,Peak,GOES_Class,NOAA_ID` | SolarSoft; Stop and Peak are times of day |
| reports as CSV | `start_time,max_time,end_time,goes_class,noaa_ar` | times of day after the first |
| SHARP before flares | `NOAA_ar_num,T_REC,log_intensity` | hours before the peak: in the name |
| M and X list | no header: `2014 01 01 1840 1852 1903 M9.9 1936` | UK Met Office verification |
| xray_flares.json | JSON: `begin_time`, `max_time`, `max_class`, `satellite` | SWPC, last days |
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flarecast import goes
from flarecast.cycles import seconds
from flarecast.flares import clock
from flarecast.flares.entry import BROKEN, NO_CLASS, NO_WHEN, Entry, class_fluxes
from flarecast.flares.numbering import complete_one, printed_number
from flarecast.flares.scales import satellite_number
from flarecast.schema import NO_TIME

Cells = Mapping[str, str]
Problem = tuple[str, str]
Times = tuple[int, int, int]

ONE_TRACK_STEP = 720
"""Cadence of SHARP records [s]: their times are the flare's to half of it, and some minutes of rounding."""

_FIRST_GOES = seconds("1974-01")
_HOURS = re.compile(r"(\d{1,3})h", re.IGNORECASE)
_LEVELS = "ABCMX"
_LARGEST_LEVEL = 140


@dataclass(frozen=True)
class Layout:
    """How a list is read.

    Attributes:
        columns: Names that its header has, all of them.
        read: Cells of a line and the file's name -> its flare, or the reason for none and what was expected.
    """

    columns: tuple[str, ...]
    read: Callable[[Cells, str], Entry | Problem]


def _named(start: str, peak: str, end: str, names: tuple[str, str, str], clocks: bool = False) -> Layout:
    """A list with a column each for start, peak, end and (class, region, satellite; empty = none)."""
    cls, region, satellite = names

    def read(cells: Cells, _: str) -> Entry | Problem:
        times = _times(cells[start], cells[peak], cells[end], clocks)
        number = satellite_number(cells.get(satellite, ""))
        return _entry(cells[cls], times, cells[region], satellite=number)

    return Layout((start, peak, end, cls, region), read)


def _own(cells: Cells, _: str) -> Entry | Problem:
    """A line of flares.csv."""
    times = clock.moment(cells["start"]), clock.moment(cells["peak"]), clock.moment(cells["end"])
    flux, upper = number(cells["flux"]), number(cells["flux_upper"])
    if not (0 < flux <= upper and flux < 1) or cells["flux_scale"] not in goes.FLUX_SCALES:
        return BROKEN, f"0 < flux <= flux_upper and a flux_scale among {', '.join(goes.FLUX_SCALES)}"
    entry = _timed(times, (flux, upper), cells["region"])
    scale = goes.FLUX_SCALES.index(cells["flux_scale"])
    return entry._replace(scale=scale, source=cells["source"]) if isinstance(entry, Entry) else entry


def _level(cells: Cells, _: str) -> Entry | Problem:
    """A class as one number: 23.1 is C3.1, 41.5 is X1.5, 52.0 is X12."""
    level = number(cells["Flare Level"])
    likely = 0 < level < _LARGEST_LEVEL
    decade = min(int(level // 10), len(_LEVELS) - 1) if likely else 0
    fluxes = class_fluxes(f"{_LEVELS[decade]}{level - 10 * decade:.2f}") if likely else None
    if fluxes is None:
        return BROKEN, "a flare level like 23.1"
    return _timed((clock.moment(cells["Flare Start Time"]), NO_TIME, NO_TIME), fluxes, cells["NOAA_AR"])


def _before(cells: Cells, name: str) -> Entry | Problem:
    """A SHARP record some hours before a flare; the hours are in the file's name, as arflares24h.csv."""
    hours = _HOURS.search(name)
    if hours is None:
        return BROKEN, "hours in the file's name, like arflares24h.csv"
    record, flux = number(cells["T_REC"]), 10 ** np.clip(number(cells["log_intensity"]), -99, 9)
    if not (_FIRST_GOES < record < seconds("2100-01") and 1e-9 < flux < 1e-2):
        return BROKEN, "T_REC in seconds since 1970 and log_intensity of a flare"
    # A power of ten is off in its last digits, and M1.0 may not come out below M1.0.
    rounded = float(f"{flux:.6g}")
    peak = round(record) + int(hours[1]) * 3600
    entry = _timed((NO_TIME, peak, NO_TIME), (rounded, rounded), cells["NOAA_ar_num"])
    return entry._replace(accuracy=ONE_TRACK_STEP) if isinstance(entry, Entry) else entry


LAYOUTS: dict[str, Layout] = {
    "flarecast": Layout(
        ("start", "peak", "end", "flux", "flux_upper", "region", "source", "flux_scale"), _own
    ),
    "times, label": _named("start_time", "peak_time", "end_time", ("label", "noaa_ar", "obs")),
    "SolarFlareNet": _named(
        "Start Time", "Peak Time", "End Time", ("Flare Class", "Active Region Number", "")
    ),
    "HEK": _named("event_starttime", "event_peaktime", "event_endtime", ("fl_goescls", "ar_noaanum", "")),
    "flare level": Layout(("NOAA_AR", "Flare Start Time", "Flare Level"), _level),
    "latest events": _named("Start", "Peak", "Stop", ("GOES_Class", "NOAA_ID", ""), clocks=True),
    "reports as CSV": _named(
        "start_time", "max_time", "end_time", ("goes_class", "noaa_ar", "goes_sat"), clocks=True
    ),
    "SHARP before flares": Layout(("NOAA_ar_num", "T_REC", "log_intensity"), _before),
}

NOT_LISTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("C+", "M+", "X+"),
        "it counts flares by class, and counts have neither times nor peaks nor can they be"
        " brought to another scale",
    ),
    (("DEF_HARPNUM", "NOAA_ARS"), "it is a map from HARP to NOAA numbers"),
)
"""Headers of files that look like flare lists and are none, and what they are."""

HEADERLESS = re.compile(
    r"\s*(\d{4}) (\d{2}) (\d{2})\s+(\d{4})\s+(\d{4})\s+(\d{4})\s+([ABCMX][\d.]+)\s+(\S+)\s*"
)


def layout_of(header: Sequence[str]) -> Layout | None:
    """The layout whose columns a header has; None if there is none."""
    there = set(header)
    return next((layout for layout in LAYOUTS.values() if there.issuperset(layout.columns)), None)


def read_headerless(line: str) -> Entry | Problem:
    """A line of the M and X list."""
    match = HEADERLESS.fullmatch(line)
    if match is None:
        return BROKEN, "a line like 2014 01 01 1840 1852 1903 M9.9 1936"
    day = clock.day_start(int(match[1]), int(match[2]), int(match[3]))
    start, peak, end = (clock.time_of_day(match[column], day) for column in (4, 5, 6))
    return _entry(match[7], (start, peak, end), match[8])


def read_served(record: Mapping[str, object]) -> Entry | Problem:
    """A record of SWPC's `xray_flares.json`: nulls where the flare goes on."""
    names = ("begin_time", "max_time", "end_time", "max_class")
    cells = {name: str(record[name]) if isinstance(record.get(name), str) else "" for name in names}
    times = (
        clock.moment(cells["begin_time"]),
        clock.moment(cells["max_time"]),
        clock.moment(cells["end_time"]),
    )
    satellite = satellite_number(str(record.get("satellite", "")))
    return _entry(cells["max_class"], times, "", satellite=satellite)


def number(text: str) -> float:
    """A cell's number; NaN where it is none."""
    try:
        value = float(text)
    except ValueError:
        return float("nan")
    return value if np.isfinite(value) or value == np.inf else float("nan")


def _times(start: str, peak: str, end: str, clocks: bool) -> Times:
    """The three times, of which the latter two may be times of the start's day only."""
    first = clock.moment(start)
    if not clocks:
        return first, clock.moment(peak), clock.moment(end)
    day = NO_TIME if first == NO_TIME else first - first % clock.DAY
    return first, _either(peak, day), _either(end, day)


def _either(text: str, day: int) -> int:
    """A time of day, or a date and time."""
    time = clock.time_of_day(text, day)
    return clock.moment(text) if time == NO_TIME else time


def _entry(cls: str, times: Times, region: str, satellite: int = 0) -> Entry | Problem:
    """A flare with a class."""
    fluxes = class_fluxes(cls)
    if fluxes is None:
        if cls.strip().lower() in ("", "none", "nan"):
            return NO_CLASS, "a GOES class"
        return BROKEN, "a GOES class like M1.0"
    return _timed(times, fluxes, region, satellite)


def _timed(times: Times, fluxes: tuple[float, float], region: str, satellite: int = 0) -> Entry | Problem:
    """A flare with its times in order and its region completed."""
    entry = Entry(*clock.in_order(*times), *fluxes, 0, satellite)
    if entry.when == NO_TIME:
        return NO_WHEN, "a time of start, peak or end"
    return entry._replace(region=complete_one(printed_number(region), entry.when))

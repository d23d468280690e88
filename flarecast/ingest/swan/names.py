"""What the name of a SWAN-SF file says: label, flare, region, first and last time stamp.

These forms are read, and each also with `_` for `:`, which Windows does not allow in names:

    X5.4@3386:Primary_ar1449_s2012-03-05T13:24:00_e2012-03-06T01:12:00.csv    the release, flare
    FQ_ar1449_s2012-03-01T13:24:00_e2012-03-02T01:12:00.csv                   the release, quiet
    lab[M]1.6@6915_id[3321]_st[2013-11-01T11:00:00]_et[2013-11-01T22:48:00].csv   the toolkit, flare
    lab[NF]_id[3321]_st[2013-11-01T11:00:00]_et[2013-11-01T22:48:00].csv          the toolkit, quiet

The number after `ar` or `id` is a HARP number, not a NOAA number. Times are as printed. Source: Angryk et al.
(2020), Sci Data 7, 227, and the public readers of the release.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from flarecast import goes
from flarecast.errors import FlarecastError

_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d[:_]\d\d[:_]\d\d(?:\.0*)?", re.ASCII)
_TIME = r"\d{4}-\d\d-\d\dT\d\d[:_]\d\d[:_]\d\d"
_LABEL = r"(?P<class>[A-Z]\d+(?:\.\d+)?)@(?P<flare>\d+)[:_](?:Primary|Secondary|\w+?)|FQ|NF"
_OFFICIAL = re.compile(
    rf"(?:{_LABEL})_ar(?P<region>\d+)_s(?P<first>{_TIME})_e(?P<last>{_TIME})\.csv", re.ASCII
)
_TOOLKIT = re.compile(
    r"lab\[(?:(?P<letter>[A-Z])|FQ|NF)\](?P<multiple>\d+(?:\.\d+)?)?(?:@(?P<flare>\d+)(?:[:_]\w+?)?)?"
    rf"_id\[(?P<region>\d+)\]_st\[(?P<first>{_TIME})\]_et\[(?P<last>{_TIME})\]\.csv",
    re.ASCII,
)
_LONGEST_REGION = 9
"""Digits of a HARP number; there are some 14,000 of them."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A file's name, understood.

    Attributes:
        region: HARP number.
        first, last: First and last time stamp [s since 1970].
        low, high: Bounds of the largest flare's peak flux [W m-2]; both 0 if the label is quiet.
        flare_id: Number of that flare in the list that the labels come from; empty if none.
    """

    region: int
    first: int
    last: int
    low: float
    high: float
    flare_id: str


def looks_like_instance(name: str) -> bool:
    """Whether a file name is meant to be one of an instance: so it is read, or counted as unreadable."""
    return name.endswith(".csv") and ("_ar" in name or name.startswith("lab["))


def parse_name(name: str) -> Instance | None:
    """Understand a file name (without folders); None if it follows none of the forms."""
    match = _OFFICIAL.fullmatch(name)
    if match is not None:
        text = match["class"]
    else:
        match = _TOOLKIT.fullmatch(name)
        if match is None:
            return None
        text = (match["letter"] or "") + (match["multiple"] or "")
    first, last = _seconds(match["first"]), _seconds(match["last"])
    bounds = class_bounds(text or "")
    if first is None or last is None or bounds is None or len(match["region"]) > _LONGEST_REGION:
        return None
    return Instance(int(match["region"]), first, last, *bounds, match["flare"] or "")


def official_name(label: str, region: int, first: str, last: str) -> str:
    """Name of a file in the release's form, e.g. of label `M1.2@17:Primary` or `FQ`; times like iso8601."""
    return f"{label}_ar{region}_s{first}_e{last}.csv"


@lru_cache(maxsize=4096)
def class_bounds(text: str) -> tuple[float, float] | None:
    """Bounds of the peak flux that a class means [W m-2]; of "" (quiet) both are 0; None: it is no class."""
    if not text:
        return 0.0, 0.0
    try:
        if len(text) == 1:
            return goes.class_bounds(text)
        flux = goes.parse_class(text)
    except FlarecastError:
        return None
    return flux, flux


def parse_time(text: str) -> int | None:
    """UTC [s since 1970] of `2012-03-05T13:24:00`, or with a blank for T or `_` for `:`; None: no time."""
    return _seconds(text) if _STAMP.fullmatch(text) else None


def _seconds(text: str) -> int | None:
    """UTC [s since 1970] of a text that has the form of a time."""
    day, hour, minute, second = _day(text[:10]), int(text[11:13]), int(text[14:16]), int(text[17:19])
    if day is None or hour > 23 or minute > 59 or second > 59:
        return None
    return day + hour * 3600 + minute * 60 + second


@lru_cache(maxsize=16_384)
def _day(text: str) -> int | None:
    """Seconds since 1970 at 00:00 of a day like `2012-03-05`."""
    try:
        return (date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()) * 86_400
    except ValueError:
        return None

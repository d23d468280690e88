"""Read other people's tables: find the separator, the header, and the columns of regions and times."""

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from flarecast.errors import FlarecastError
from flarecast.split.regions import DISK

REGION_NAMES = (
    *("region", "harpnum", "harp", "harpnumber", "sharpnum", "sharp", "noaaar", "noaanum", "noaa", "noaaars"),
    *("noaaregion", "noaaid", "nmbr", "ar", "arnum", "arnumber", "arnoaanum", "activeregion", "regionid"),
    *("activeregionnumber", "regionnumber", "nar"),
)
"""Names of columns of regions, letters and digits alone, the likeliest first."""

TIME_NAMES = (
    *("issuetime", "arissuedate", "issuedate", "trec", "time", "timestamp", "datetime", "obstime", "dateobs"),
    *("endtime", "et", "windowend", "date", "predictiondate", "timestart", "starttime", "st"),
)
"""Names of columns of times, likewise."""

ROLE_NAMES = ("role", "dataset", "split", "set", "subset", "partition")

SEPARATORS = (",", "\t", ";", "|")

UNKNOWN = frozenset({"", "0", "-1", "nan", "none", "null", "unknown", "n/a", "na"})
"""Cells of a region column that name no region."""

FILE_NAME = re.compile(
    r"hmi\.(?:m_|b_)?\w*?sharp\w*\.(?P<harp>\d+)\.(?P<time>\d{8}_\d{6})"  # SHARP files of JSOC
    r"|(?:_ar|_id\[)(?P<harp2>\d+)\]?_st?\[?[-\dT:_]+\]?_et?\[?(?P<time2>\d{4}[-\dT:_]+)",  # SWAN-SF files
    re.IGNORECASE,
)
_MOMENT = re.compile(
    r"(?<!\d)(?P<Y>(?:19|20)\d\d)(?:[-./]?(?P<m>\d\d)[-./]?(?P<d>\d\d)|[-./](?P<m1>\d{1,2})[-./](?P<d1>\d{1,2}))"
    r"(?:[T_ ]{0,2}(?P<H>\d{1,2})[:._]?(?P<M>\d\d)(?:[:._]?(?P<S>\d\d))?)?"
)
FOUR_DIGITS = 5000
"""NOAA numbers below were printed without their leading 1, as since June 2002."""


def read_cells(path: Path) -> pd.DataFrame:
    """Read a table as text, whatever separates its columns; columns without a header are named by number.

    Raises:
        FlarecastError: No such file, no table, or one without rows.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = next((line for line in file if line.strip()), "")
        counts = {separator: first.count(separator) for separator in SEPARATORS}
        separator = max(counts, key=lambda one: counts[one]) if any(counts.values()) else ","
        with warnings.catch_warnings(action="ignore", category=pd.errors.ParserWarning):  # a comma too many
            cells = pd.read_csv(
                path,
                dtype=str,
                sep=separator,
                header=None if _is_data(first.split(separator)) else "infer",
                keep_default_na=False,
                index_col=False,
                skipinitialspace=True,
                encoding="utf-8-sig",
            )
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:  # pandas' own errors and wrong encodings
        raise FlarecastError(f"{path}: expected a CSV table, got something else ({error})") from error
    if cells.empty:
        raise FlarecastError(f"{path}: expected rows, got a table without any")
    headless = all(isinstance(name, int) for name in cells.columns)
    cells.columns = [str(name + 1) if headless else str(name).strip() for name in cells.columns]
    return cells.apply(lambda column: column.str.strip())


def find_columns(
    cells: pd.DataFrame, path: Path, asked: Mapping[str, str | None], others: Sequence[str] = ()
) -> dict[str, str]:
    """Names of the columns `region`, `time`, `noaa` and `file` of a table, those that there are.

    Args:
        cells: The table.
        path: Its name in messages.
        asked: Columns that the user names for `region` and `time`; a number counts columns from 1.
        others: Columns of the table to compare with; of several that could be meant those in both are taken.

    Raises:
        FlarecastError: A column that the user names is not there.
    """
    found: dict[str, str] = {}
    for what, known in (("region", REGION_NAMES), ("time", TIME_NAMES)):
        name = asked.get(what)
        if name is not None and name not in cells.columns:
            if not (name.isdecimal() and 1 <= int(name) <= cells.shape[1]):
                raise FlarecastError(
                    f"{path}: expected a column {name} (--{what}), got "
                    f"{', '.join(cells.columns[:20])}; name one of these or its number"
                )
            name = str(cells.columns[int(name) - 1])
        name = name or _likeliest(cells.columns, known, others)
        if name is not None:
            found[what] = name
    if "1" in cells.columns and not found:
        found = _by_content(cells)
    noaa = _likeliest(cells.columns, [name for name in REGION_NAMES if _kind(name) == "NOAA"], others)
    if noaa is not None and found.get("region") != noaa:
        found["noaa"] = noaa
    if not {"region", "time"} <= set(found):
        texts = [name for name in cells.columns if FILE_NAME.search(cells[name].iloc[0])]
        found |= {"file": texts[0]} if texts else {}
    return found


def region_names(cells: pd.DataFrame, found: Mapping[str, str]) -> pd.DataFrame | None:
    """Columns `region` (empty = unknown) and `noaa_regions` (five digits, comma separated); or None."""
    if "region" in found:
        names, kind = cells[found["region"]], _kind(found["region"])
        if not kind and names.str.fullmatch(r"1\d{4}(\.0*)?").all():
            kind = "NOAA"  # HARP numbers are far from 10000
    elif "file" in found:
        read = cells[found["file"]].str.extract(FILE_NAME)
        names, kind = read["harp"].fillna(read["harp2"]).fillna(""), "HARP"
    else:
        return None
    numbers = (
        cells[found["noaa"]] if "noaa" in found else (names if kind == "NOAA" else names.str.slice(0, 0))
    )
    listed = numbers.drop_duplicates()
    noaa = numbers.map(dict(zip(listed, (_noaa_numbers(text) for text in listed), strict=True)))
    listed = names.drop_duplicates()
    name_of = dict(zip(listed, (_region_name(text, kind) for text in listed), strict=True))
    table = pd.DataFrame({"region": names.map(name_of), "noaa_regions": noaa})
    from_noaa = (table["region"] == "") & (table["noaa_regions"] != "")
    first = "NOAA " + table["noaa_regions"].str.split(",").str[0]
    table["region"] = table["region"].mask(from_noaa, first)
    return table


def times_of(cells: pd.DataFrame, name: str) -> pd.Series:
    """UTC seconds since 1970 of a column of times in any usual layout, NaN where there is none."""
    text = cells[name]
    if text.str.fullmatch(r"1?\d{9}(\.\d*)?").all() and not text.str.match(r"(19|20)\d{8}").all():
        return text.astype(float)
    found = FILE_NAME.pattern  # a SHARP or SWAN-SF file name says which of its times is meant
    named = text.str.extract(re.compile(found, re.IGNORECASE))
    text = named["time"].fillna(named["time2"]).fillna(text)
    iso = pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601")
    if iso.notna().all():
        return (iso.dt.tz_localize(None) - pd.Timestamp(0)).dt.total_seconds()
    part = text.str.extract(_MOMENT)
    date = (
        part["Y"]
        + "-"
        + part["m"].fillna(part["m1"]).str.zfill(2)
        + "-"
        + part["d"].fillna(part["d1"]).str.zfill(2)
    )
    clock = [part[letter].fillna("00").str.zfill(2) for letter in "HMS"]
    moment = date + "T" + clock[0] + ":" + clock[1] + ":" + clock[2]
    times = pd.to_datetime(moment, errors="coerce", format="%Y-%m-%dT%H:%M:%S")
    return (times - pd.Timestamp(0)).dt.total_seconds()


def _is_data(cells: Sequence[str]) -> bool:
    """Whether a first line is no header: at least half of its cells are numbers or begin with a date."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    data = [
        cell for cell in filled if re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", cell, re.I) or _MOMENT.match(cell)
    ]
    return bool(filled) and 2 * len(data) >= len(filled)


def _plain(name: str) -> str:
    """A column's name, letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _likeliest(names: Sequence[str], known: Sequence[str], others: Sequence[str]) -> str | None:
    """The column that comes first in a list of known names, those of both tables before the rest."""
    there = {_plain(name): name for name in reversed(list(names))}
    shared = {_plain(name) for name in others}
    ranked = [name for name in known if name in there]
    ranked.sort(key=lambda name: name not in shared)
    return there[ranked[0]] if ranked else None


def _by_content(cells: pd.DataFrame) -> dict[str, str]:
    """Columns of regions and times of a table without a header: region numbers that recur, full dates."""
    some, found = cells.head(1000), {}
    for name in cells.columns:
        if "time" not in found and some[name].str.match(_MOMENT).all():
            found["time"] = name
        elif (
            "region" not in found and some[name].str.fullmatch(r"\d{2,5}").all() and not some[name].is_unique
        ):
            found["region"] = name
    return found


def _kind(name: str) -> str:
    """What numbers of a column are: HARP, NOAA, or nothing known."""
    plain = _plain(name)
    if "harp" in plain:
        return "HARP"
    return "NOAA" if plain in REGION_NAMES and plain not in ("region", "regionid", "regionnumber") else ""


def _region_name(text: str, kind: str) -> str:
    """One name of a region: `11158.0` of a NOAA column -> `NOAA 11158`; empty where it names none."""
    text = re.sub(r"^(\d+)\.0*$", r"\1", text.strip())
    if text.casefold() in UNKNOWN:
        return ""
    numbers = _noaa_numbers(text) if kind == "NOAA" else ""
    if numbers:
        return f"NOAA {numbers.split(',')[0]}"
    if text.casefold() == DISK:
        return DISK
    return f"{kind} {text}" if kind and text.isdecimal() else text


def _noaa_numbers(text: str) -> str:
    """NOAA numbers of a cell as five digits, comma separated: `1884;11885.0` -> `11884,11885`."""
    numbers = [
        int(number) for number in re.findall(r"(?<![\d.])\d{1,5}(?![\d])", re.sub(r"\.0+\b", "", text))
    ]
    return ",".join(f"{n + 10_000 if n < FOUR_DIGITS else n:05d}" for n in numbers if n > 0)

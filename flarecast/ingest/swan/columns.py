"""Which column of a SWAN-SF file is which: by name, whatever their order, number and case."""

from dataclasses import dataclass

from flarecast.ingest.sun.parameters import PARAMETERS

FEATURES = tuple(PARAMETERS)
"""The 24 magnetic parameters. Nothing else of a file is ever a feature: the rest is place, quality, and the
label in many forms (`*FLARE*`, `*LABEL*`, `*LOC*`, `XR_*`)."""

UNITS = tuple(parameter.unit for parameter in PARAMETERS.values())

_FLARES = tuple(f"{letter}FLARE" for letter in "BCMX")

COLUMNS = (
    "Timestamp",
    *FEATURES,
    "CRVAL1", "CRLN_OBS", "CRLT_OBS", "CRVAL2", "HC_ANGLE", "SPEI", "LAT_MIN", "LON_MIN", "LAT_MAX",
    "LON_MAX", "QUALITY",
    *(name for flare in _FLARES for name in (flare, f"{flare}_LABEL")),
    *(name for flare in _FLARES for name in (f"{flare}_LOC", f"{flare}_LABEL_LOC")),
    "XR_MAX", "XR_QUAL", "IS_TMFI",
)  # fmt: skip
"""The 55 columns of the release, in its order."""

_NOAA = ("NOAA_AR", "SHNARN")


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of the columns that are read, counted from 0; -1 = there is none.

    Attributes:
        n_columns: Columns in all.
        time: Place of the time stamp.
        numbers: Places of the 24 features, then of LON_MIN and LON_MAX where there are both.
        noaa: Place of the list of NOAA numbers.
    """

    n_columns: int
    time: int
    numbers: tuple[int, ...]
    noaa: int


def read_header(line: bytes) -> Layout | str:
    """Find the columns in a header line; a sentence where that cannot be."""
    names = line.decode("latin-1").strip("\r\n\ufeff").removeprefix("ï»¿").upper().split("\t")
    place = {name.strip(): number for number, name in enumerate(names)}
    absent = [name for name in ("TIMESTAMP", *FEATURES) if name not in place]
    if absent:
        shown = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
        return f"line 1: expected tab-separated column names, got none called {shown}"
    twice = sorted({name for name in ("TIMESTAMP", *FEATURES) if names.count(name) > 1})
    if twice:
        return f"line 1: expected each column once, got {', '.join(twice)} twice"
    longitudes = [place[name] for name in ("LON_MIN", "LON_MAX") if name in place]
    numbers = [place[name] for name in FEATURES]
    noaa = next((place[name] for name in _NOAA if name in place), -1)
    return Layout(
        len(names),
        place["TIMESTAMP"],
        tuple(numbers + (longitudes if len(longitudes) == 2 else [])),
        noaa,
    )

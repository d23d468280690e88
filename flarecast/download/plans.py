"""Which files each source is made of, and where they lie.

A plan is a function `(desk, *, options) -> files wanted`. The addresses are those that the field's public
code uses (docs/sources.md); none of the files but SWAN-SF's has a hash that its owner publishes.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from flarecast.download.listing import dataverse_files, names_listed
from flarecast.download.wanted import MEGABYTE, Missing, Unreachable, Wanted
from flarecast.errors import FlarecastError


@dataclass(frozen=True)
class Desk:
    """What a plan may ask: the base addresses, the year now, what is here, and the text of an address.

    `here` are the files that came earlier and are whole, `present` all files of the folder.
    """

    bases: tuple[str, ...]
    year: int
    here: Collection[str]
    present: Collection[str]
    read: Callable[[Wanted], str]

    def at(self, path: str) -> tuple[str, ...]:
        """Addresses of a path below each base."""
        return tuple(f"{base.rstrip('/')}/{path}" for base in self.bases)


SWAN_SF = "doi:10.7910/DVN/EBCFKM"
NOAA_KINDS = {
    "DSD": "{year}_DSD.txt",
    "SRS": "{year}_SRS.tar.gz",
    "events": "{year}_events.tar.gz",
    "RSGA": "{year}_RSGA.tar.gz",
}
FIRST_NOAA_YEAR = 1996
GOES_OF_YEAR = {
    **dict.fromkeys(range(1995, 2003), (8,)),
    2003: (8, 12),
    **dict.fromkeys(range(2004, 2007), (12,)),
    2007: (12, 10),
    **dict.fromkeys(range(2008, 2010), (10,)),
    2010: (14, 15),
    **dict.fromkeys(range(2011, 2017), (15,)),
    2017: (15, 16),
    **dict.fromkeys(range(2018, 2025), (16,)),
    2025: (16, 19),
}
"""Satellites whose files cover a year, the fewest; from 2026 on GOES-19."""

GOES_YEARS = {
    **{8: (1995, 2003), 9: (1996, 1998), 10: (1998, 2009), 11: (2006, 2008), 12: (2003, 2007)},
    **{13: (2013, 2017), 14: (2009, 2020), 15: (2010, 2020), 16: (2017, 2025), 17: (2018, 2024)},
    **{18: (2022, 9999), 19: (2024, 9999)},
}
_OLD_GOES = "data/goes-space-environment-monitor/access/science/xrs"
_NEW_GOES = "platforms/solar-space-observing-satellites/goes"
_NAMES = r"sci_xrsf-l2-avg1m_g{satellite:02d}_{span}_v(\d+)-(\d+)-(\d+)\.nc"


def swan_sf(desk: Desk, *, only: tuple[str, ...] = ()) -> list[Wanted]:
    """The five archives of SWAN-SF, or some partitions; sizes and md5s are what Dataverse says of them."""
    partitions = _chosen(only, [str(number) for number in range(1, 6)], "partitions")
    names = [f"partition{number}_instances.tar.gz" for number in partitions]
    page = desk.at(f"api/datasets/:persistentId/?persistentId={SWAN_SF}")
    if set(names) <= set(desk.here):
        return [Wanted(name, page) for name in names]
    try:
        files = dataverse_files(desk.read(Wanted("swan-sf.json", page, limit=16 * MEGABYTE)), page[0])
    except Unreachable:
        if not set(names) <= set(desk.present):
            raise
        return [Wanted(name, page) for name in names]  # put there by hand, as we asked
    lacking = [name for name in names if name not in files]
    if lacking:
        raise FlarecastError(
            f"{SWAN_SF}: expected {', '.join(lacking)}, got {', '.join(sorted(files)[:12]) or 'no files'}"
        )
    return [
        Wanted(
            name,
            desk.at(f"api/access/datafile/{files[name].number}"),
            size=files[name].size,
            hash=files[name].hash,
            limit=files[name].size,
        )
        for name in names
    ]


def noaa(
    desk: Desk,
    *,
    only: tuple[str, ...] = (),
    first_year: int = FIRST_NOAA_YEAR,
    last_year: int | None = None,
) -> list[Wanted]:
    """NOAA's yearly archives, all kinds or some, up to the year that ended last."""
    kinds = _chosen(only, NOAA_KINDS, "kinds of file")
    years = _years(first_year, last_year, desk.year, FIRST_NOAA_YEAR)
    return [
        Wanted(
            name,
            desk.at(f"{year}/{name}"),
            grows=year >= desk.year,
            optional=last_year is None and year == years[-1],
            limit=256 * MEGABYTE,
        )
        for kind in kinds
        for year in years
        for name in [NOAA_KINDS[kind].format(year=year)]
    ]


def goes(
    desk: Desk, *, only: tuple[str, ...] = (), first_year: int = 1995, last_year: int | None = None
) -> list[Wanted]:
    """One-minute means of GOES X-ray fluxes, science quality: a file a year from GOES-16 on, else one a day.

    Without `only` (satellites) the fewest satellites that cover each year.
    """
    asked = [int(number) for number in _chosen(only, [str(number) for number in GOES_YEARS], "satellites")]
    wanted: list[Wanted] = []
    for year in _years(first_year, last_year, desk.year, 1995):
        named = asked if only else GOES_OF_YEAR.get(year, (19,))
        for satellite in named:
            first, last = GOES_YEARS[satellite]
            if first <= year <= last:
                wanted += (_goes_year if satellite >= 16 else _goes_days)(desk, satellite, year)
    if not wanted:
        raise FlarecastError(f"goes: satellites {', '.join(only)} have no data in those years")
    return wanted


def sharp(desk: Desk) -> list[Wanted]:
    """Which NOAA regions each HARP holds, JSOC's list; `ingest sharp` fetches the keywords themselves."""
    name = "all_harps_with_noaa_ars.txt"
    return [Wanted(name, desk.at(f"doc/data/hmi/harpnum_to_noaa/{name}"), grows=True, limit=64 * MEGABYTE)]


def silso(desk: Desk) -> list[Wanted]:
    """SILSO's daily total sunspot number since 1818."""
    urls = (*desk.at("INFO/sndtotcsv.php"), *desk.at("DATA/SN_d_tot_V2.0.csv"))
    return [Wanted("SN_d_tot_V2.0.csv", urls, grows=True, limit=64 * MEGABYTE)]


def _goes_year(desk: Desk, satellite: int, year: int) -> list[Wanted]:
    """The file of a year of GOES-16 or later, of the newest version."""
    pattern = _NAMES.format(satellite=satellite, span=f"y{year}")
    known = [name for name in desk.here if re.fullmatch(pattern, name)]
    folder = f"{_NEW_GOES}/goes{satellite}/l2/data/xrsf-l2-avg1m_science"
    if known and year < desk.year:
        return [Wanted(_newest(known, pattern), desk.at(folder))]
    page = desk.at(f"{folder}/")[-1:]
    names = names_listed(desk.read(Wanted("goes.html", page, limit=16 * MEGABYTE)), pattern, page[0])
    name = _newest(names, pattern)
    return [Wanted(name, (f"{page[0]}{name}",), grows=year >= desk.year)]


def _goes_days(desk: Desk, satellite: int, year: int) -> list[Wanted]:
    """The files of the days of a year of GOES-8 to 15, each of the newest version."""
    wanted = []
    for month in range(1, 13):
        page = desk.at(f"{_OLD_GOES}/goes{satellite:02d}/xrsf-l2-avg1m_science/{year}/{month:02d}/")[:1]
        try:
            text = desk.read(Wanted("goes.html", page, limit=16 * MEGABYTE))
        except Missing:
            continue  # the satellite did not observe in that month
        names = names_listed(text, _NAMES.format(satellite=satellite, span=r"d\d{8}"), page[0])
        days = sorted({name.split("_")[3] for name in names})
        newest = [_newest(names, _NAMES.format(satellite=satellite, span=day)) for day in days]
        wanted += [Wanted(name, (f"{page[0]}{name}",), limit=64 * MEGABYTE) for name in newest]
    return wanted


def _newest(names: Collection[str], pattern: str) -> str:
    """Of the names that match, the one of the highest version."""
    found = [match for name in names if (match := re.fullmatch(pattern, name))]
    return max(found, key=lambda match: tuple(int(part) for part in match.groups())).group()


def _chosen(only: Sequence[str], known: Collection[str], what: str) -> list[str]:
    """What was asked for, or all there is."""
    strange = [name for name in only if name not in known]
    if strange:
        raise FlarecastError(f"only: expected {what} out of {', '.join(known)}, got {', '.join(strange)}")
    return [name for name in known if name in only or not only]


def _years(first: int, last: int | None, now: int, earliest: int) -> range:
    """Years from the first to the last, or to the one that ended last."""
    end = now - 1 if last is None else last
    if not earliest <= first <= end <= now:
        raise FlarecastError(
            f"years: expected {earliest} <= first <= last <= {now}, got {first} and {end};"
            " change --from or --to"
        )
    return range(first, end + 1)

"""Raw data fetched from those who publish them.

A source is an entry of `SOURCES`: its base addresses and its plan, the function that says which files there
are. `download` brings those that are not here yet. To add one: write a plan, add a line here and one to the
shared test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flarecast.download import plans
from flarecast.download.obtain import Outcome, obtain_all, read_text
from flarecast.download.records import NAME as RECORD
from flarecast.download.records import Entry, alone, is_whole, read_record
from flarecast.download.wanted import Means, Unreachable, Wanted
from flarecast.errors import FlarecastError, choose

__all__ = ["RECORD", "SOURCES", "Entry", "Means", "Outcome", "download", "read_record"]


@dataclass(frozen=True)
class Source:
    """Base addresses, of which a plan says how it uses them, and what a person would fetch by hand."""

    bases: tuple[str, ...]
    plan: Callable[..., list[Wanted]]
    by_hand: str


SOURCES: dict[str, Source] = {
    "swan-sf": Source(
        ("https://dataverse.harvard.edu",),
        plans.swan_sf,
        "partition1_instances.tar.gz to partition5_instances.tar.gz from https://doi.org/10.7910/DVN/EBCFKM",
    ),
    "noaa": Source(
        ("ftp://ftp.swpc.noaa.gov/pub/warehouse", "https://ftp.swpc.noaa.gov/pub/warehouse"),
        plans.noaa,
        "YEAR_DSD.txt, YEAR_SRS.tar.gz, YEAR_events.tar.gz or YEAR_RSGA.tar.gz of each YEAR from"
        " ftp://ftp.swpc.noaa.gov/pub/warehouse/",
    ),
    "goes": Source(
        ("https://www.ncei.noaa.gov", "https://data.ngdc.noaa.gov"),
        plans.goes,
        "sci_xrsf-l2-avg1m_*.nc from"
        " https://www.ncei.noaa.gov/data/goes-space-environment-monitor/access/science/xrs/ (GOES-8 to 15) or"
        " https://data.ngdc.noaa.gov/platforms/solar-space-observing-satellites/goes/ (GOES-16 to 19)",
    ),
    "sharp": Source(
        ("http://jsoc.stanford.edu",),
        plans.sharp,
        "http://jsoc.stanford.edu/doc/data/hmi/harpnum_to_noaa/all_harps_with_noaa_ars.txt",
    ),
    "silso": Source(
        ("https://www.sidc.be/SILSO",),
        plans.silso,
        "SN_d_tot_V2.0.csv from https://www.sidc.be/SILSO/datafiles",
    ),
}


def download(
    source: str,
    folder: Path,
    options: Mapping[str, Any] | None = None,
    base_url: str | None = None,
    means: Means | None = None,
) -> Outcome:
    """Bring a source's files into a folder; what is there and whole is not fetched again.

    Every file is checked (length, hash where it is fixed, kind) before it gets its name, and written down in
    flarecast-download.json. A file that cannot be had does not keep the others from coming.

    Args:
        source: Entry of `SOURCES`.
        folder: Where the files go.
        options: Keyword arguments of the plan.
        base_url: Address to use in place of the source's, as of a mirror.
        means: What is used of the world: clock, sleep, progress.

    Raises:
        FlarecastError: Some or all files could not be had; the message says what to do.
    """
    chosen, used = choose("download.source", source, SOURCES), means or Means()
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        return _download(source, chosen, folder, dict(options or {}), base_url, used)


def _download(
    name: str, source: Source, folder: Path, options: dict[str, Any], base_url: str | None, means: Means
) -> Outcome:
    """Ask the plan what is wanted and bring it."""
    record = read_record(folder)
    here = [name for name in record if is_whole(folder, name, record)]
    desk = plans.Desk(
        bases=(base_url,) if base_url else source.bases,
        year=means.now().year,
        here=here,
        present=[path.name for path in folder.iterdir() if path.is_file()],
        read=lambda wanted: read_text(wanted, folder, means),
    )
    try:
        return obtain_all(source.plan(desk, **options), folder, here, means)
    except Unreachable as error:
        raise FlarecastError(
            f"{name}: {error}; without a way there, fetch by hand {source.by_hand} and put it into {folder}"
        ) from error

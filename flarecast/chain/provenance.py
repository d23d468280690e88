"""Where the numbers of a windows file came from: addresses and times of access, software, citations."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from flarecast import __version__
from flarecast.download import RECORD, read_record
from flarecast.errors import FlarecastError

LARGEST_NOTE = 65_536
"""A note beside an answer that was kept is a small file [bytes]."""


@dataclass(frozen=True)
class Citation:
    """How the owner of some data wants to be named, and what he allows."""

    text: str
    licence: str


CITATIONS: dict[str, Citation] = {
    "swan-sf": Citation(
        "Angryk et al. (2020), Multivariate time series dataset for space weather data analytics, Scientific"
        " Data 7, 227, doi:10.1038/s41597-020-0548-x; data doi:10.7910/DVN/EBCFKM",
        "CC0",
    ),
    "noaa": Citation(
        "NOAA Space Weather Prediction Center, Boulder: daily solar data, region summaries, event reports and"
        " reports of solar-geophysical activity, ftp://ftp.swpc.noaa.gov/pub/warehouse",
        "public domain",
    ),
    "goes": Citation(
        "NOAA National Centers for Environmental Information: GOES X-ray sensor, science-quality data,"
        " https://www.ncei.noaa.gov",
        "public domain",
    ),
    "sharp": Citation(
        "Bobra et al. (2014), The Helioseismic and Magnetic Imager vector magnetic field pipeline: SHARPs,"
        " Solar Physics 289, 3549, doi:10.1007/s11207-014-0529-3; courtesy of NASA/SDO and the HMI science"
        " team",
        "CC0, with acknowledgement",
    ),
    "silso": Citation(
        "WDC-SILSO, Royal Observatory of Belgium, Brussels, doi:10.24414/qnza-ac80", "CC BY-NC 4.0"
    ),
    "table": Citation("the table's own source, as its owner asks", "its owner's"),
    "simulated": Citation("flarecast's simulated Sun (CITATION.cff)", "as flarecast"),
}
"""Data: citation."""

_OF_SOURCE = {"noaa-disk": "noaa", "noaa-regions": "noaa"}
_OF_FILE = {
    r"_(DSD\.txt|SRS\.tar\.gz|events\.tar\.gz|RSGA\.tar\.gz)$|\d{8}(SRS|RSGA|events)\.txt$": "noaa",
    r"(solar[-_]regions|xray[-_]flares|xrays)[^/]*\.json$": "noaa",
    r"(xrs|gxrs)[^/]*\.nc$": "goes",
    r"all_harps_with_noaa_ars\.txt$": "sharp",
    r"SN_[dm]_tot_V2\.0\.csv$": "silso",
}
"""Names of files by which data other than the source's own are known."""


def known_accesses(raw: Path | None) -> dict[str, tuple[str, str]]:
    """Address and time of access of what was fetched into RAW, by the hash of its bytes.

    Read from `flarecast-download.json` (in RAW, or beside it where RAW is a part of a download),
    and from the notes beside answers that `ingest sharp` keeps.
    """
    if raw is None:
        return {}
    folder = raw if raw.is_dir() else raw.parent
    known: dict[str, tuple[str, str]] = {}
    for path in [folder.parent / RECORD, *sorted(folder.rglob("*.json"))]:
        known |= _recorded(path.parent) if path.name == RECORD else _noted(path)
    return known


def provenance(source: str, known: Mapping[str, tuple[str, str]], windows: xr.Dataset) -> dict[str, str]:
    """Attributes that say where windows came from.

    Args:
        source: Entry of `ingest.SOURCES`.
        known: What `known_accesses` gave.
        windows: Their `source_files` name each file that was read, and its hash.

    Returns:
        `flarecast_version`; `accesses`, a line `sha256 time address` for each file whose origin is known;
        `citations`, a line `data: citation (licence)` for each kind of data.
    """
    attribute = windows.attrs["source_files"]
    lines = attribute.splitlines() if isinstance(attribute, str) else list(attribute)
    files = [str(line).partition(" ")[::2] for line in lines if line]
    accesses = [f"{sha} {' '.join(known[sha])}" for sha, _ in files if sha in known]
    cited = [_OF_SOURCE.get(source, source)]
    cited += [
        data for pattern, data in _OF_FILE.items() if any(re.search(pattern, name) for _, name in files)
    ]
    return {
        "flarecast_version": __version__,
        "accesses": "\n".join(dict.fromkeys(accesses)),
        "citations": "\n".join(_spell(data) for data in dict.fromkeys(cited) if data in CITATIONS),
    }


def _spell(data: str) -> str:
    """A citation in a line."""
    return f"{data}: {CITATIONS[data].text} ({CITATIONS[data].licence})"


def _recorded(folder: Path) -> dict[str, tuple[str, str]]:
    """What `flarecast download` wrote of a folder; nothing where it is damaged, for the data are not."""
    try:
        record = read_record(folder)
    except FlarecastError:
        return {}
    return {entry.sha256: (entry.accessed, entry.url) for entry in record.values() if entry.url}


def _noted(path: Path) -> dict[str, tuple[str, str]]:
    """What is noted beside an answer that was kept; nothing where the file is something else."""
    if path.stat().st_size > LARGEST_NOTE or not path.with_suffix(".csv").is_file():
        return {}
    try:
        note: Any = json.loads(path.read_text(encoding="utf-8"))
        return {str(note["sha256"]): (str(note["accessed"]), f"{note['server']} {note['query']}")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}

"""Region summaries and flares under RAW, as `ingest noaa-regions` reads them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast import files
from flarecast.errors import FlarecastError
from flarecast.flares import archives, event_reports
from flarecast.flares.reading import Conversion
from flarecast.ingest import region_json, srs
from flarecast.ingest.region_flares import Flares, listed_flares, reported_flares

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Told:
    """What the files tell.

    Attributes:
        summaries: Regions, one a day.
        flares: Flares, and the days covered.
        served_days: Days whose flares are known from JSON files alone [d since 1970].
        listed: Flares of lists or reports alone; None where there are none of these.
        source: Where flares are from, in words.
        files: Hash and name of each file.
        counts: Attributes that say what became of lines and records.
    """

    summaries: list[srs.Summary]
    flares: Flares
    served_days: IntArray
    listed: Flares | None
    source: str
    files: list[str]
    counts: dict[str, Any]


def read_regions(
    folder: Path, flare_lists: tuple[str, ...], convert_to: Conversion, max_bad_rows: int
) -> Told:
    """Read region summaries and flares; JSON files tell of the days that text does not.

    Args:
        folder: Searched for summaries, event reports, their archives, and JSON files.
        flare_lists: To use instead of the event reports, names from the folder on.
        convert_to: Scale to bring all classes to.
        max_bad_rows: Lines of a kind that may be skipped.

    Raises:
        FlarecastError: No or damaged files, or too many bad lines.
    """
    tally = srs.SrsTally()
    of_files = region_json.read_served_regions(folder, convert_to)
    paths = archives.find(folder, srs.SUFFIXES)
    texts = _summaries(folder, paths, tally, max_bad_rows) if paths or not of_files.paths else []
    summaries = region_json.join_summaries(texts, of_files)
    listed, flare_files, counted = _told_flares(
        folder, flare_lists, convert_to, max_bad_rows, bool(of_files.paths)
    )
    flares, served_days = region_json.join_flares(listed, of_files)
    sources = ["flare lists" if flare_lists else "event reports"] if flare_files else []
    sources += ["counts of regions"] if served_days.size else []
    return Told(
        summaries,
        flares,
        served_days,
        listed,
        source=" and ".join(sources),
        files=_source_files(folder, [*paths, *flare_files, *of_files.paths]),
        counts=_counted(tally, counted) | _served(of_files, served_days),
    )


def _summaries(folder: Path, paths: list[Path], tally: srs.SrsTally, max_bad_rows: int) -> list[srs.Summary]:
    """Region summaries of all files, one a day."""
    if not paths:
        raise FlarecastError(
            f"{folder}: expected region summaries named like 20120308SRS.txt, 2012_SRS.tar.gz or"
            " solar_regions.json, found none"
        )
    texts = (text for path in paths for text in archives.texts(path, srs.SUFFIX))
    found = [srs.parse_srs(text, tally) for text in texts]
    summaries = srs.latest_summaries([summary for summary in found if summary is not None])
    n_bad = sum(tally.skipped.values())
    if n_bad > max_bad_rows or not summaries:
        raise FlarecastError(
            f"{tally.first_bad}; {n_bad} of {tally.n_lines} lines of region summaries are bad, more than"
            f" max_bad_rows = {max_bad_rows} or all: get the files again or raise max_bad_rows"
        )
    return summaries


def _told_flares(
    folder: Path, flare_lists: tuple[str, ...], convert_to: Conversion, max_bad_rows: int, others: bool
) -> tuple[Flares | None, list[Path], dict[str, Any]]:
    """Flares of lists or reports, their files, counts; none where there are other files and no reports."""
    if flare_lists:
        paths = [folder / name for name in flare_lists]
        flares, counted = listed_flares(paths, convert_to, max_bad_rows)
        return flares, paths, counted
    paths = archives.find(folder, event_reports.SUFFIXES)
    if others and not paths:
        return None, [], {"n_skipped": 0, "skipped": ""}
    flares, counted = reported_flares(folder, paths, convert_to, max_bad_rows)
    return flares, paths, counted


def _served(of_files: region_json.ServedRegions, served_days: IntArray) -> dict[str, Any]:
    """Attributes that say what JSON files told; none where there were none."""
    if not of_files.paths:
        return {}
    return {
        "n_served_records": of_files.tally.n_records,
        "n_served_days": len(of_files.summaries),
        "n_days_of_counts": served_days.size,
        "served_skipped": of_files.tally.reasons(),
    }


def _counted(tally: srs.SrsTally, flares: dict[str, Any]) -> dict[str, Any]:
    """Attributes that say what became of the lines of summaries and of flares."""
    skipped = ", ".join(f"{name} {count}" for name, count in sorted(tally.skipped.items()) if count)
    return {
        "n_value_lines": tally.n_lines,
        "n_incomplete": tally.n_incomplete,
        "n_skipped": sum(tally.skipped.values()) + int(flares["n_skipped"]),
        "skipped": "; ".join(filter(None, [skipped, str(flares["skipped"])])),
    }


def _source_files(folder: Path, paths: list[Path]) -> list[str]:
    """Hash and name of each file read."""
    return [
        f"{files.sha256(path)} {path.relative_to(folder) if path.is_relative_to(folder) else path.name}"
        for path in paths
    ]

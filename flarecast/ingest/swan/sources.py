"""Archives and folders of instances under RAW, each read apart."""

import hashlib
import re
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flarecast.errors import FlarecastError
from flarecast.ingest.swan import archive
from flarecast.ingest.swan.lines import Tally
from flarecast.ingest.swan.names import looks_like_instance
from flarecast.ingest.swan.reader import Part, Reader
from flarecast.ingest.swan.stream import Fingerprint

_PARTITION = re.compile(r"(?:^|[/\\])partition([1-5])(?=[_./\\]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """An archive, or the instances of one folder.

    Attributes:
        path: Where it is.
        shown: Its path in RAW.
        partition: By `path`, 0 = none.
        names: The instances of a folder.
    """

    path: Path
    shown: str
    partition: int
    names: tuple[str, ...] = ()


def find_sources(raw: Path | None) -> list[Source]:
    """Archives and folders of instances under a folder, by path; or the one archive named.

    Raises:
        FlarecastError: There are none.
    """
    if raw is None:
        raise FlarecastError(
            "swan-sf: expected a folder with partitionN_instances.tar.gz archives, got none; name it as RAW"
        )
    if raw.is_file():
        return [Source(raw.absolute(), raw.name, _partition(str(raw)))]
    sources, folders = [], dict[Path, list[str]]()
    for path in sorted(raw.rglob("*")):
        if archive.is_archive(path) and path.is_file():
            sources.append(Source(path.absolute(), path.relative_to(raw).as_posix(), _partition(str(path))))
        elif looks_like_instance(path.name) and path.is_file():
            folders.setdefault(path.parent, []).append(path.name)
    sources += [
        Source(folder.absolute(), folder.relative_to(raw).as_posix(), _partition(str(folder)), tuple(names))
        for folder, names in folders.items()
    ]
    if not sources:
        raise FlarecastError(
            f"{raw}: expected archives like partition1_instances.tar.gz or instances like"
            " FQ_ar17_s2012-03-05T13:24:00_e2012-03-06T01:12:00.csv in it or below, found none"
        )
    return sorted(sources, key=lambda source: source.shown)


def read_source(source: Source, max_bad_rows: int, max_bad_windows: int) -> tuple[Part, str]:
    """Read one archive or folder: what is in it, and its `sha256 name` line.

    Raises:
        FlarecastError: It cannot be read, or too much of it is broken.
    """
    reader = Reader(source.shown, Tally(max_bad_rows, max_bad_windows))
    if not source.names:
        with (
            Fingerprint(source.path) as fingerprint,
            closing(archive.members(source.path, fingerprint)) as members,
        ):
            for member in members:
                reader.read(member, _partition(member.path.rpartition("/")[0] + "/") or source.partition)
            return reader.part(), f"{fingerprint.finish()} {source.shown}"
    total = hashlib.sha256()
    for member, content in archive.folder_members(source.path, list(source.names)):
        reader.read(member, source.partition)
        total.update(f"{content} {member.path}\n".encode("utf-8", "surrogateescape"))
    return reader.part(), f"{total.hexdigest()} {source.shown} ({len(source.names)} files)"


@lru_cache(maxsize=1024)
def _partition(path: str) -> int:
    """Partition by the innermost part of a path that begins with `partitionN`; 0 = none."""
    found = _PARTITION.findall(path)
    return int(found[-1]) if found else 0

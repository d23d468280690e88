"""The texts of RSGA reports: out of yearly `YYYY_RSGA.tar.gz` archives, and out of loose files.

An archive is read as a stream: nothing is unpacked to disk, and no name in an archive is used as a path.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from isal import igzip, isal_zlib

from flarecast.errors import FlarecastError

LARGEST = 100_000
"""A report has some 2 kB; of a larger file only so much is read [bytes]."""

_CHUNK = 1 << 20
# The stub of isal has its error as an instance.
_DAMAGED: tuple[type[Exception], ...] = (EOFError, OSError, ValueError, tarfile.TarError, isal_zlib.error)  # type: ignore[assignment]


@dataclass(frozen=True)
class Text:
    """A report's name and text, and when its archive says it was written [s since 1970]; 0 = unknown."""

    name: str
    content: str
    written: float = 0.0


def find(raw: Path) -> list[Path]:
    """Archives and loose reports in a folder and below it, by name; or the one file named.

    Raises:
        FlarecastError: There are none.
    """
    if raw.is_file():
        return [raw]
    if not raw.is_dir():
        raise FlarecastError(f"{raw}: expected a folder with YYYY_RSGA.tar.gz files, found none")
    paths = [
        path for path in raw.rglob("*") if path.is_file() and (_is_archive(path) or _is_report(path.name))
    ]
    if not paths:
        raise FlarecastError(
            f"{raw}: expected files like 2012_RSGA.tar.gz or 20120315RSGA.txt in it or below, found none"
        )
    return sorted(paths, key=lambda path: (path.name, str(path)))


def texts(path: Path) -> Iterator[Text]:
    """Texts of the reports in an archive, in its order, or of one loose file.

    Raises:
        FlarecastError: The file cannot be read, is no tar.gz, is damaged, cut short or without reports.
    """
    if not _is_archive(path):
        try:
            yield Text(path.name, path.read_bytes()[:LARGEST].decode("latin-1"))
        except OSError as error:
            raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
        return
    n_texts = 0
    try:
        for text in _members(path):
            n_texts += 1
            yield text
    except _DAMAGED as error:
        raise FlarecastError(
            f"{path}: expected a whole tar.gz archive, got one damaged or cut short after {n_texts}"
            f" reports ({error}); get it again"
        ) from error
    if not n_texts:
        raise FlarecastError(f"{path}: expected reports named like 20120315RSGA.txt in it, found none")


def _members(path: Path) -> Iterator[Text]:
    """Texts of the reports in an archive, read to its very end so that a missing tail is noticed."""
    with igzip.open(path, "rb") as stream:  # type: ignore[no-untyped-call]
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                name = Path(member.name).name
                file = archive.extractfile(member) if member.isfile() and _is_report(name) else None
                if file is not None:
                    yield Text(name, file.read(LARGEST).decode("latin-1"), float(member.mtime))
        while stream.read(_CHUNK):
            pass


def _is_archive(path: Path) -> bool:
    return path.name.lower().endswith("rsga.tar.gz")


def _is_report(name: str) -> bool:
    return name.lower().endswith("rsga.txt")

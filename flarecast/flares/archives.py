"""Texts out of NOAA's yearly `.tar.gz` archives, and out of loose files.

An archive is read as a stream: nothing is unpacked to disk, no name in an archive is used as a path, and no
more than `LARGEST_ARCHIVE` bytes are inflated.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from isal import igzip, isal_zlib

from flarecast.errors import FlarecastError

LARGEST_TEXT = 1_000_000
"""A report has some 10 kB; of a larger file only so much is read [bytes]."""

LARGEST_ARCHIVE = 200_000_000
"""A year has some 2 MB of text, so all years together fit; a larger one is no such archive [bytes]."""

SUFFIX = ".tar.gz"

_CHUNK = 1 << 20
# The stub of isal has its error as an instance.
_DAMAGED: tuple[type[Exception], ...] = (EOFError, OSError, ValueError, tarfile.TarError, isal_zlib.error)  # type: ignore[assignment]


@dataclass(frozen=True)
class Text:
    """A file's own name, how messages call it, and its content."""

    name: str
    where: str
    content: str


def find(raw: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Archives and loose files in a folder and below it, by name.

    Args:
        raw: Folder; or the one file named.
        suffixes: How names end, in lower case, like `events.txt`; archives as `events.tar.gz`.

    Raises:
        FlarecastError: There is no such folder.
    """
    if raw.is_file():
        return [raw] if raw.name.lower().endswith(suffixes) else []
    if not raw.is_dir():
        raise FlarecastError(f"{raw}: expected a folder, found none")
    paths = [path for path in raw.rglob("*") if path.name.lower().endswith(suffixes) and path.is_file()]
    return sorted(paths, key=lambda path: (path.name, str(path)))


def texts(path: Path, suffix: str) -> Iterator[Text]:
    """Texts of the members of an archive, in its order, or of one loose file.

    Args:
        path: Archive (`.tar.gz`) or text.
        suffix: How names of wanted members end, in lower case, like `events.txt`.

    Raises:
        FlarecastError: The file cannot be read, is no tar.gz, is damaged, cut short, too large or without
            wanted members.
    """
    if not path.name.lower().endswith(SUFFIX):
        try:
            with path.open("rb") as file:
                yield Text(path.name, str(path), file.read(LARGEST_TEXT).decode("latin-1"))
        except OSError as error:
            raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
        return
    n_texts = 0
    try:
        for text in _members(path, suffix):
            n_texts += 1
            yield text
    except _DAMAGED as error:
        raise FlarecastError(
            f"{path}: expected a whole tar.gz archive, got one damaged or cut short after {n_texts}"
            f" texts ({error}); get it again"
        ) from error
    if not n_texts:
        raise FlarecastError(f"{path}: expected files named like 20120307{suffix} in it, found none")


class _Bounded:
    """A stream that ends with an error where it goes on for too long."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream, self._path, self._left = stream, path, LARGEST_ARCHIVE

    def read(self, size: int = _CHUNK) -> bytes:
        """Up to `size` bytes."""
        chunk = self._stream.read(min(size, _CHUNK) if size >= 0 else _CHUNK)
        self._left -= len(chunk)
        if self._left < 0:
            raise FlarecastError(
                f"{self._path}: expected texts of a few MB, got more than {LARGEST_ARCHIVE // 1_000_000} MB;"
                " is it a NOAA archive?"
            )
        return chunk


def _members(path: Path, suffix: str) -> Iterator[Text]:
    """Texts of the members, read to the archive's very end so that a missing tail is noticed."""
    with igzip.open(path, "rb") as inflated:  # type: ignore[no-untyped-call]
        stream: Any = _Bounded(inflated, path)
        # Beyond the zeros that end them, NOAA's archives of 1996 to 2000 repeat pieces of old records.
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                name = Path(member.name).name
                wanted = member.isfile() and name.lower().endswith(suffix)
                file = archive.extractfile(member) if wanted else None
                if file is not None:
                    content = file.read(LARGEST_TEXT).decode("latin-1")
                    yield Text(name, f"{path}: {name}", content)
        while stream.read():
            pass

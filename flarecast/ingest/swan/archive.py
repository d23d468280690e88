"""The files of an archive `partitionN_instances.tar.gz`, or of a folder, one after the other.

An archive is read as a stream: nothing is unpacked to disk, no name in it is used as a path, and a file is
held only while it is looked at. A thread inflates while another reads.
"""

import hashlib
import tarfile
import zlib
from collections.abc import Generator, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

from isal import isal_zlib

from flarecast.errors import FlarecastError
from flarecast.ingest.swan.stream import CUT, Fingerprint, Pieces, inflated, pieces

LARGEST = 1_000_000
"""An instance has some 44 kB; one larger than this is none [bytes]."""

LARGEST_NAME = 65_536
"""Longest extended header that is read [bytes]."""

LARGEST_OTHER = 8 << 30
"""Bytes of an archive that belong to no instance; more of them are a bomb."""

_BLOCK = 512

_ADLER = 65_521
_CHUNK = 1 << 20
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
# The stub of isal has its error as an instance.
_DAMAGED: tuple[type[Exception], ...] = (EOFError, OSError, ValueError, tarfile.TarError, isal_zlib.error)  # type: ignore[assignment]


class Member(NamedTuple):
    """A file: its path, and its lines with their ends; or why there are none."""

    path: str
    lines: list[bytes]
    reason: str = ""


def is_archive(path: Path) -> bool:
    """Whether a file is an archive by its name."""
    return path.name.lower().endswith((".tar.gz", ".tgz", ".tar"))


def members(path: Path, fingerprint: Fingerprint) -> Generator[Member, None, None]:
    """Plain files of an archive, in its order, to its very end so that a missing tail is noticed.

    Args:
        path: The archive.
        fingerprint: Of the same file; it is made on the way, and has to be finished.

    Raises:
        FlarecastError: It cannot be read, is no tar or tar.gz, is damaged, cut short or grows beyond bounds.
    """
    n_read = 0
    try:
        with path.open("rb") as file:
            stream = inflated(file) if _kind(path, file) == "gzip" else file
            with stream:
                for member in _Tar(Pieces(pieces(stream, fingerprint)), str(path)).members():
                    n_read += 1
                    yield member
    except _DAMAGED as error:
        raise FlarecastError(
            f"{path}: expected a whole archive, got one damaged or cut short after {n_read} files"
            f" ({str(error) or type(error).__name__}); get it again"
        ) from error


def _kind(path: Path, file: BinaryIO) -> str:
    """Whether a file is gzip or a bare tar, by its first bytes."""
    start = file.read(_BLOCK)
    file.seek(0)
    if start[:2] == b"\x1f\x8b":
        return "gzip"
    if start[257:262] == b"ustar":
        return "tar"
    marks = {b"BZh": "bzip2", b"\xfd7z": "xz", b"PK\x03": "zip", b"\x28\xb5\x2f": "zstandard"}
    got = marks.get(start[:3], "a text" if start[:1] in (b"<", b"{") else "something else")
    raise FlarecastError(
        f"{path}: expected a tar.gz archive, got {got if start else 'an empty file'}; get it again"
    )


def _plain_size(block: bytes) -> int:
    """Size of a plain file by its header, -1 of anything else: what `tarfile` does, three times as fast."""
    if block[156:157] not in (b"0", b"\0") or block[124] >= 0x80 or block[99]:
        return -1
    try:
        total = int(block[148:156].strip(b"\0 "), 8)
        size = int(block[124:136].strip(b"\0 "), 8)
    except ValueError:
        return -1
    # The sum is over all bytes, with blanks in its own place. Adler-32 has it, plus 1, in its lower half.
    found = (zlib.adler32(block) & 0xFFFF) - 1 - sum(block[148:156]) + 256
    return size if (found - total) % _ADLER == 0 and size >= 0 else -1


def _name(block: bytes) -> str:
    """Path of a plain file by its header: a name of up to 99 bytes, perhaps after a prefix."""
    name = block[: block.index(b"\0")]
    if block[345] and block[257:263] == b"ustar\0":
        name = block[345:500].rstrip(b"\0") + b"/" + name
    return name.decode("utf-8", "surrogateescape")


class _Tar:
    """A tar read block by block: plain files are given out, the rest is passed over."""

    def __init__(self, pieces: Pieces, path: str) -> None:
        self._read = pieces.read
        self._lines = pieces.lines
        self._path = path
        self._other = 0
        self._long_name = ""

    def members(self) -> Iterator[Member]:
        """Every plain file. Blocks of zeros are passed over, so archives may follow one another."""
        ended = False
        while block := self._read(_BLOCK):
            if len(block) < _BLOCK:
                raise tarfile.TarError("its last block is not whole")
            if not block[0] and not any(block):
                ended = True
                self._count(_BLOCK)
                continue
            ended = False
            size = _plain_size(block)
            if size >= 0:
                yield self._member(self._long_name or _name(block), size)
                self._long_name = ""
            else:
                yield from self._extended(tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape"))
        if not ended:
            raise tarfile.TarError("it has no end mark")

    def _member(self, name: str, size: int) -> Member:
        """A file with its content, unless it is too large or its path climbs."""
        if not name.endswith(".csv"):
            self._pass(size)
            return Member(name, [], "no instance")
        if size > LARGEST:
            self._pass(size)
            return Member(name, [], f"expected at most {LARGEST:,} bytes, got {size:,}")
        lines = self._lines(size)
        self._read(-size % _BLOCK)
        if name[0] == "/" or (".." in name and ".." in name.split("/")):
            return Member(name, [], "expected a path inside the archive, got one that climbs out of it")
        return Member(name, lines)

    def _extended(self, header: tarfile.TarInfo) -> Iterator[Member]:
        """A header that needs more care: a plain file, the long name of the next file, or nothing for us."""
        if header.type in _PLAIN:
            yield self._member(self._long_name or header.name, header.size)
            self._long_name = ""
        elif header.type in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
            if header.size > LARGEST_NAME:
                raise tarfile.TarError(f"a header of {header.size:,} bytes")
            self._count(header.size)
            content = self._take(header.size)
            name = content if header.type == tarfile.GNUTYPE_LONGNAME else _pax_path(content)
            self._long_name = name.rstrip(b"\0").decode("utf-8", "surrogateescape") or self._long_name
        else:
            self._pass(header.size if header.type not in _EMPTY else 0)

    def _take(self, size: int) -> bytes:
        """The next bytes, and no more of the padding."""
        content = self._read(size)
        if len(content) < size:
            raise EOFError(CUT)
        self._read(-size % _BLOCK)
        return content

    def _pass(self, size: int) -> None:
        """Read over a file's content and padding."""
        self._count(size)
        left = size + -size % _BLOCK
        while left:
            got = len(self._read(min(left, _CHUNK)))
            if not got:
                raise EOFError(CUT)
            left -= got

    def _count(self, size: int) -> None:
        """Bound what is read without use."""
        self._other += size
        if self._other > LARGEST_OTHER:
            raise FlarecastError(
                f"{self._path}: expected an archive of instances, got more than {LARGEST_OTHER >> 30} GiB of"
                " something else; take it out of the folder"
            )


_EMPTY = (
    tarfile.DIRTYPE,
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.FIFOTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
)


def _pax_path(content: bytes) -> bytes:
    """The path in an extended header of records like `16 path=a/b.csv`; empty if it gives none."""
    path = b""
    while content:
        length, blank, _ = content.partition(b" ")
        if not blank or not length.isdigit() or not len(length) + 1 < int(length) <= len(content):
            raise tarfile.TarError("a damaged header")
        record, content = content[len(length) + 1 : int(length) - 1], content[int(length) :]
        key, _, value = record.partition(b"=")
        path = value if key == b"path" else path
    return path


def folder_members(folder: Path, names: list[str]) -> Iterator[tuple[Member, str]]:
    """Files of one folder in the order given, each with its SHA-256.

    Raises:
        FlarecastError: One cannot be read.
    """
    for name in names:
        path = folder / name
        try:
            size = path.stat().st_size
            if size > LARGEST:
                yield Member(name, [], f"expected at most {LARGEST:,} bytes, got {size:,}"), "too large"
                continue
            body = path.read_bytes()
        except OSError as error:
            raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
        yield Member(name, BytesIO(body).readlines()), hashlib.sha256(body).hexdigest()

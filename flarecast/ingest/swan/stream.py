"""The bytes of an archive: inflated in a thread, hashed meanwhile, given out in small pieces or as lines."""

import hashlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from isal import igzip_threaded

from flarecast.errors import FlarecastError

CUT = "its last file is not whole"

_PIECE = 1 << 20
_AHEAD = 2 * _PIECE
"""Inflated at once; two more may wait, so that neither thread stops where the other is uneven [bytes]."""


class Fingerprint:
    """SHA-256 of a file, made step by step while another looks at its content; a context that closes it.

    Raises:
        FlarecastError: The file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
        self._hash = hashlib.sha256()

    def __enter__(self) -> "Fingerprint":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def step(self) -> bool:
        """Take in the next bytes; False at the end."""
        content = self._file.read(_PIECE // 2)
        self._hash.update(content)
        return bool(content)

    def finish(self) -> str:
        """Take in the rest; the hash, hexadecimal."""
        while self.step():
            pass
        return self._hash.hexdigest()


def inflated(file: BinaryIO) -> BinaryIO:
    """A stream of what a gzip file holds, inflated in a thread."""
    stream: BinaryIO = igzip_threaded.open(file, "rb", block_size=_AHEAD)  # type: ignore[no-untyped-call]
    return stream


def pieces(stream: BinaryIO, fingerprint: Fingerprint) -> Iterator[bytes]:
    """The content of a stream by the piece, and a step of hashing with each.

    Hashing leaves the interpreter's lock to others, so that the inflating thread waits for it no longer
    than a piece takes, and two processors are busy with two threads, not three.
    """
    while piece := stream.read(_PIECE):
        fingerprint.step()
        yield piece


class Pieces:
    """Pieces of a stream given out in smaller ones, or as lines."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = BytesIO()
        self._left = 0

    def read(self, size: int) -> bytes:
        """The next bytes, fewer where the stream ends."""
        if size <= self._left:
            self._left -= size
            return self._piece.read(size)
        parts = [self._piece.read(self._left)]
        wanted = size - self._left
        self._left = 0
        while wanted and (content := next(self._pieces, b"")):
            self._piece, self._left = BytesIO(content), len(content)
            parts.append(self._piece.read(wanted))
            self._left -= len(parts[-1])
            wanted -= len(parts[-1])
        return b"".join(parts)

    def lines(self, size: int) -> list[bytes]:
        """The next bytes as lines."""
        if 0 < size <= self._left:
            begin = self._piece.tell()
            lines = self._piece.readlines(size)  # without a copy of the whole, four times as fast as split
            if self._piece.tell() == begin + size:
                self._left -= size
                return lines
            self._piece.seek(begin)
        content = self.read(size)
        if len(content) < size:
            raise EOFError(CUT)
        return BytesIO(content).readlines()

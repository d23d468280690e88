"""What is wanted of a server, what the caller lends for it, what a server answers, and what can go wrong."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from flarecast.errors import FlarecastError

MEGABYTE = 2**20


class Missing(FlarecastError):
    """The server does not have the file."""


class Unreachable(FlarecastError):
    """There is no way to a server, or it is too busy: its other files could not be had either."""


class NoRoom(FlarecastError):
    """The disk is full, or would be."""


class Again(Exception):
    """A failure that may pass.

    `wait` is what the server asked for [s], `general` whether it would meet other files too.
    """

    def __init__(self, reason: str, wait: float | None = None, general: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.wait, self.general = reason, wait, general


@dataclass(frozen=True)
class Wanted:
    """One file.

    `hash` is `algorithm:hexadecimal` where it is fixed; `grows` marks what its owner still changes, so that
    the server is asked again; the lack of an `optional` file is told and no error; `limit` is the most bytes
    that are taken.
    """

    name: str
    urls: tuple[str, ...]
    size: int | None = None
    hash: str | None = None
    grows: bool = False
    optional: bool = False
    limit: int = 512 * MEGABYTE


@dataclass(frozen=True)
class Answer:
    """What a server sends: bytes from `start` of a file of `size`.

    Its version is named in `etag` or `last_modified`, empty where the server does not.
    """

    url: str
    start: int
    size: int | None
    etag: str
    last_modified: str
    chunks: Iterator[bytes]
    close: Callable[[], object]


def _now() -> datetime:
    """The time now, UTC."""
    return datetime.now(UTC)


def _free_bytes(folder: Path) -> int:
    """Space that is free where a folder lies."""
    return shutil.disk_usage(folder).free


def nothing(*_: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Means:
    """What a download uses of the world; tests put their own in.

    `step(name, bytes so far, bytes in all or None)` shows progress, `say` tells what happened to a file.
    """

    sleep: Callable[[float], object] = time.sleep
    now: Callable[[], datetime] = _now
    free_bytes: Callable[[Path], int] = _free_bytes
    step: Callable[[str, int, int | None], object] = nothing
    say: Callable[[str], object] = nothing
    tries: int = 5
    connect_seconds: float = 15
    read_seconds: float = 60
    dead: set[str] = field(default_factory=set)
    """Hosts that did not answer; their mirrors are asked at once."""

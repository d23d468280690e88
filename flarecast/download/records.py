"""flarecast-download.json: what came into a folder, from where and when."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from flarecast.errors import FlarecastError
from flarecast.files import read_json, sha256, write_json

NAME = "flarecast-download.json"


@dataclass(frozen=True)
class Entry:
    """One file that came; `url` and `accessed` (UTC, ISO 8601) are empty for one put there by hand."""

    sha256: str
    size: int
    url: str = ""
    accessed: str = ""
    etag: str = ""
    last_modified: str = ""
    flarecast: str = ""

    @property
    def version(self) -> dict[str, str]:
        """How the server named the version; empty where it did not."""
        named = {"etag": self.etag, "last_modified": self.last_modified}
        return named if any(named.values()) else {}


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only download into a folder, where the system has locks that end with their process.

    Raises:
        FlarecastError: Another one is at work there.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (folder / ".flarecast-download.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FlarecastError(
                f"{folder}: expected to be alone, got another download at work there; wait until it is done"
            ) from error
        yield


def read_record(folder: Path) -> dict[str, Entry]:
    """What came into a folder so far, by name.

    Raises:
        FlarecastError: The record is damaged.
    """
    path = folder / NAME
    if not path.is_file():
        return {}
    try:
        return {str(name): Entry(**entry) for name, entry in read_json(path)["files"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise FlarecastError(
            f"{path}: expected the record that `flarecast download` writes, got something else; remove it"
        ) from error


def write_record(folder: Path, record: Mapping[str, Entry]) -> None:
    """Write what came into a folder, unless the file says so already."""
    content = {"files": {name: asdict(record[name]) for name in sorted(record)}}
    path = folder / NAME
    if not path.is_file() or read_json(path) != content:
        write_json(path, content)


def is_whole(folder: Path, name: str, record: Mapping[str, Entry]) -> bool:
    """Whether a file is here with the bytes that came."""
    entry, path = record.get(name), folder / name
    if entry is None or not path.is_file() or path.stat().st_size != entry.size:
        return False
    return sha256(path) == entry.sha256

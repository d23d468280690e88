"""Bring one file into its `.part`, going on where an earlier call ended."""

import errno
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from flarecast.download.over_ftp import ask_ftp
from flarecast.download.over_http import ask_http
from flarecast.download.wanted import MEGABYTE, Again, Answer, Means, NoRoom, Unreachable, Wanted
from flarecast.errors import FlarecastError

PROTOCOLS = {"http": ask_http, "https": ask_http, "ftp": ask_ftp}
MARGIN = 64 * MEGABYTE
"""Space that is left free [bytes]."""

_LEAD = {".gz": (b"\x1f\x8b",), ".nc": (b"\x89HDF", b"CDF")}


def transfer(item: Wanted, part: Path, unless: Mapping[str, str], means: Means) -> Answer | None:
    """Bring a file into `part`, from the first of its addresses that can be reached.

    A failure that may pass is tried again after 1, 2, 4 ... seconds or what the server asks for; bytes that
    came stay, in this call and for the next one.

    Args:
        item: The file.
        part: Where its bytes go; beside it lies which version they are of.
        unless: `etag` and `last_modified` of the version that is not wanted again; empty: any is wanted.
        means: What is used of the world.

    Returns:
        What the server said last; None where it has the version of `unless`.

    Raises:
        Missing: No address has the file.
        Unreachable: No address could be reached.
        NoRoom: The disk is full, or would be.
        FlarecastError: A server refuses, or what it sends is too long or no such file.
    """
    reasons = []
    for url in item.urls:
        host = urlsplit(url).netloc
        if host in means.dead and url != item.urls[-1]:
            continue
        try:
            return _persist(item, url, part, unless, means)
        except Unreachable as error:
            means.dead.add(host)
            reasons.append(str(error))
    raise Unreachable("; ".join(dict.fromkeys(reasons)))


def _persist(item: Wanted, url: str, part: Path, unless: Mapping[str, str], means: Means) -> Answer | None:
    """Try one address until the file is here, it has failed too often, or it fails for good."""
    failures, most = 0, size_of(part)
    while True:
        try:
            return _once(item, url, part, unless, means)
        except Again as again:
            here = size_of(part)
            failures = 1 if here > most else failures + 1
            most = max(most, here)
            if failures >= means.tries:
                kept = (
                    f"; the first {here:,} bytes are kept, the next call goes on from there" if here else ""
                )
                kind = Unreachable if again.general and not most else FlarecastError
                raise kind(f"{url}: {again.reason}, {failures} times{kept}") from again
            means.sleep(2.0 ** (failures - 1) if again.wait is None else again.wait)


def _once(item: Wanted, url: str, part: Path, unless: Mapping[str, str], means: Means) -> Answer | None:
    """One request: all that it brings goes into the part."""
    ask = PROTOCOLS.get(urlsplit(url).scheme)
    if ask is None:
        raise FlarecastError(f"{url}: expected an address that begins with https:, http: or ftp:")
    version = {} if unless else _version_of(part, url, item)
    start = size_of(part) if version is not None and not unless else 0
    if item.size is not None and start > item.size:
        start = 0
    if start and start == item.size:
        return Answer(url, start, start, **(version or {}), chunks=iter(()), close=str)
    try:
        answer = ask(url, start, unless or version or {}, bool(unless), item.hash is not None, means)
    except Again as again:
        if again.wait == 0:  # the range does not exist: what is here is of another version
            part.unlink(missing_ok=True)
        raise
    if answer is None:
        return None
    try:
        _check_size(item, answer, part, means)
        _write(item, answer, part, means)
    finally:
        answer.close()
    return answer


def _check_size(item: Wanted, answer: Answer, part: Path, means: Means) -> None:
    """Refuse a file of the wrong size, one too large to be it, and one that the disk has no room for."""
    if answer.size is None:
        return
    if item.size is not None and answer.size != item.size:
        raise FlarecastError(
            f"{item.name}: expected {item.size:,} bytes, got {answer.size:,} from {answer.url};"
            " try again later"
        )
    if answer.size > item.limit:
        raise FlarecastError(
            f"{item.name}: expected at most {item.limit:,} bytes, got {answer.size:,} from {answer.url}"
        )
    check_space(answer.size - answer.start, part.parent, means)


def check_space(needed: int, folder: Path, means: Means) -> None:
    """Say that a disk is full before it is.

    Raises:
        NoRoom: There is no room for `needed` bytes.
    """
    free = means.free_bytes(folder)
    if needed + MARGIN > free:
        raise NoRoom(
            f"{folder}: expected {(needed + MARGIN) / MEGABYTE:,.0f} MB of free space, got"
            f" {free / MEGABYTE:,.0f}; make room or name another folder"
        )


def _write(item: Wanted, answer: Answer, part: Path, means: Means) -> None:
    """Append what comes, or begin anew where the server does."""
    import requests

    _note(part, answer)
    done = answer.start
    try:
        with part.open("r+b" if answer.start else "wb") as file:
            file.seek(answer.start)
            file.truncate()
            for chunk in answer.chunks:
                file.write(chunk)
                done += len(chunk)
                if done > min(item.limit, answer.size or item.limit):
                    break
                means.step(item.name, done, answer.size)
    except requests.RequestException as error:
        raise Again(f"the connection to {urlsplit(answer.url).hostname} was cut") from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise NoRoom(f"{part.parent}: the disk is full; make room and call again") from error
    whole = answer.size if answer.size is not None else item.size
    if whole is not None and done < whole:
        raise Again(f"the connection to {urlsplit(answer.url).hostname} was cut")
    if done > (whole if whole is not None else item.limit):
        forget(part)
        raise FlarecastError(
            f"{item.name}: expected {whole or item.limit:,} bytes, got more from {answer.url};"
            " try again later"
        )


def check_kind(path: Path, name: str) -> None:
    """Refuse a page in place of a file, and a file that does not begin as its suffix promises.

    Raises:
        FlarecastError: It is so.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    text = head.lstrip().removeprefix(b"\xef\xbb\xbf").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise FlarecastError(f"{name}: expected a file, got a web page (of a login, a proxy or an error?)")
    leads = _LEAD.get(Path(name).suffix)
    if not head or (leads and not head.startswith(leads)):
        got = f"one that begins with {head[:12]!r}" if head else "an empty one"
        raise FlarecastError(f"{name}: expected a {Path(name).suffix} file, got {got}; try again later")


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def forget(part: Path) -> None:
    """Remove what came of a file, and of which version it was."""
    part.unlink(missing_ok=True)
    _note_of(part).unlink(missing_ok=True)


def _note_of(part: Path) -> Path:
    """Where the version of a part is kept."""
    return part.with_name(part.name + ".json")


def _note(part: Path, answer: Answer) -> None:
    """Keep of which version the bytes of a part are."""
    ftp = urlsplit(answer.url).scheme == "ftp"
    note = {"ftp": ftp, "etag": answer.etag, "last_modified": answer.last_modified}
    _note_of(part).write_text(json.dumps(note), encoding="utf-8")


def _version_of(part: Path, url: str, item: Wanted) -> dict[str, str] | None:
    """Version of the bytes of a part; None where nothing tells whether a server still has it."""
    try:
        note = json.loads(_note_of(part).read_text(encoding="utf-8"))
        same = note["ftp"] == (urlsplit(url).scheme == "ftp")  # their versions are spelt differently
        version = {name: str(note[name]) if same else "" for name in ("etag", "last_modified")}
    except (OSError, ValueError, KeyError, TypeError):
        version = {"etag": "", "last_modified": ""}
    return version if item.hash or any(version.values()) else None

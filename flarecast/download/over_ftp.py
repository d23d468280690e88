"""Ask over FTP, with size, time and restart where the server knows them."""

import ftplib
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from flarecast.download.wanted import MEGABYTE, Again, Answer, Means, Missing, Unreachable
from flarecast.errors import FlarecastError

Told = TypeVar("Told")


def ask_ftp(
    url: str, start: int, version: Mapping[str, str], unchanged: bool, trusted: bool, means: Means
) -> Answer | None:
    """Ask for a file from one of its bytes on; `over_http.ask_http` says what is given and raised.

    The time of the last change (MDTM) and the size stand for the version.
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    ftp = ftplib.FTP(timeout=means.connect_seconds)
    try:
        ftp.connect(parts.hostname or "", parts.port or ftplib.FTP_PORT)
        ftp.login()
        ftp.voidcmd("TYPE I")
        size, time = _told(lambda: ftp.size(path)), _told(lambda: ftp.voidcmd(f"MDTM {path}").split()[-1])
        modified = f"{time} {size}" if time else ""
        known = version.get("last_modified", "")
        if unchanged and modified and modified == known:
            ftp.close()
            return None
        if start and not trusted and modified != known:
            start = 0
        data = ftp.transfercmd(f"RETR {path}", rest=start or None)
        data.settimeout(means.read_seconds)
    except (ftplib.Error, OSError, EOFError, ValueError) as error:
        ftp.close()
        raise _failure(error, url) from error
    return Answer(url, start, size, "", modified, _chunks(ftp, data, url), ftp.close)


def _told(ask: Callable[[], Told]) -> Told | None:
    """An answer that a server may refuse."""
    try:
        return ask()
    except ftplib.error_perm:
        return None


def _chunks(ftp: ftplib.FTP, data: socket.socket, url: str) -> Iterator[bytes]:
    """The bytes of a transfer; how it ended is the server's last word."""
    try:
        with data:
            while chunk := data.recv(MEGABYTE // 4):
                yield chunk
        ftp.voidresp()
    except (ftplib.Error, OSError, EOFError) as error:
        raise _failure(error, url) from error


def _failure(error: Exception, url: str) -> Exception:
    """What a failure means."""
    host = urlsplit(url).hostname
    if isinstance(error, socket.gaierror):
        return Unreachable(f"{host} is not known (no network?)")
    if isinstance(error, ftplib.error_perm) and str(error).startswith("550"):
        return Missing(f"{url}: the server has no such file (550)")
    if isinstance(error, (ftplib.error_perm, ValueError)):
        return FlarecastError(f"{url}: expected a file, got {str(error)[:100]!r}; fetch it by hand")
    if isinstance(error, TimeoutError):
        return Again(f"{host} does not answer in time")
    return Again(f"no connection to {host}, or it was cut")

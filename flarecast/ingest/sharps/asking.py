"""Questions to JSOC through drms: bounded, repeated with growing pauses, and answers that are looked at.

An answer counts when it has every keyword asked for, in columns of one length, and every record is of the
HARP and time asked for. Anything else is an error in one sentence, and is not kept.
"""

import http.client
import json
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from flarecast.errors import FlarecastError
from flarecast.flares.clock import DAY
from flarecast.ingest.sharps.cache import Chunk, now
from flarecast.ingest.sharps.keywords import CADENCE, CONTROL, NEEDED, Series
from flarecast.ingest.sharps.records import Columns
from flarecast.ingest.sharps.slots import read_t_rec
from flarecast.schema import NO_TIME

MOST_RECORDS = 50_000
"""Of one answer; a day of the fullest Sun has some 4,000, a HARP 2,000."""

LONGEST_PAUSE = 300.0
"""Before asking again [s]."""

_AGAIN = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Manners:
    """How the server is asked.

    Attributes:
        server: `JSOC`, another server that drms knows, or the address of the folder of its `jsoc_info`.
        pause_seconds: Between two questions; before asking again it doubles each time.
        retries: How often a question is asked again that got no answer.
        timeout_seconds: Longest silence of the server.
    """

    server: str
    pause_seconds: float
    retries: int
    timeout_seconds: float


class _Unanswered(Exception):
    """Why there is no answer, whether asking again may help, and how long the server wants to rest [s]."""

    def __init__(self, reason: str, again: bool, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.again, self.wait = again, wait


def open_client(manners: Manners) -> Any:
    """A `drms.Client` of the server.

    Raises:
        FlarecastError: drms is not installed, or does not know the server.
    """
    try:
        import drms
        from drms.config import ServerConfig
    except ImportError as error:
        raise FlarecastError(
            "sharp: expected the package drms to ask JSOC, got none; pip install 'flarecast[live]', or put"
            " recorded keyword tables into RAW"
        ) from error
    server: Any = manners.server
    if "/" in manners.server:
        address = urlsplit(manners.server)
        if address.scheme not in ("http", "https") or not address.netloc:
            raise FlarecastError(
                f"server: expected JSOC or an address like http://jsoc.stanford.edu/cgi-bin/ajax/, got"
                f" {manners.server!r}"
            )
        base = manners.server.rstrip("/") + "/"
        server = ServerConfig(
            name=base, cgi_baseurl=base, cgi_show_series="show_series", cgi_jsoc_info="jsoc_info"
        )
    try:
        return drms.Client(server)
    except KeyError as error:
        raise FlarecastError(f"server: expected JSOC or an address, got {manners.server!r}") from error


def keywords_there(client: Any, series: Series, manners: Manners, wanted: Sequence[str]) -> list[str]:
    """Those of some keywords that the series has, by its own description.

    Raises:
        FlarecastError: The server does not answer, or the series lacks a number or time of its records.
    """
    known = {str(name) for name in _patiently(lambda: client.keys(series.name), manners, series.name)}
    absent = [name for name in NEEDED if name not in known]
    if absent:
        raise FlarecastError(
            f"{manners.server}: expected {series.name} to have {', '.join(absent)}, got {len(known)} other"
            " keywords; is this JSOC?"
        )
    return [name for name in (*CONTROL, *wanted) if name in known]


def ask_chunk(
    client: Any, chunk: Chunk, series: Series, keywords: Sequence[str], manners: Manners
) -> Columns:
    """All records of a chunk; columns without cells where there are none.

    Raises:
        FlarecastError: There is no answer, or one to another question.
    """
    columns = ask(client, chunk.record_set(series), keywords, manners)
    for harp, text in zip(columns["HARPNUM"], columns["T_REC"], strict=True):
        tai = read_t_rec(text)
        misdated = chunk.stop and not chunk.start - CADENCE <= tai <= chunk.stop
        misdated = misdated or tai > now() + DAY
        if (misdated and tai != NO_TIME) or (chunk.harp and harp.strip() != str(chunk.harp)):
            raise FlarecastError(
                f"{manners.server}: expected records of {chunk.told}, got HARP {harp[:20]} at {text[:40]};"
                " its answer is not kept; look at the clocks of both machines and try again"
            )
    return columns


def ask(client: Any, record_set: str, keywords: Sequence[str], manners: Manners) -> Columns:
    """Cells of a record set by keyword, as text.

    Raises:
        FlarecastError: There is no answer.
    """

    def query() -> Columns:
        answer = client.query(record_set, key=list(keywords), convert_numeric=False, n=MOST_RECORDS)
        return _columns(answer, keywords)

    answer: Columns = _patiently(query, manners, record_set)
    return answer


def _columns(answer: Any, keywords: Sequence[str]) -> Columns:
    """Cells of drms's table; all keywords asked for have to be there, unless there is no record at all."""
    n_records = len(answer)
    if not n_records:
        return {name: [] for name in keywords}
    absent = [name for name in keywords if name not in answer.columns]
    if absent:
        raise _Unanswered(f"half an answer, without {', '.join(absent[:3])}", again=True)
    if n_records >= MOST_RECORDS:
        raise _Unanswered(f"{n_records:,} records, more than are believed", again=False)
    return {name: ["" if cell is None else str(cell) for cell in answer[name].tolist()] for name in keywords}


def _patiently(question: Any, manners: Manners, what: str) -> Any:
    """The answer to a question, asked again where that may help.

    Raises:
        FlarecastError: There was none.
    """
    wait = 0.0
    for attempt in range(manners.retries + 1):
        time.sleep(min(max(wait, manners.pause_seconds * 2**attempt), LONGEST_PAUSE))
        try:
            with _silence_of(manners.timeout_seconds):
                return question()
        except Exception as error:  # drms passes on what urllib, json and pandas raise
            reason = _reason(error)
            if reason is None:
                raise
            if not reason.again or attempt == manners.retries:
                times = f" after {attempt + 1} attempts" if attempt else ""
                raise FlarecastError(
                    f"{manners.server}: expected an answer to {what}, got {reason}{times}; what was answered"
                    " before is kept, so call again later, or put recorded tables into RAW"
                ) from error
            wait = reason.wait
    raise AssertionError("the last attempt returns or raises")


def _reason(error: Exception) -> _Unanswered | None:
    """Why there is no answer; None for an error that is not the server's."""
    if isinstance(error, _Unanswered):
        return error
    if isinstance(error, HTTPError):
        if error.code == 407:
            told = "HTTP 407, a proxy that asks for a password: set http_proxy=http://name:password@host:port"
            return _Unanswered(told, again=False)
        told = str(error.headers.get("Retry-After", ""))
        wait = float(told) if told.isdecimal() else 0.0
        return _Unanswered(f"HTTP {error.code}", error.code in _AGAIN, wait)
    if isinstance(error, URLError):
        if "407" in str(error.reason):
            return _Unanswered("a proxy that asks for a password (407): set http_proxy", again=False)
        return _Unanswered(f"no connection ({error.reason})", again=True)
    if isinstance(error, TimeoutError):
        return _Unanswered("silence", again=True)
    if isinstance(error, http.client.IncompleteRead):
        return _Unanswered("half an answer (the connection was cut)", again=True)
    if isinstance(error, (OSError, http.client.HTTPException)):
        return _Unanswered(f"a broken connection ({error or type(error).__name__})", again=True)
    if isinstance(error, json.JSONDecodeError):
        begin = " ".join(error.doc[:40].split())
        return _Unanswered(f"something that is no JSON, {begin!r}", again=True)
    if type(error).__name__ == "DrmsQueryError":
        return _Unanswered(f"its refusal ({' '.join(str(error).split())[:150]})", again=False)
    if isinstance(error, (ValueError, KeyError, TypeError, AttributeError, RecursionError)):
        return _Unanswered(f"half an answer ({type(error).__name__}: {str(error)[:60]})", again=True)
    return None


@contextmanager
def _silence_of(seconds: float) -> Iterator[None]:
    """Longest silence of a connection; drms takes it from the default of sockets and has no argument."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)

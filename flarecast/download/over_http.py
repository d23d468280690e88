"""Ask over HTTP: redirects that are followed or not, what a status means, how long to wait."""

import email.utils
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from flarecast import __version__
from flarecast.download.wanted import MEGABYTE, Again, Answer, Means, Missing, Unreachable
from flarecast.errors import FlarecastError

if TYPE_CHECKING:
    import requests

MOST_REDIRECTS = 8
LONGEST_WAIT = 600
"""Longest wait that a server may ask for before we rather give up [s]."""


def ask_http(
    url: str, start: int, version: Mapping[str, str], unchanged: bool, trusted: bool, means: Means
) -> Answer | None:
    """Ask for a file from one of its bytes on.

    Args:
        url: Where.
        start: First byte wanted; the answer may begin at 0 all the same.
        version: `etag` and `last_modified` of what is here already, whole or in part.
        unchanged: Whether to ask for the file only if it has another version.
        trusted: Whether a redirect to anywhere is followed, because the file's hash is known.
        means: Time-outs.

    Returns:
        The answer; None where the file is unchanged.

    Raises:
        Missing: The server does not have it.
        Unreachable: No network, or a proxy that wants a password.
        Again: A failure that may pass.
        FlarecastError: The server refuses, or redirects in a circle or to a stranger.
    """
    import requests

    session = requests.Session()
    headers = _headers(start, version, unchanged)
    try:
        response = _follow(session, url, headers, trusted, (means.connect_seconds, means.read_seconds))
        if response.status_code == 304 and unchanged:
            response.close()
            return None
        _judge(response, start, means)
        return _answer(response, start)
    except requests.RequestException as error:
        raise _failure(error, url) from error


def _headers(start: int, version: Mapping[str, str], unchanged: bool) -> dict[str, str]:
    """Request headers; bytes are asked for as they are stored, so that lengths and ranges count them."""
    headers = {"User-Agent": f"flarecast/{__version__}", "Accept-Encoding": "identity"}
    etag, modified = version.get("etag", ""), version.get("last_modified", "")
    if unchanged:
        headers |= {"If-None-Match": etag} if etag else {}
        headers |= {"If-Modified-Since": modified} if modified else {}
    elif start:
        headers["Range"] = f"bytes={start}-"
        strong = etag if etag and not etag.startswith("W/") else modified
        headers |= {"If-Range": strong} if strong else {}
    return headers


def _follow(
    session: "requests.Session",
    url: str,
    headers: Mapping[str, str],
    trusted: bool,
    timeout: tuple[float, float],
) -> "requests.Response":
    """Get an address and follow its redirects, each looked at first."""
    seen = [url]
    while True:
        response = session.get(
            seen[-1], headers=dict(headers), stream=True, allow_redirects=False, timeout=timeout
        )
        if not response.is_redirect:
            return response
        response.close()
        target = urljoin(seen[-1], response.headers["location"])
        if target in seen or len(seen) > MOST_REDIRECTS:
            raise FlarecastError(f"{url}: expected a file, got redirects in a circle; try again later")
        _check_redirect(seen[-1], target, trusted)
        seen.append(target)


def _check_redirect(source: str, target: str, trusted: bool) -> None:
    """Refuse a redirect that leaves HTTP(S), or HTTPS, or, where no hash tells a wrong file, the site."""
    old, new = urlsplit(source), urlsplit(target)
    if new.scheme not in ("http", "https") or (old.scheme == "https" and new.scheme == "http"):
        raise FlarecastError(
            f"{source}: expected a file, got a redirect from {old.scheme} to {new.scheme or 'nowhere'};"
            " it is not followed"
        )
    if not trusted and _site(old.hostname) != _site(new.hostname):
        raise FlarecastError(
            f"{source}: expected a file, got a redirect to another host ({new.hostname}), which is not"
            " followed; fetch the file by hand, or name the new place with --base-url"
        )


def _site(host: str | None) -> str:
    """Domain that a host belongs to: its last two names, or all of an address."""
    name = (host or "").lower()
    return name if re.fullmatch(r"[\d.]+|.*:.*", name) else ".".join(name.split(".")[-2:])


def _judge(response: "requests.Response", start: int, means: Means) -> None:
    """Raise what the status says, unless it says that bytes come."""
    code, url = response.status_code, response.url
    if code == 200 or (code == 206 and start):
        return
    response.close()
    if code in (404, 410):
        raise Missing(f"{url}: the server has no such file ({code})")
    if code == 407:
        raise Unreachable(_PASSWORD)
    if code == 416:
        raise Again("the part that is here does not fit", 0)
    if code == 429 or code >= 500:
        wait = _retry_after(response.headers.get("retry-after", ""), means)
        if wait is not None and wait > LONGEST_WAIT:
            raise FlarecastError(
                f"{url}: the server asks to wait {wait / 60:.0f} minutes ({code}); call again then, nothing"
                " that came is lost"
            )
        raise Again(f"the server says {code} {response.reason}", wait, general=code in (429, 503))
    raise FlarecastError(f"{url}: expected a file, got {code} {response.reason}; fetch it by hand")


def _retry_after(text: str, means: Means) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or a date; None where there is none."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(text) - means.now()).total_seconds())
    except (ValueError, TypeError):
        return None


def _answer(response: "requests.Response", start: int) -> Answer:
    """What a response with bytes says about them."""
    headers = response.headers
    length = headers.get("content-length", "")
    size = int(length) if length.isdecimal() and not headers.get("content-encoding") else None
    first = 0
    if response.status_code == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("content-range", "").strip())
        if not found or int(found[1]) != start:
            response.close()
            raise FlarecastError(
                f"{response.url}: expected bytes from {start} on, got {headers.get('content-range')!r};"
                " try again later"
            )
        first, size = start, int(found[2]) if found[2] != "*" else (start + size if size else None)
    return Answer(
        url=response.url,
        start=first,
        size=size,
        etag=headers.get("etag", ""),
        last_modified=headers.get("last-modified", ""),
        chunks=response.iter_content(MEGABYTE // 16),
        close=response.close,
    )


def _failure(error: "requests.RequestException", url: str) -> Exception:
    """What a failure of the connection means; passwords in proxy addresses are not told."""
    import requests

    host, text = urlsplit(url).netloc.rpartition("@")[2], str(error)
    if "407" in text and isinstance(error, (requests.exceptions.ProxyError, OSError)):
        return Unreachable(_PASSWORD)
    if isinstance(error, requests.exceptions.ProxyError):
        return Unreachable("the proxy named in the environment (HTTPS_PROXY, HTTP_PROXY) does not answer")
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable(f"{host} shows a certificate that is not trusted")
    if "NameResolutionError" in text or "Name or service not known" in text:
        return Unreachable(f"{host} is not known (no network?)")
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return FlarecastError(f"{url}: expected an address like https://host/folder")
    if isinstance(error, requests.exceptions.Timeout):
        return Again(f"{host} does not answer in time")
    return Again(f"no connection to {host}, or it was cut")


_PASSWORD = (
    "the proxy asks for a password; name it in the environment, HTTPS_PROXY=http://user:password@host:port"
)

"""What is on offer: names in a web server's listing, files of a Dataverse data set."""

import html
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from flarecast.errors import FlarecastError

_LINK = re.compile(r"""href\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def plain_name(name: str, where: str) -> str:
    """A name that stays in its folder.

    Raises:
        FlarecastError: It climbs, hides, or is no name.
    """
    if not _PLAIN.fullmatch(name):
        raise FlarecastError(f"{where}: expected plain file names, got {name[:80]!r}; it is not fetched")
    return name


def names_listed(page: str, pattern: str, where: str) -> list[str]:
    """Names in a listing that match a pattern, sorted, each once.

    Raises:
        FlarecastError: There is no such name, or one climbs out of its folder.
    """
    links = [unquote(html.unescape(link)) for link in _LINK.findall(page)]
    ends = {link.rsplit("/", 1)[-1]: link for link in links if re.fullmatch(pattern, link.rsplit("/", 1)[-1])}
    for link in ends.values():
        if ".." in link.split("/") or "\\" in link:
            raise FlarecastError(f"{where}: expected plain file names, got {link[:80]!r}; it is not fetched")
    if not ends:
        raise FlarecastError(f"{where}: expected a list of files like {pattern}, got none")
    return sorted(plain_name(name, where) for name in ends)


@dataclass(frozen=True)
class Deposit:
    """A file of a Dataverse data set; `hash` is `algorithm:hexadecimal`."""

    name: str
    number: int
    size: int
    hash: str


def dataverse_files(text: str, where: str) -> dict[str, Deposit]:
    """Files of a data set from its description in JSON, by name.

    Raises:
        FlarecastError: It is no such description.
    """
    try:
        files = json.loads(text)["data"]["latestVersion"]["files"]
        deposits = [_deposit(file["dataFile"], where) for file in files]
    except (ValueError, KeyError, TypeError) as error:
        raise FlarecastError(
            f"{where}: expected Dataverse's description of a data set, got {text[:60]!r}; try again later"
        ) from error
    return {deposit.name: deposit for deposit in deposits}


def _deposit(file: dict[str, Any], where: str) -> Deposit:
    """One file: its checksum under the name of its algorithm, in older answers just md5."""
    checksum = file.get("checksum") or {"type": "MD5", "value": file["md5"]}
    algorithm = str(checksum["type"]).lower().replace("-", "")
    value = str(checksum["value"]).lower()
    if algorithm not in ("md5", "sha1", "sha256", "sha512") or not re.fullmatch(r"[0-9a-f]{32,128}", value):
        raise FlarecastError(f"{where}: expected a checksum, got {algorithm}:{value[:40]}; try again later")
    return Deposit(
        name=plain_name(str(file["filename"]), where),
        number=int(file["id"]),
        size=int(file["filesize"]),
        hash=f"{algorithm}:{value}",
    )

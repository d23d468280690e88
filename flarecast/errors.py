"""The one exception a caller may catch, and the one way to pick a part by name."""

from collections.abc import Mapping
from typing import TypeVar

Part = TypeVar("Part")


class FlarecastError(Exception):
    """Something the user can mend, in one sentence: `<what>: expected <this>, got <that>; <what to do>`."""


def choose(what: str, name: str, table: Mapping[str, Part]) -> Part:
    """Pick an entry of a table by name, or say what there is.

    Raises:
        FlarecastError: There is no such entry; the message lists those there are.
    """
    if name not in table:
        known = ", ".join(sorted(table))
        raise FlarecastError(f"{what}: expected one of {known}, got {name!r}")
    return table[name]

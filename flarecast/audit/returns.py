"""Warning: regions that went round the Sun and came back in another role under a new number."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.audit.evidence import Evidence
from flarecast.audit.findings import Finding, and_so_on, counted
from flarecast.errors import FlarecastError
from flarecast.schema import ROLES
from flarecast.split import link_returning, linked_regions
from flarecast.split.roles import RoleArray

IntArray = NDArray[np.int64]


def regions_with_returns(windows: xr.Dataset) -> IntArray | None:
    """Number of the region of each window, a returned one being the same; None where no place is known."""
    try:
        return linked_regions(link_returning(windows, "same"))
    except FlarecastError:
        return None


def returned_regions(evidence: Evidence, role: RoleArray, linked: IntArray | None) -> Iterator[Finding]:
    """Warn where two roles share a region by its return, but by no number.

    Args:
        evidence: The windows.
        role: Role in one fold, shape (window,).
        linked: As `regions_with_returns` gives it.
    """
    if linked is None:
        return
    names = evidence.spans.name
    found: dict[tuple[str, str], str] = {}
    roles: set[str] = set()
    for one, other in combinations(range(1, len(ROLES)), 2):
        mine, theirs = (np.flatnonzero((role == number) & ~evidence.spans.disk) for number in (one, other))
        theirs = theirs[~np.isin(evidence.spans.region[theirs], evidence.spans.region[mine])]
        theirs = theirs[np.isin(linked[theirs], linked[mine])]
        _, place = np.unique(linked[mine], return_index=True)
        first = dict(zip(linked[mine[place]].tolist(), names[mine[place]], strict=True))
        pairs = {(str(first[linked[i]]), str(names[i])): "" for i in theirs.tolist()}
        found |= pairs
        roles |= {ROLES[one], ROLES[other]} if pairs else set()
    if found:
        examples = tuple(f"{one} and {other}" for one, other in found)
        text = (
            f"{counted(len(found), 'region')} came back after a rotation in another role"
            f'{and_so_on(examples)}; split.returning = "same" keeps them together'
        )
        named = tuple(name for name in ROLES if name in roles)
        yield Finding("returning region", "warning", text, len(found), examples[:5], named)

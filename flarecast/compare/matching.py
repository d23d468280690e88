"""The windows that all forecasts have, and what occurred in them, from one source."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import goes
from flarecast.compare.entries import Entry
from flarecast.cycles import iso
from flarecast.errors import FlarecastError
from flarecast.evaluate.pairing import Paired, pair, require_pairs
from flarecast.evaluate.truth import fill_truth

IntArray = NDArray[np.int64]


def leading(entries: Sequence[Entry]) -> xr.Dataset:
    """Windows of the first entry that may be compared, with every event that any entry has.

    Its probabilities of events that it does not have are NaN, their outcomes unknown.
    """
    first = entries[0].scored
    events = list(dict.fromkeys(str(one) for entry in entries for one in entry.forecasts["event"].values))
    events = [event for nth, event in enumerate(events) if not _among(event, events[:nth])]
    ordered = sorted(events, key=goes.parse_class)
    wide = _empty(first, ordered)
    said = pair(wide, first)
    wide["probability"].values[:] = said.probability
    wide["occurred"].values[:] = said.occurred
    return wide.isel(window=np.unique(said.row[said.row >= 0]))  # of two issues the one that counts


def pair_all(lead: xr.Dataset, entries: Sequence[Entry]) -> dict[str, Paired]:
    """Every entry's forecasts beside the windows of the first, by name.

    Raises:
        FlarecastError: One has no window, or no event, in common with the first.
    """
    paired = {entry.name: pair(lead, entry.scored) for entry in entries}
    for entry in entries[1:]:
        require_pairs(entry.name, lead, entry.scored, paired[entry.name])
    return paired


def settle_outcomes(
    lead: xr.Dataset, paired: Mapping[str, Paired], truth: xr.Dataset | Path | None
) -> tuple[xr.Dataset, list[str]]:
    """Windows of the first entry with what occurred: from the truth, else from the files where they agree.

    Args:
        lead: As of `leading`.
        paired: As of `pair_all`.
        truth: Windows, or a list of flares.

    Returns:
        The windows, and sentences.

    Raises:
        FlarecastError: Two files contradict each other on a window that all have, or no file knows anything.
    """
    if truth is not None:
        return fill_truth(lead, truth)
    everywhere = np.all([one.row >= 0 for one in paired.values()], axis=0)
    occurred = np.full(lead["occurred"].shape, -1, dtype=np.int8)
    source = np.full(occurred.shape, "", dtype=object)
    for name, one in paired.items():
        differ = (one.occurred >= 0) & (occurred >= 0) & (one.occurred != occurred) & everywhere[:, None]
        if differ.any():
            raise FlarecastError(_contradiction(lead, differ, source, name))
        new = (occurred < 0) & (one.occurred >= 0)
        source[new] = name
        occurred = np.where(new, one.occurred, occurred)
    if (occurred < 0).all():
        raise FlarecastError(
            "compare: expected outcomes in one of the files, got none; name what occurred with --truth "
            "windows.nc or flares.csv"
        )
    return lead.assign(occurred=lead["occurred"].copy(data=occurred)), []


def _contradiction(
    lead: xr.Dataset, differ: NDArray[np.bool_], source: NDArray[np.object_], name: str
) -> str:
    """A sentence on two files that say different things of one window."""
    nth, event = (int(place[0]) for place in np.nonzero(differ))
    one = lead.isel(window=nth)
    where = f"{one['region'].item()} from {iso(one['valid_from'].item())}, {lead['event'].values[event]}"
    return (
        f"compare: expected files that agree on what occurred, got {differ.any(axis=1).sum():,} windows with "
        f"another outcome in {name} than in {source[nth, event]}, e.g. {where}; name one source with --truth"
    )


def _among(event: str, events: Sequence[str]) -> bool:
    """Whether a class is one of several, compared as numbers."""
    flux = goes.parse_class(event)
    return any(np.isclose(flux, goes.parse_class(one), rtol=goes.TOLERANCE, atol=0) for one in events)


def _empty(forecasts: xr.Dataset, events: Sequence[str]) -> xr.Dataset:
    """The same windows with other events, of which nothing is said."""
    shape = (forecasts.sizes["window"], len(events))
    plain = forecasts.drop_dims("event")
    dims = ("window", "event")
    return plain.assign_coords(event=("event", np.array(events, dtype=object))).assign(
        probability=(dims, np.full(shape, np.nan)), occurred=(dims, np.full(shape, -1, dtype=np.int8))
    )

"""Which windows are explained one by one: by number, by region and issue time, or the likeliest."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from flarecast.cycles import seconds
from flarecast.errors import FlarecastError
from flarecast.explain.parts import Explained


@dataclass(frozen=True)
class Choice:
    """A window: its part and place there, its number in the file, and what it is called."""

    part: int
    place: int
    window: int
    region: str
    issue_time: str

    @property
    def name(self) -> str:
        """Region and time of issue."""
        return f"{self.region} {self.issue_time}"


def choose_windows(explained: Explained, event: str, named: tuple[str, ...], top: int) -> list[Choice]:
    """The windows named, then the likeliest of each of the regions whose forecasts are highest.

    Raises:
        FlarecastError: No such window among those explained, or no such event.
    """
    events = explained.parts[0].model.events
    if event not in events:
        raise FlarecastError(f"--event: expected one of {', '.join(events)}, got {event!r}")
    places = [(nth, place) for nth, part in enumerate(explained.parts) for place in range(part.index.size)]
    chosen = [_find(explained, name) for name in named]
    if top:
        chosen += _likeliest(explained, places, events.index(event), top)
    return [_choice(explained, *one) for one in dict.fromkeys(chosen)]


def _likeliest(
    explained: Explained, places: list[tuple[int, int]], event: int, top: int
) -> Iterator[tuple[int, int]]:
    """Windows with the highest probabilities, each of another region (of the disk: rotation)."""
    parts = [part.forecasts for part in explained.parts]
    probability = np.concatenate([one["probability"].values[:, event] for one in parts])
    cluster = np.concatenate([one["cluster"].values.astype(str) for one in parts])
    order = np.argsort(-probability, kind="stable")
    _, first = np.unique(cluster[order], return_index=True)
    yield from (places[order[place]] for place in np.sort(first)[:top])


def _find(explained: Explained, name: str) -> tuple[int, int]:
    """Part and place of a window by its number in the file or by `REGION@TIME`."""
    region, at, time = name.rpartition("@")
    if at:
        issued, windows = seconds(time), explained.windows
        here = (windows["region"].values.astype(str) == region) & (windows["issue_time"].values == issued)
        numbers = np.flatnonzero(here)
    else:
        numbers = np.array([int(name)]) if name.isascii() and name.isdecimal() else np.zeros(0, np.int64)
    for nth, part in enumerate(explained.parts):
        places = np.flatnonzero(np.isin(part.index, numbers))
        if places.size:
            return nth, int(places[0])
    example = _choice(explained, 0, 0)
    raise FlarecastError(
        f"--window {name}: expected a window of role {explained.role} with values and a known outcome, by "
        f"number or REGION@TIME like {example.window} or {example.region}@{example.issue_time}, got none"
    )


def _choice(explained: Explained, part: int, place: int) -> Choice:
    """A window with its names."""
    forecasts = explained.parts[part].forecasts
    issued = np.datetime64(int(forecasts["issue_time"].values[place]), "s")
    return Choice(
        part=part,
        place=place,
        window=int(explained.parts[part].index[place]),
        region=str(forecasts["region"].values[place]),
        issue_time=f"{np.datetime_as_string(issued, unit='m')}Z",
    )

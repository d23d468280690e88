"""What is permuted as one: a feature, a group of features, a span of time steps, the latest known outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.config.sections import Explain
from flarecast.errors import FlarecastError

Kind = Literal["feature", "group", "span", "outcome"]

OUTCOME = "latest known outcome"


@dataclass(frozen=True)
class Unit:
    """Inputs that are permuted together.

    Attributes:
        kind: What it is.
        name: For tables and pictures.
        features: Names of its features.
        steps: First step and the one behind the last.
    """

    kind: Kind
    name: str
    features: tuple[str, ...]
    steps: tuple[int, int]

    def mask(self, features: Sequence[str], n_steps: int, masked: bool) -> NDArray[np.bool_]:
        """Inputs of a model that are permuted, shape (step, input); with a mask, its part of it, too."""
        columns = np.isin(features, self.features)
        mask = np.zeros((n_steps, len(columns)), dtype=np.bool_)
        mask[self.steps[0] : self.steps[1], columns] = True
        return np.concatenate([mask, mask], axis=1) if masked else mask


def make_units(windows: xr.Dataset, features: Sequence[str], settings: Explain) -> list[Unit]:
    """Units of a file's windows: each feature, each group, each span of steps, the latest known outcome.

    Args:
        windows: A windows Dataset.
        features: Names of the features that the model reads.
        settings: Section `explain` of the configuration.

    Raises:
        FlarecastError: A group of features that the model does not read, or `only` names what there is not.
    """
    n_steps = int(windows.attrs["n_steps"])
    whole = (0, n_steps)
    units = [Unit("feature", name, (name,), whole) for name in features]
    units += [
        Unit("group", name, names, whole) for name, names in _groups(windows, features, settings).items()
    ]
    if n_steps > 1:
        hours = float(windows.attrs["cadence_minutes"]) / 60
        for steps in _spans(n_steps, settings.spans):
            until, since = ((n_steps - step) * hours for step in steps)
            units.append(Unit("span", f"{until:g} to {since:g} h before", tuple(features), steps))
    units.append(Unit("outcome", OUTCOME, (), (0, 0)))
    return _chosen(units, settings.only)


def _groups(windows: xr.Dataset, features: Sequence[str], settings: Explain) -> dict[str, tuple[str, ...]]:
    """Names of the features of each group: those of the configuration, else by unit or by prefix."""
    if settings.groups:
        unknown = {
            f"{group} names {name}"
            for group, names in settings.groups.items()
            for name in names
            if name not in features
        }
        if unknown:
            raise FlarecastError(
                f"explain.groups: expected features that the model reads ({', '.join(features)}), got "
                f"others: {', '.join(sorted(unknown))}"
            )
        return dict(settings.groups)
    unit_of = dict(zip(windows["feature"].values, windows["feature_unit"].values, strict=True))
    found: dict[str, list[str]] = {}
    for name in features:
        if settings.group_by == "unit":
            found.setdefault(f"in {unit_of[name] or '1'}", []).append(name)
        elif settings.group_by == "prefix":
            found.setdefault(f"{_bare(name).partition('_')[0]}_*", []).append(name)
    # A group of one is the feature itself, a group of all says nothing.
    return {name: tuple(names) for name, names in found.items() if 1 < len(names) < len(features)}


def _bare(name: str) -> str:
    """Name of a feature without that of the function it went through."""
    return name.removeprefix("log1p_").removeprefix("log10_")


def _spans(n_steps: int, most: int) -> list[tuple[int, int]]:
    """At most so many spans of steps of nearly equal length, the earliest first."""
    edges = np.unique(np.linspace(0, n_steps, min(most, n_steps) + 1).round().astype(int)).tolist()
    return list(pairwise(edges))


def _chosen(units: list[Unit], only: Sequence[str]) -> list[Unit]:
    """Units that are asked for by name, all where none is."""
    names = [unit.name for unit in units]
    unknown = [name for name in only if name not in names]
    if unknown:
        raise FlarecastError(
            f"explain.only: expected some of {', '.join(names)}, got {', '.join(unknown)}; a group is "
            "made by explain.groups or explain.group_by"
        )
    return [unit for unit in units if not only or unit.name in only]

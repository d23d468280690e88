"""Which windows to find the outcome of next: those on which the members of a model differ most.

Windows of one region are near copies: the outcome of one tells most of the others'. So the list holds the
most telling window of each region first, then the next of each that shares no hour of its rows or its valid
span with those before, and the copies at last.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.clusters import clusters
from flarecast.cycles import iso
from flarecast.errors import FlarecastError
from flarecast.files import replacing
from flarecast.forecast import class_probabilities, class_to_event
from flarecast.goes import occurred_table
from flarecast.model_file import TrainedModel
from flarecast.schema import ROLES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Ranking:
    """Windows in the order in which their outcomes are wanted.

    Attributes:
        window: Number in the windows file, shape (n,).
        turn: 1 for the first window of its region (of the disk: rotation), 2 for the next ...; 0 a copy.
        epistemic: Mutual information of class and member [bit], shape (n,).
        aleatoric: Mean entropy of the members [bit], shape (n,).
        probability: Mean over the members, shape (n, event).
    """

    window: IntArray
    turn: IntArray
    epistemic: FloatArray
    aleatoric: FloatArray
    probability: FloatArray


def candidates(
    windows: xr.Dataset, model: TrainedModel, role: NDArray[np.int8] | None, every: bool
) -> IntArray:
    """Windows that may be ranked: of unknown outcome, or all; never those of the test role.

    Raises:
        FlarecastError: There is none, or the model has no members to rank them by.
    """
    _require_members(model)
    occurred = occurred_table(windows, model.events, model.unassigned)
    wanted = np.ones(len(occurred), dtype=bool) if every else (occurred < 0).all(axis=1)
    allowed = np.ones(len(occurred), dtype=bool) if role is None else role != ROLES.index("test")
    index = np.flatnonzero(wanted & allowed)
    if not index.size:
        raise FlarecastError(
            f"windows: expected some of unknown outcome outside the test role, got none among "
            f"{len(occurred):,}; --all ranks those of known outcome, too"
        )
    return index


def rank_windows(windows: xr.Dataset, model: TrainedModel, index: IntArray, device: str = "auto") -> Ranking:
    """Rank windows by how much their outcome would tell.

    Source: Houlsby et al. (2011), arXiv 1112.5745, for the mutual information.

    Args:
        windows: A windows Dataset.
        model: A trained model with its members.
        index: Windows to rank; those without a value are left out.
        device: auto, cpu or cuda.

    Raises:
        FlarecastError: The model has no members.
    """
    _require_members(model)
    occurred = occurred_table(windows, model.events, model.unassigned)
    members = class_probabilities(windows, model.members, occurred, device, index)
    there = ~np.isnan(members).any(axis=(0, 2))
    members, index = members[:, there], index[there]
    mean = members.mean(axis=0)
    aleatoric = _entropy(members).mean(axis=0)
    epistemic = np.maximum(_entropy(mean) - aleatoric, 0.0)
    turn = _turns(windows, index, epistemic)
    late = np.where(turn == 0, np.iinfo(np.int64).max, turn)
    order = np.lexsort((-epistemic, late))
    probability = class_to_event(mean)
    return Ranking(index[order], turn[order], epistemic[order], aleatoric[order], probability[order])


def write_ranking(ranking: Ranking, windows: xr.Dataset, events: tuple[str, ...], out: Path) -> None:
    """Write the ranking as CSV, a line a window.

    Raises:
        FlarecastError: The file cannot be written.
    """
    names = ["rank", "window", "region", "issue_time", "turn", "epistemic_bit", "aleatoric_bit"]
    with replacing(out) as aside, aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*names, *(f"probability_{event}" for event in events)])
        for rank, number in enumerate(ranking.window):
            numbers = [ranking.epistemic[rank], ranking.aleatoric[rank], *ranking.probability[rank]]
            writer.writerow(
                [
                    *(rank + 1, int(number), windows["region"].values[number]),
                    *(iso(int(windows["issue_time"].values[number])), int(ranking.turn[rank])),
                    *(f"{one:.6g}" for one in numbers),
                ]
            )


def _require_members(model: TrainedModel) -> None:
    """Raise unless a model has members."""
    if not model.members:
        raise FlarecastError(
            "rank-for-labels: expected a model with members, whose differences say what is not known, got "
            'one alone; train it with an [ensemble], e.g. ensemble.name = "deep"'
        )


def _turns(windows: xr.Dataset, index: IntArray, epistemic: FloatArray) -> IntArray:
    """Place of each window among those of its region that share nothing, from 1; 0 for copies."""
    region = clusters(windows.isel(window=index)).astype(str)
    issue = windows["issue_time"].values[index]
    hours = float(windows.attrs["n_steps"]) * float(windows.attrs["cadence_minutes"]) / 60
    apart = 3600 * max(hours, float(windows.attrs["horizon_hours"]))
    turn = np.zeros(index.size, dtype=np.int64)
    order = np.lexsort((-epistemic, region))
    for group in _runs(region[order]):
        taken: list[int] = []
        for place in order[group]:
            if all(abs(int(issue[place]) - moment) >= apart for moment in taken):
                taken.append(int(issue[place]))
                turn[place] = len(taken)
    return turn


def _runs(names: NDArray[np.str_]) -> Iterator[slice]:
    """Slices of equal names in a sorted array."""
    edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), names.size]
    for first, last in pairwise(edges):
        yield slice(first, last)


def _entropy(probability: FloatArray) -> FloatArray:
    """Entropy over the last axis [bit]."""
    from scipy.special import xlogy

    entropy: FloatArray = -xlogy(probability, probability).sum(axis=-1) / np.log(2)
    return entropy

"""Which windows are scored apart from the whole, and the ways in which windows are resampled."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles, goes, skill
from flarecast.evaluate.records import Drawn
from flarecast.schema import ROLES

BoolArray = NDArray[np.bool_]
BlockChoice = Literal["wider", "region", "rotation"]

OUT_OF_FOLD = "out_of_fold"
"""Role in scores.json of windows that were forecast by the model of a fold that was not trained on them."""


@dataclass(frozen=True)
class Subset:
    """Some windows, shape (window,); scored for every forecast where `of_all`, else for the model."""

    name: str
    rows: BoolArray
    of_all: bool = False


def subsets_of(forecasts: xr.Dataset, event: int, common: BoolArray) -> Iterator[Subset]:
    """Subsets of the windows scored: without flares in progress, with unassigned flares masked, by fold.

    Args:
        forecasts: The forecasts that are evaluated.
        event: Column of the event.
        common: Windows that are scored, shape (window,).
    """
    if "in_progress" in forecasts:
        yield Subset("not_in_progress", common & (forecasts["in_progress"].values == 0))
    if "unassigned_peak_flux" in forecasts:
        threshold = str(forecasts["event"].values[event])
        nameless = goes.at_least(forecasts["unassigned_peak_flux"].values, goes.parse_class(threshold))
        masked = nameless & (forecasts["occurred"].values[:, event] == 0)
        if (masked & common).any():
            yield Subset("unassigned_masked", common & ~masked, of_all=True)
    fold = forecasts["fold"].values
    if np.unique(fold[common]).size > 1:
        yield from (Subset(f"fold_{one}", common & (fold == one)) for one in np.unique(fold[common]))


def out_of_fold_subsets(
    forecasts: xr.Dataset, probability: NDArray[np.float64], event: int
) -> Iterator[Subset]:
    """Windows of known outcome that were held out of their fold, all together and fold by fold."""
    if not forecasts.attrs.get("out_of_fold"):
        return
    fold, occurred = forecasts["fold"].values, forecasts["occurred"].values[:, event]
    held_out = (forecasts["role"].values == ROLES.index("calibration")) & (occurred >= 0)
    held_out &= ~np.isnan(probability[:, event])
    if held_out.any():
        yield Subset("all", held_out)
        yield from (Subset(f"fold_{one}", held_out & (fold == one)) for one in np.unique(fold[held_out]))


def draw_ways(
    forecasts: xr.Dataset,
    event: int,
    rows: BoolArray,
    *,
    blocks: BlockChoice,
    rng: np.random.Generator,
    resamples: int,
) -> Drawn:
    """Resample some windows in the ways asked for; where every cluster is a rotation there is one way."""
    start = forecasts["valid_from"].values[rows]
    year = start.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    cluster = forecasts["cluster"].values[rows].astype(str)
    of_disk = np.char.startswith(cluster, "rotation ").all()
    clusters = {"region": cluster, "rotation": cycles.rotation_of(start)}
    wanted = ("rotation",) if of_disk else ("region", "rotation") if blocks == "wider" else (blocks,)
    occurred = forecasts["occurred"].values[rows, event] == 1
    return Drawn(
        {
            name: skill.draw_sample(occurred, clusters[name], rng, resamples=resamples, year=year)
            for name in wanted
        },
        rng.spawn(1)[0],
    )

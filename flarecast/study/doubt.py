"""Do uncertain forecasts fail more? Errors by how much doubt there was, and beyond what the probability says.

The doubtful forecasts of a rare event are those of high probability, and these have the largest errors
whatever they are worth: a falling error-retention curve alone says little. So windows are also compared at
equal probability: of those with nearly the same forecast, do the doubted ones fail more than it says?
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import skill
from flarecast.skill.sums import ratio
from flarecast.study.figures import COLOURS, new_figure
from flarecast.study.scoring import Draw, rows_of
from flarecast.uncertainty import entropy_parts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

BINS = 20
"""Bins of equally many windows in which probabilities count as equal."""


@dataclass(frozen=True)
class Doubted:
    """Scored windows with their doubt.

    Attributes:
        error: Squared error of the calibrated probability, shape (window,).
        probability: Calibrated probability, shape (window,).
        epistemic: Of the members [bit], shape (window,).
        blocks: Block of each window, one array (window,) a way of drawing.
        counts: Drawn how often, one array (resample, block) a way.
    """

    error: FloatArray
    probability: FloatArray
    epistemic: FloatArray
    blocks: tuple[NDArray[np.int64], ...]
    counts: tuple[NDArray[Any], ...]


def doubted(forecasts: xr.Dataset, event: int, role: str, draw: Draw) -> Doubted:
    """The windows of a role with forecast and outcome."""
    rows = rows_of(forecasts, event, role)
    probability = forecasts["probability"].values[rows, event]
    occurred = forecasts["occurred"].values[rows, event] == 1
    _, epistemic = entropy_parts(forecasts["member"].values[rows])
    return Doubted(
        (probability - occurred) ** 2,
        probability,
        epistemic[:, event],
        tuple(code[rows] for code in draw.codes),
        draw.counts,
    )


def retention(windows: Doubted, doubt: FloatArray) -> FloatArray:
    """Mean squared error of the windows of least doubt, by the share that is kept, as `skill.RETAINED`."""
    return skill.retained_error(skill.sum_retained(windows.error, doubt))


def excess_of_doubted(windows: Doubted, confidence: float) -> tuple[float, float, float]:
    """How much more doubted forecasts fail than trusted ones of nearly equal probability.

    The squared error less p (1 - p), its mean for a forecast p that holds what it says: 0 on average where
    forecasts are calibrated, whatever p. Bins of equally many windows by probability are split at their
    median doubt; the differences are averaged over the bins. 0: doubt says nothing that the probability does
    not. As the mean excess at p is (1 - 2 p) x (rate - p), doubted forecasts below 1/2 fail more where they
    say too little, less where they say too much.

    Returns:
        The difference and its interval, the wider of those from drawing regions and rotations; NaN with too
        few windows.
    """
    order = np.argsort(windows.probability, kind="stable")
    if order.size < 4 * BINS:
        return np.nan, np.nan, np.nan
    excess = windows.error - windows.probability * (1 - windows.probability)
    cell = np.full(order.size, -1)
    for nth, part in enumerate(np.array_split(order, BINS)):
        by_doubt = part[np.argsort(windows.epistemic[part], kind="stable")]
        half = by_doubt.size // 2
        cell[by_doubt[:half]], cell[by_doubt[half:]] = 2 * nth, 2 * nth + 1
    value = _difference(np.bincount(cell, excess, 2 * BINS), np.bincount(cell, minlength=2 * BINS))
    widest = (np.nan, np.nan)
    for code, counts in zip(windows.blocks, windows.counts, strict=True):
        place, shape = code * 2 * BINS + cell, (counts.shape[1], 2 * BINS)
        sums = np.bincount(place, excess, shape[0] * shape[1]).reshape(shape)
        n = np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)
        resampled = _difference(counts @ sums, counts @ n)
        low, high = np.nanquantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2])
        if not high - low <= widest[1] - widest[0]:
            widest = (float(low), float(high))
    return float(value), *widest


def _difference(errors: NDArray[Any], n: NDArray[Any]) -> FloatArray:
    """Mean over bins of doubted less trusted mean, shape (...), from sums (..., cell); NaN without bins."""
    mean = ratio(errors, n)
    gap = mean[..., 1::2] - mean[..., ::2]
    return np.asarray(ratio(np.nansum(gap, axis=-1), (~np.isnan(gap)).sum(axis=-1)))


def draw_retention(panels: Mapping[str, Mapping[str, Doubted]]) -> "Figure":
    """Curves of all arms, a panel a role: by epistemic doubt, and by what the probability itself says."""
    figure = new_figure(9, 4.2)
    all_axes = np.atleast_1d(figure.subplots(1, len(panels)))
    for axes, (title, arms) in zip(all_axes, panels.items(), strict=True):
        for nth, (name, windows) in enumerate(arms.items()):
            curve = retention(windows, windows.epistemic)
            style = ("-", ":")[nth // len(COLOURS) % 2]
            axes.plot(
                skill.RETAINED, curve, style, color=COLOURS[nth % len(COLOURS)], label=name, linewidth=1.3
            )
        first = next(iter(arms.values()))
        by_probability = retention(first, first.probability * (1 - first.probability))
        axes.plot(skill.RETAINED, by_probability, "k--", label="by p (1 - p) alone", linewidth=1.3)
        axes.axhline(first.error.mean(), color="0.6", linewidth=0.8, label="at random")
        axes.set(title=title, xlabel="share of forecasts kept, least doubt first", ylim=(0, None))
    figure.axes[0].set_ylabel("Brier score of those kept")
    figure.axes[0].legend(fontsize=8, frameon=False)
    return figure

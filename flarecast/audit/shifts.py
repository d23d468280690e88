"""Warnings: features, classes and cadence that are distributed otherwise in another role than in train."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from flarecast import goes
from flarecast.audit.evidence import N_BINS, Evidence
from flarecast.audit.findings import Finding, counted
from flarecast.audit.scales import factor_in_words, known_factor
from flarecast.schema import ROLES
from flarecast.split.roles import TRAIN, RoleArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PSI_LIMIT = 0.25
"""Population stability index of another distribution (Siddiqi 2006, Credit Risk Scorecards)."""

CADENCE_RATIO = 1.1
"""Median time steps of two roles that differ by more are warned about."""

_LEAST_UNIT = 9.0  # smaller factors are not told from other Suns
_NEAR = 0.5  # medians of two roles differ by that much with one unit
_LETTERS = "BCMX"


def psi(expected: FloatArray, got: FloatArray) -> float:
    """Population stability index of two histograms: sum of (q - p) ln(q / p) over their bins.

    From 0, alike, up; counts of 0 are taken as a half.
    """
    p, q = (np.maximum(counts, 0.5) / np.maximum(counts, 0.5).sum() for counts in (expected, got))
    return float(((q - p) * np.log(q / p)).sum())


def chance(n_bins: int, blocks: tuple[int, int]) -> float:
    """Index that two samples of one distribution have by chance, at most, but for one in hundreds.

    For n and m blocks it is about chi-square distributed, times 1 / n + 1 / m, with bins - 1 degrees of
    freedom; its mean and three standard deviations are taken. The windows of a block are near copies, so that
    blocks count, not windows.

    Source: Yurdakul & Naranjo (2020), Journal of Risk Model Validation 14(4).
    """
    free = n_bins - 1
    return float((free + 3 * np.sqrt(2 * free)) * sum(1 / max(1, n) for n in blocks))


def shifted_features(evidence: Evidence, role: RoleArray) -> Iterator[Finding]:
    """Warn, a role at a time, where features are distributed otherwise than in train; the worst are named."""
    train = role == TRAIN
    for number in range(TRAIN + 1, len(ROLES)):
        other = role == number
        if not train.any() or not other.any():
            continue
        blocks = (np.unique(evidence.block[train]).size, np.unique(evidence.block[other]).size)
        shifts = [
            _excess(_in_bins(expected), _in_bins(got), blocks)
            for expected, got in zip(evidence.bins[train].T, evidence.bins[other].T, strict=True)
        ]
        worst = sorted(range(len(shifts)), key=lambda place: -shifts[place])
        worst = [place for place in worst if shifts[place] > PSI_LIMIT]
        if worst:
            named = tuple(f"{evidence.names[place]} {shifts[place]:.2f}" for place in worst[:5])
            unit = _unit(evidence, (train, other), worst, blocks)
            text = (
                f"{counted(len(worst), 'feature')} of {len(shifts)} distributed otherwise in "
                f"{ROLES[number]} than in train (PSI above {PSI_LIMIT}: {', '.join(named[:3])}){unit}; "
                "the model meets values that it has seldom seen"
            )
            yield Finding(
                "feature distribution", "warning", text, len(worst), named, (ROLES[TRAIN], ROLES[number])
            )


def class_mix(evidence: Evidence, role: RoleArray) -> Iterator[Finding]:
    """Warn where flares of another role are B, C, M and X in other shares than those of train."""
    peak = evidence.windows["peak_flux"].values
    edges = [goes.DECADES[letter] * (1 - goes.TOLERANCE) for letter in _LETTERS]
    letter = np.searchsorted(edges, np.where(np.isnan(peak), 0, peak), side="right")
    mixes, blocks = {}, {}
    for number in range(TRAIN, len(ROLES)):
        mine = (role == number) & (letter > 0)
        mixes[number] = np.bincount(letter[mine], minlength=len(_LETTERS) + 1)[1:].astype(np.float64)
        blocks[number] = np.unique(evidence.block[mine]).size
    for number in range(TRAIN + 1, len(ROLES)):
        there = (mixes[TRAIN] + mixes[number]) > 0
        if not mixes[TRAIN].any() or not mixes[number].any() or there.sum() < 2:
            continue
        excess = psi(mixes[TRAIN][there], mixes[number][there])
        excess -= chance(int(there.sum()), (blocks[TRAIN], blocks[number]))
        if excess > PSI_LIMIT:
            text = (
                f"classes of flares differ between train ({_in_words(mixes[TRAIN])}) and {ROLES[number]} "
                f"({_in_words(mixes[number])}); compare scores class by class"
            )
            yield Finding(
                "class mix", "warning", text, int(mixes[number].sum()), (), (ROLES[TRAIN], ROLES[number])
            )


def cadences(evidence: Evidence, role: RoleArray) -> Iterator[Finding]:
    """Warn where the typical time between the rows of a window differs between roles."""
    step = np.diff(evidence.windows["time"].values)
    spans, steps = evidence.spans, {}
    for number in range(TRAIN, len(ROLES)):
        mine = np.flatnonzero((role == number) & (spans.after_row - spans.first_row > 1))
        if mine.size:
            # One step a window, from its last row but one to its last, is enough for a median.
            steps[ROLES[number]] = float(np.median(step[spans.after_row[mine] - 2])) / 60
    ordered = sorted(steps, key=lambda name: steps[name])
    if len(ordered) > 1 and steps[ordered[-1]] > CADENCE_RATIO * steps[ordered[0]]:
        words = ", ".join(f"{name} {minutes:g} min" for name, minutes in steps.items())
        text = f"cadence differs between roles ({words}); the model sees other gaps than it was trained on"
        yield Finding("cadence", "warning", text, len(steps), (), (ordered[0], ordered[-1]))


def _shift(train: NDArray[np.float32], other: NDArray[np.float32], blocks: tuple[int, int]) -> float:
    """Index of one feature beyond what chance gives; deciles of train, and one bin of missing values."""
    known = train[np.isfinite(train)].astype(np.float64)
    if known.size == 0:
        return 0.0
    edges = np.unique(np.quantile(known, np.linspace(0, 1, N_BINS + 1)[1:-1]))
    return _excess(_histogram(train, edges), _histogram(other, edges), blocks)


def _in_bins(bins: NDArray[np.int8]) -> FloatArray:
    """Windows by bin, those without a value last."""
    return np.bincount(bins, minlength=N_BINS + 1).astype(np.float64)


def _excess(expected: FloatArray, got: FloatArray, blocks: tuple[int, int]) -> float:
    """Index of two histograms beyond what chance gives."""
    there = (expected + got) > 0
    return psi(expected[there], got[there]) - chance(int(there.sum()), blocks)


def _histogram(values: NDArray[np.float32], edges: FloatArray) -> FloatArray:
    """Windows between edges, then windows without a value."""
    known = np.isfinite(values)
    place = np.where(known, np.searchsorted(edges, values, side="right"), edges.size + 1)
    return np.bincount(place, minlength=edges.size + 2).astype(np.float64)


def _unit(
    evidence: Evidence, of: tuple[RoleArray, RoleArray], worst: list[int], blocks: tuple[int, int]
) -> str:
    """A factor between train and the other role that explains a shift, in words; empty if there is none."""
    for place in worst:
        train, other = (evidence.last[mask, place] for mask in of)
        middle = [_typical(values) for values in (train, other)]
        factor = known_factor(middle[1] / middle[0] if min(middle) > 0 else 1.0, _NEAR)
        if not 1 / _LEAST_UNIT < factor < _LEAST_UNIT and (
            _shift(train, (other / np.float64(factor)).astype(np.float32), blocks) < PSI_LIMIT
        ):
            return (
                f"; {evidence.names[place]} is about {factor:.3g} times as large, which corresponds to "
                f"{factor_in_words(factor)}"
            )
    return ""


def _typical(values: NDArray[np.float32]) -> float:
    """Median size of the values other than 0; 0 where there is none."""
    sizes = np.abs(values[np.isfinite(values) & (values != 0)]).astype(np.float64)
    return float(np.median(sizes)) if sizes.size else 0.0


def _in_words(mix: FloatArray) -> str:
    """Shares of classes: `C 80 %, M 18 %, X 2 %`."""
    parts = [
        f"{name} {n / mix.sum():.0%}".replace("%", " %") for name, n in zip(_LETTERS, mix, strict=True) if n
    ]
    return ", ".join(parts)

"""Warnings: flare classes that mean different things in two roles, by their flag or by the fluxes themselves.

Before GOES-16 the operational 1-8 A flux was 0.70 of the true one; records that were corrected and records
that were not look alike until their fluxes are compared.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from flarecast import goes
from flarecast.audit.differences import pairs_in_words
from flarecast.audit.findings import Finding
from flarecast.schema import ROLES

FloatArray = NDArray[np.float64]

FEWEST_FLARES = 20
"""Flares in each of two roles from which their fluxes are compared."""

TENTHS = 0.9
"""Share of fluxes that are classes to one decimal, from which a record is on the scale of its list."""

_QUANTILES = (0.1, 0.25, 0.5)
_CLOSE = 0.05

FACTORS = {
    goes.OPERATIONAL_TO_TRUE: "operational GOES classes against true fluxes (1 / 0.70)",
    180 / np.pi: "radians against degrees",
    60.0: "minutes against seconds, or hours against minutes",
    3600.0: "hours against seconds",
} | {10.0**n: f"a unit of 1e{n}" for n in range(1, 13)}
"""Factors between two roles that stand for a change of scale or unit."""


def known_factor(factor: float, close: float = _CLOSE) -> float:
    """The nearest factor, or its inverse, that stands for a change of scale or unit; 1 if none is near.

    Args:
        factor: Ratio of two scales.
        close: How far from a known factor it may be, as a share.
    """
    if not 0 < factor < np.inf:
        return 1.0
    size = max(factor, 1 / factor)
    nearest = min(FACTORS, key=lambda known: abs(np.log(size / known)))
    if abs(np.log(size / nearest)) > np.log1p(close):
        return 1.0
    return nearest if factor > 1 else 1 / nearest


def factor_in_words(factor: float) -> str:
    """What a known factor corresponds to."""
    return FACTORS[min(FACTORS, key=lambda known: abs(np.log(max(factor, 1 / factor) / known)))]


def flux_scales(role: NDArray[np.int8], scale: NDArray[np.int8], peak: FloatArray) -> Iterator[Finding]:
    """Warn where roles hold flare classes of different scales.

    Args:
        role: Role in one fold, shape (window,).
        scale: Flag of the scale, shape (window,).
        peak: `peak_flux` [W m-2], shape (window,).
    """
    used = {
        name: tuple(int(value) for value in np.unique(scale[role == number]))
        for number, name in enumerate(ROLES)
        if number and (role == number).any()
    }
    odd = [pair for pair in combinations(used, 2) if used[pair[0]] != used[pair[1]]]
    if odd:
        words = ", ".join(
            f"{name} {' and '.join(goes.FLUX_SCALES[value] for value in values)}"
            for name, values in used.items()
        )
        true = goes.OPERATIONAL_TO_TRUE * 1e-5
        text = (
            f"flux scale differs between roles ({words}) by a factor of {goes.OPERATIONAL_TO_TRUE:.2f} "
            f"(1 / 0.70): an operational M1.0 is {true:.2e} W m-2, {goes.format_class(true)}, on the true "
            f"scale, and a true M1.0 an operational {goes.format_class(0.7e-5)}, so a class means two things"
        )
        yield Finding("flux scale", "warning", text, len(odd), pairs_in_words(odd), odd[0])
    else:
        yield from _factors(role, peak)


def _factors(role: NDArray[np.int8], peak: FloatArray) -> Iterator[Finding]:
    """Warn where the fluxes of two roles differ by a factor that stands for another scale; first pair."""
    fluxes = {
        name: np.unique(peak[(role == number) & (peak > 0)]) for number, name in enumerate(ROLES) if number
    }
    for one, other in combinations(fluxes, 2):
        first, second = fluxes[one], fluxes[other]
        if min(first.size, second.size) < FEWEST_FLARES:
            continue
        factor = _tenths_factor(second) / _tenths_factor(first)
        how = "by the decimals of their classes"
        if factor == 1:
            factor, how = _quantile_factor(first, second), "at their 10th, 25th and 50th percentile"
        if known_factor(factor) != 1:
            text = (
                f"flare fluxes of {other} are {factor:.3g} times those of {one} {how}, which corresponds to "
                f"{factor_in_words(factor)}, though both are flagged alike; bring them to one scale"
            )
            yield Finding("flux scale", "warning", text, int(second.size), (), (one, other))
            return


def _tenths_factor(flux: FloatArray) -> float:
    """By which of 1, 1 / 0.70 and 0.70 one-decimal classes were multiplied; 1 where none shows."""
    for factor in (1.0, goes.OPERATIONAL_TO_TRUE, 1 / goes.OPERATIONAL_TO_TRUE):
        listed = flux / factor
        tenths = listed / 10.0 ** np.floor(np.log10(listed) + goes.TOLERANCE) * 10
        if (np.abs(tenths - np.round(tenths)) < 1e-3).mean() >= TENTHS:
            return factor
    return 1.0


def _quantile_factor(first: FloatArray, second: FloatArray) -> float:
    """Factor between two sets of fluxes that holds at all of some quantiles; 1 where there is none."""
    ratios = np.quantile(second, _QUANTILES) / np.quantile(first, _QUANTILES)
    middle = float(np.median(ratios))
    return middle if (np.abs(ratios / middle - 1) < _CLOSE).all() else 1.0

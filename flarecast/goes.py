"""GOES flare classes as numbers: parse, print, bound, compare, and turn peaks into events.

The class of a flare is the decade of its peak 1-8 A flux [W m-2]: A 1e-8, B 1e-7, C 1e-6, M 1e-5, X 1e-4,
times the digits that follow. Classes are compared as numbers with a relative tolerance, because a class read
from a file may be a float32 (float32(1e-5) < 1e-5).
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from flarecast.errors import FlarecastError

DECADES = {"A": 1e-8, "B": 1e-7, "C": 1e-6, "M": 1e-5, "X": 1e-4}
"""Flux of class 1.0 of each letter [W m-2]."""

LARGEST = 1.0
"""No flare comes near, X45 being the largest known; what reaches it is a slip [W m-2]."""

TOLERANCE = 1e-6
"""Relative tolerance of every comparison of fluxes."""

SUB_CLASSES = ("quiet", "B", "C", "M", "X")
"""Letters that windows are counted by; quiet is below B1.0, or below a list that starts at C1.0."""

FLUX_SCALES = ("operational", "true")
"""Operational classes of GOES 8-15 are 0.70 of the true 1-8 A flux (NOAA GOES XRS user guide)."""

OPERATIONAL_TO_TRUE = 1 / 0.70

_EXPONENTS = {letter: f"{flux:.0e}"[1:] for letter, flux in DECADES.items()}
_CLASS = re.compile(r"([ABCMX])(\d+(?:\.\d*)?|\.\d+)?")


def parse_class(text: str) -> float:
    """Peak flux of a GOES class [W m-2]: `M1.0` -> 1e-5, `X12` -> 1.2e-3, `C` -> 1e-6.

    Raises:
        FlarecastError: It is no GOES class.
    """
    match = _CLASS.fullmatch(text.strip().upper())
    # Read as decimal text it is the float nearest to 9.9e-5; neither 9.9 * 1e-5 nor 9.9 / 1e5 is.
    flux = float(f"{match[2] or 1}{_EXPONENTS[match[1]]}") if match else 0.0
    if not 0 < flux < LARGEST:
        raise FlarecastError(f"GOES class: expected a letter A, B, C, M or X and a number, got {text[:60]!r}")
    return flux


def format_class(flux: float) -> str:
    """GOES class of a peak flux [W m-2], one decimal, cut like the operational lists: 1.09e-5 -> `M1.0`."""
    if not flux > 0:
        return "quiet"
    letter = next((name for name in "XMCB" if flux >= DECADES[name] * (1 - TOLERANCE)), "A")
    tenths = np.floor(flux / DECADES[letter] * 10 * (1 + TOLERANCE))
    return f"{letter}{tenths / 10:.1f}"


def spell_class(text: str) -> str:
    """One spelling of a class: `m1` -> `M1.0`; a class of more digits, like `M1.43`, keeps them.

    Raises:
        FlarecastError: It is no GOES class.
    """
    flux = parse_class(text)
    name = format_class(flux)
    tenths = flux / DECADES[name[0]] * 10
    return name if abs(tenths - round(tenths)) < TOLERANCE * tenths else text.strip().upper()


def class_bounds(letter: str) -> tuple[float, float]:
    """Smallest and largest flux that a bare letter can mean [W m-2].

    `C` -> (1.0e-6, 9.9e-6), `X` -> (1e-4, inf).
    """
    low = parse_class(letter[:1])
    return low, (np.inf if letter.upper().startswith("X") else parse_class(f"{letter[0]}9.9"))


def below(flux: float) -> float:
    """Largest class, to one decimal, below a list's floor [W m-2]: 1e-6 -> 9.9e-7."""
    # Beyond X9.9 no letter follows: X10 and X20 count their tenths in the decade of X, too.
    scale = min(10 ** np.floor(np.log10(flux) + TOLERANCE), DECADES["X"])
    tenths = round(flux / scale * 10)
    return float((tenths - 1) / 10 * scale if tenths > 10 else 9.9 * scale / 10)


def at_least(flux: ArrayLike, threshold: float) -> NDArray[np.bool_]:
    """Whether fluxes [W m-2] reach a threshold, within the tolerance; NaN does not."""
    return np.asarray(flux, dtype=np.float64) >= threshold * (1 - TOLERANCE)


def events(
    windows: xr.Dataset, threshold: str, unassigned: Literal["ignore", "mask"] = "ignore"
) -> NDArray[np.int8]:
    """Whether a flare of at least a class peaked in each window's valid span.

    Args:
        windows: Windows with `peak_flux`, `peak_flux_upper` and `unassigned_peak_flux` (window) [W m-2].
        threshold: GOES class, like `M1.0`.
        unassigned: `ignore` flares without a region, or `mask`: a negative becomes unknown where such a flare
            reached the threshold; a known positive stays one.

    Returns:
        1 yes, 0 no, -1 unknown (never scored, never a negative), shape (window,).
    """
    limit = parse_class(threshold)
    upper = np.asarray(windows["peak_flux_upper"].values, dtype=np.float64)
    if unassigned == "mask":
        upper = np.maximum(upper, windows["unassigned_peak_flux"].values)  # NaN, unknown, stays so
    known_no = ~at_least(upper, limit) & ~np.isnan(upper)
    occurred = np.where(known_no, 0, -1)
    occurred[at_least(windows["peak_flux"].values, limit)] = 1
    return occurred.astype(np.int8)


def sub_classes(windows: xr.Dataset, unassigned: Literal["ignore", "mask"] = "ignore") -> NDArray[np.int8]:
    """Letter of the largest flare in each window's valid span, whatever events are forecast.

    Args:
        windows: Windows with `peak_flux`, `peak_flux_upper` and `unassigned_peak_flux` (window) [W m-2].
        unassigned: As for `events`.

    Returns:
        Index into `SUB_CLASSES`; -1 where the record leaves several open, shape (window,).
    """
    peak = np.asarray(windows["peak_flux"].values, dtype=np.float64)
    upper = np.asarray(windows["peak_flux_upper"].values, dtype=np.float64)
    if unassigned == "mask":
        upper = np.maximum(upper, windows["unassigned_peak_flux"].values)
    limits = [DECADES[letter] for letter in SUB_CLASSES[1:]]
    low, high = (sum(at_least(flux, limit).astype(np.int8) for limit in limits) for flux in (peak, upper))
    # A list that starts at C1.0 knows no B flares: what it calls quiet is its quietest sub-class.
    high = np.where((peak == 0) & (high <= 1), 0, high)
    return np.where((low == high) & ~np.isnan(upper), low, -1).astype(np.int8)


def occurred_table(
    windows: xr.Dataset, thresholds: Sequence[str], unassigned: Literal["ignore", "mask"] = "ignore"
) -> NDArray[np.int8]:
    """`events` for several thresholds, ascending, shape (window, event)."""
    return np.stack([events(windows, threshold, unassigned) for threshold in thresholds], axis=1)


def compatible_classes(occurred: NDArray[np.int8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Range of exclusive classes that a row of nested events allows.

    With K ascending thresholds there are K + 1 exclusive classes: class k lies at or above threshold k - 1
    and below threshold k (class 0 is below all). Unknown events leave more than one class open.

    Args:
        occurred: 1, 0 or -1 (unknown), shape (window, event).

    Returns:
        Lowest and highest class allowed, each of shape (window,); equal where the class is known.
    """
    n_events = occurred.shape[1]
    number = np.arange(n_events)
    low = np.where(occurred == 1, number + 1, 0).max(axis=1)
    high = np.where(occurred == 0, number, n_events).min(axis=1)
    return low.astype(np.int64), np.maximum(high, low).astype(np.int64)


def ascending(thresholds: Sequence[str]) -> bool:
    """Whether GOES classes rise strictly, as nested events must."""
    fluxes = [parse_class(threshold) for threshold in thresholds]
    return all(low < high for low, high in pairwise(fluxes))

"""The 24 magnetic parameters of SWAN-SF as functions of fourteen factors.

A parameter is a link function of a linear sum of factors. The factors `stage` and `stress` show the hidden
state (`rows`); the other twelve, a region's make, know nothing of it. Since 14 factors make 24 parameters,
`stage` and `stress` follow from a row's other parameters when any one of them is missing, or when R_VALUE is
0: neither tells or hides anything. Centres and loads are set by eye so that quiet and flaring regions look
like those of SWAN-SF and of HMI's SHARP series.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]

FACTORS = (
    "stage", "stress", "flux", "potential", "current", "gradient", "horizontal", "inclination", "helicity",
    "polarity", "force_x", "force_y", "force_z", "current_density",
)  # fmt: skip

FORCE_PER_BSQ = 1.328e15
"""TOTFX = -EPSX TOTBSQ x this, likewise y; TOTFZ = EPSZ TOTBSQ x this, as in real SWAN-SF files."""

HELICITY_PER_FLUX = 7.7e17
"""|MEANJZH| = ABSNJZH / USFLUX x this, within 5 % in real SWAN-SF files."""

R_VALUE_FLOOR = 2.2
"""Below this there is no strong-gradient polarity line, and R_VALUE is 0."""


@dataclass(frozen=True)
class Parameter:
    """One parameter: unit, link function, value of the sum where all factors are 0, factor loads."""

    unit: str
    link: str
    centre: float
    loads: dict[str, float]


def _sum_of(unit: str, link: str, centre: float, **loads: float) -> Parameter:
    return Parameter(unit, link, centre, loads)


def _derived(unit: str) -> Parameter:
    return Parameter(unit, "derived", 0.0, {})


PARAMETERS: dict[str, Parameter] = {
    "TOTUSJH": _sum_of("G2 m-1", "exp", 4.8, stage=0.38, stress=0.12, flux=0.35, current=0.20),
    "TOTBSQ": _sum_of("G2", "exp", 21.6, stage=0.32, flux=0.45),
    "TOTPOT": _sum_of("erg cm-1", "exp", 50.6, stage=0.48, stress=0.40, flux=0.30, potential=0.50),
    "TOTUSJZ": _sum_of("A", "exp", 28.6, stage=0.38, stress=0.10, flux=0.35, current=0.30),
    "ABSNJZH": _sum_of("G2 m-1", "exp", 2.5, stage=0.36, stress=0.30, flux=0.20, helicity=0.80),
    "SAVNCPP": _sum_of("A", "exp", 27.6, stage=0.38, stress=0.35, flux=0.20, helicity=0.35, polarity=0.50),
    "USFLUX": _sum_of("Mx", "exp", 48.9, stage=0.37, flux=0.45),
    "TOTFZ": _derived("dyn"),
    "MEANPOT": _sum_of("erg cm-3", "exp", 7.8, stage=0.12, stress=0.40, flux=-0.10, potential=0.45),
    "EPSZ": _sum_of("1", "plain", -0.15, stress=0.03, gradient=0.04, force_z=0.12),
    "MEANSHR": _sum_of("degree", "angle", -0.75, stage=0.05, stress=0.28, potential=0.22, inclination=0.12),
    "SHRGT45": _sum_of(
        "percent", "percent", -1.50, stage=0.08, stress=0.50, potential=0.35, inclination=0.20
    ),
    "MEANGAM": _sum_of("degree", "angle", -0.15, stage=0.04, stress=0.12, potential=0.15, inclination=0.30),
    "MEANGBT": _sum_of("G Mm-1", "exp", 4.70, stage=-0.015, gradient=0.17, horizontal=0.04),
    "MEANGBZ": _sum_of("G Mm-1", "exp", 4.72, stage=-0.015, gradient=0.19),
    "MEANGBH": _sum_of("G Mm-1", "exp", 4.05, gradient=0.12, horizontal=0.18, inclination=0.06),
    "MEANJZH": _derived("G2 m-1"),
    "TOTFY": _derived("dyn"),
    "MEANJZD": _sum_of("mA m-2", "plain", 0.12, current_density=0.40),
    "MEANALP": _sum_of("Mm-1", "handed", -4.5, helicity=0.80, potential=-0.30, gradient=0.20),
    "TOTFX": _derived("dyn"),
    "EPSY": _sum_of("1", "plain", 0.0, force_y=0.10),
    "EPSX": _sum_of("1", "plain", 0.05, force_x=0.13),
    "R_VALUE": _sum_of("lg(re 1 Mx)", "floored", 2.05, stage=0.27, stress=0.30, flux=0.25, polarity=0.30),
}
"""In the order of SWAN-SF's columns. R_VALUE is a decimal logarithm."""

FEATURES = tuple(PARAMETERS)


def from_factors(factors: Float32Array, hand: Float32Array) -> Float32Array:
    """Values of the 24 parameters in their units.

    Args:
        factors: Shape (factor, row).
        hand: -1 or 1, the sign of a region's helicity, shape (row,).

    Returns:
        Shape (feature, row).
    """
    shown = np.empty((len(PARAMETERS), factors.shape[1]), dtype=np.float32)
    for total, parameter in zip(shown, PARAMETERS.values(), strict=True):
        # Summed one by one: a matrix product would add in an order that depends on the machine.
        total[:] = parameter.centre
        for name, load in parameter.loads.items():
            total += np.float32(load) * factors[FACTORS.index(name)]
        _link(total, parameter.link)
    row = dict(zip(FEATURES, shown, strict=True))
    row["MEANALP"] *= hand
    row["MEANJZH"][:] = hand * row["ABSNJZH"] / (row["USFLUX"] / np.float32(HELICITY_PER_FLUX))
    force = np.float32(FORCE_PER_BSQ) * row["TOTBSQ"]
    row["TOTFX"][:], row["TOTFY"][:] = -row["EPSX"] * force, -row["EPSY"] * force
    row["TOTFZ"][:] = row["EPSZ"] * force
    return shown


def _link(total: Float32Array, link: str) -> None:
    """Apply a link function in place, shape (row,)."""
    if link in ("exp", "handed"):
        np.exp(total, out=total)
    elif link in ("angle", "percent"):
        total[:] = np.float32(90 if link == "angle" else 100) / (1 + np.exp(-total))
    elif link == "floored":
        total *= total >= R_VALUE_FLOOR

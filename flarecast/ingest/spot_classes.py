"""Spot groups' classes as numbers.

Each of the three letters of the McIntosh class, and the Mount Wilson class, becomes a whole number that
rises with how complex the group is; no letter, or one that does not exist, is NaN.

| number | McIntosh Z, modified Zurich class | p, penumbra of the largest spot | c, compactness |
|---|---|---|---|
| 0 | A single spot without penumbra | X none | X single spot |
| 1 | B bipolar without penumbra | R rudimentary | O open |
| 2 | H single spot with penumbra | S small, symmetric | I intermediate |
| 3 | C bipolar, penumbra on one end | A small, asymmetric | C compact |
| 4 | D on both ends, up to 10 deg long | H large, symmetric | |
| 5 | E up to 15 deg | K large, asymmetric | |
| 6 | F longer | | |

Mount Wilson: alpha 0, beta 1, gamma 2, beta-gamma 3, and 2 more for a delta: beta-delta 3,
beta-gamma-delta 5.

Source: McIntosh (1990), Sol. Phys. 125, 251; Hale et al. (1919), ApJ 49, 153; Kuenzel (1960), AN 285, 271.
"""

import numpy as np

ZURICH = {"A": 0, "B": 1, "H": 2, "C": 3, "D": 4, "E": 5, "F": 6}
PENUMBRA = {"X": 0, "R": 1, "S": 2, "A": 3, "H": 4, "K": 5}
COMPACTNESS = {"X": 0, "O": 1, "I": 2, "C": 3}

_DELTA = 2


def mcintosh(text: str) -> tuple[float, float, float]:
    """Z, p and c of a class like `Dkc` as numbers; NaN for letters that do not exist."""
    letters = text.strip().upper()
    if len(letters) != len("Zpc"):
        return np.nan, np.nan, np.nan
    tables = (ZURICH, PENUMBRA, COMPACTNESS)
    z, p, c = (float(table.get(letter, np.nan)) for letter, table in zip(letters, tables, strict=True))
    return z, p, c


def mount_wilson(text: str) -> float:
    """Number of a class like `Beta-Gamma-Delta`; NaN where it names none of the four letters."""
    name = text.strip().upper()
    beta, gamma, delta = "BETA" in name, "GAMMA" in name, "DELTA" in name
    if not (beta or gamma):
        return 0.0 if "ALPHA" in name else np.nan
    return float((3 if beta else 2) if gamma else 1) + _DELTA * delta

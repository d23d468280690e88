"""The two scales of flare classes: which one a list is in, and from one to the other.

Until GOES-15 the operational 1-8 A flux was 0.70 of the true one, so that an M1.0 of GOES-15 is an M1.4 of
GOES-16. Operational lists are in the operational scale up to GOES-15 and in the true one from GOES-16 on,
which became primary on 2019-12-09. (NOAA GOES-16 XRS user guide; reprocessed lists are in the true scale
throughout, and have to be named as such.) Counts of flares by class can not be brought to another scale: "3 C
flares" does not tell whether one of them was the C7.5 of GOES-15 that is an M1.0 of GOES-16.
"""

import re

import numpy as np
from numpy.typing import NDArray

from flarecast import goes
from flarecast.cycles import seconds
from flarecast.errors import FlarecastError

FIRST_TRUE_SATELLITE = 16
FIRST_TRUE_TIME = seconds("2019-12-09")
"""GOES-16 became the primary satellite."""

OPERATIONAL, TRUE = goes.FLUX_SCALES
_SATELLITE = re.compile(r"(?:GOES|GO|G)?[\s_-]*(\d{1,2})", re.IGNORECASE)


def satellite_number(text: str) -> int:
    """Number of a GOES satellite: `G15`, `GO9`, `GOES-16` or `10`; 0 where the text names none."""
    match = _SATELLITE.fullmatch(text.strip())
    return int(match[1]) if match else 0


def scale_of(satellite: NDArray[np.integer], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Scale of each flare as an index into `goes.FLUX_SCALES`.

    Args:
        satellite: GOES number, 0 = not told, shape (flare,).
        time: Of the flare [s since 1970], used where the satellite is not told, shape (flare,).
    """
    by_date = time >= FIRST_TRUE_TIME
    return np.where(satellite > 0, satellite >= FIRST_TRUE_SATELLITE, by_date).astype(np.int64)


def factor(scale: NDArray[np.integer], wanted: str) -> NDArray[np.float64]:
    """What fluxes have to be multiplied with to be in another scale.

    Args:
        scale: Scale that each flux is in, index into `goes.FLUX_SCALES`, any shape.
        wanted: `operational` or `true`.

    Raises:
        FlarecastError: There is no such scale.
    """
    if wanted not in goes.FLUX_SCALES:
        raise FlarecastError(f"flux scale: expected one of {', '.join(goes.FLUX_SCALES)}, got {wanted!r}")
    to_true = np.where(scale == goes.FLUX_SCALES.index(OPERATIONAL), goes.OPERATIONAL_TO_TRUE, 1.0)
    return to_true if wanted == TRUE else to_true / goes.OPERATIONAL_TO_TRUE

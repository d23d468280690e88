"""What happened in the valid spans of region windows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast import goes
from flarecast.flares import scales
from flarecast.flares.clock import DAY
from flarecast.flares.reading import Conversion
from flarecast.ingest.largest import largest, largest_anywhere, largest_flux
from flarecast.ingest.region_flares import Flares, covered_days
from flarecast.schema import NO_TIME

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def quiet_bound(valid_from: IntArray, floor: float, convert_to: Conversion) -> FloatArray:
    """Largest class that a region without a listed flare can have had, shape (window,)."""
    upper = np.full(valid_from.size, goes.below(floor))
    if convert_to == "none":
        return upper
    listed = scales.scale_of(np.zeros_like(valid_from), valid_from)
    return upper * scales.factor(listed, convert_to)


def outcomes(
    region: IntArray, valid_from: IntArray, horizon: int, flares: Flares, quiet: FloatArray
) -> dict[str, Any]:
    """What happened in the valid spans of windows.

    Args:
        region: Five-digit number, ascending, shape (window,).
        valid_from: Start of each span [s since 1970], ascending inside a region, shape (window,).
        horizon: Length of the spans [s].
        flares: All flares, and the days covered.
        quiet: Upper bound of a quiet span [W m-2], shape (window,).

    Returns:
        Variables of `schema.WINDOWS` that tell the outcome.
    """
    named = np.flatnonzero(flares.region > 0)
    of_region, time = flares.region[named], flares.time[named]
    which = largest(region, valid_from, horizon, (of_region, time, flares.flux[named]))
    most = largest_flux(region, valid_from, horizon, (of_region, time, flares.flux_upper[named]))
    happened = which >= 0
    flare = named[which[happened]]
    peak_flux, upper = np.zeros(region.size), quiet.copy()
    peak_flux[happened], upper[happened] = flares.flux[flare], most[happened]
    first_day, stop_day = valid_from // DAY, -(-(valid_from + horizon) // DAY)
    covered = covered_days(flares, first_day, stop_day) == stop_day - first_day
    upper[~covered] = np.inf

    nameless = flares.region == 0
    start, peak = np.full((2, region.size), NO_TIME)
    start[happened], peak[happened] = flares.start[flare], flares.time[flare]
    flare_id = np.full(region.size, "", dtype=object)
    flare_id[happened] = [_flare_id(time) for time in flares.time[flare].tolist()]
    return {
        "peak_flux": peak_flux,
        "peak_flux_upper": upper,
        "unassigned_peak_flux": largest_anywhere(
            valid_from, horizon, flares.time[nameless], flares.flux_upper[nameless]
        ),
        "flare_start": start,
        "flare_peak": peak,
        "flare_id": flare_id,
    }


def _flare_id(time: int) -> str:
    """Name of a flare by its peak: `20120307T0024`."""
    return str(np.datetime64(time, "s"))[:16].replace("-", "").replace(":", "")

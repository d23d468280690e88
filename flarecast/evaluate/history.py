"""How long before a forecast the last event was: what separates a first flare from one of a series."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles
from flarecast.references import latest_known, region_codes


def quiet_days(forecasts: xr.Dataset, event: int) -> NDArray[np.float64]:
    """Days since the end of the region's last event span that was over at issue time, shape (window,).

    Every window of the file counts, whatever its role; inf where the file knows of no event before.

    Args:
        forecasts: Forecasts of the disk or of regions.
        event: Column of the event.
    """
    issue, end = forecasts["issue_time"].values, forecasts["valid_to"].values
    happened = forecasts["occurred"].values[:, event] == 1
    latest = latest_known(region_codes(forecasts["region"].values), issue, end, happened)
    since = (issue - end[latest]) / cycles.DAY
    return np.where(latest >= 0, since, np.inf)

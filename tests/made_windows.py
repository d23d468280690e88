"""Windows made to order, for tests."""

import numpy as np

from flarecast import schema
from flarecast.windows import cut

HOUR = 3600


def quiet_windows(rows, issues, *, n_steps, cadence_hours, lead_hours=0.0, horizon_hours=24.0, **changed):
    """Windows of some rows: quiet windows of the disk with features of no unit, unless that is changed.

    Args:
        rows: Values, shape (row, feature), time [s since 1970] and track of each row.
        issues: Issue time [s since 1970] and track of each window.
        n_steps: Steps of a window.
        cadence_hours: Time between steps.
        lead_hours: From issue time to the start of the valid span.
        horizon_hours: Length of the valid span.
        changed: Variables and attributes that are others.
    """
    values, time, track = map(np.asarray, rows)
    issue_time, own_track = map(np.asarray, issues)
    n, n_features = issue_time.size, values.shape[1]
    first_row, n_rows = cut(time, track, issue_time, own_track, round(n_steps * cadence_hours * HOUR))
    valid_from = issue_time + round(lead_hours * HOUR)
    peak_flux = np.broadcast_to(np.asarray(changed.get("peak_flux", 0.0), dtype=float), n)
    arrays = {
        "values": values,
        "feature": [f"f{number}" for number in range(n_features)],
        "feature_unit": ["1"] * n_features,
        "feature_memory_hours": np.zeros(n_features),
        "time": time,
        "track": track,
        "first_row": first_row,
        "n_rows": n_rows,
        "issue_time": issue_time,
        "valid_from": valid_from,
        "valid_to": valid_from + round(horizon_hours * HOUR),
        "region": ["disk"] * n,
        "noaa_regions": [""] * n,
        "peak_flux": peak_flux,
        "peak_flux_upper": np.where(peak_flux > 0, peak_flux, 9.9e-7),
        "unassigned_peak_flux": np.zeros(n),
        "flare_start": np.full(n, schema.NO_TIME),
        "flare_peak": np.full(n, schema.NO_TIME),
        "flare_id": [""] * n,
        "flux_scale": np.zeros(n),
        "partition": np.zeros(n),
    }
    attributes = {
        "n_steps": n_steps,
        "cadence_minutes": 60.0 * cadence_hours,
        "lead_hours": lead_hours,
        "horizon_hours": horizon_hours,
        "latency_minutes": 0.0,
        "source": "test",
        "sampling": "natural",
        "source_files": "",
        "context_features": "",
        "history": "made for a test",
    }
    attributes |= {name: changed.pop(name) for name in attributes if name in changed}
    return schema.build(schema.WINDOWS, arrays | changed | {"peak_flux": peak_flux}, attributes)

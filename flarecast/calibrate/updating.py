"""A calibration that goes on learning: outcomes are used from when they are known, never before.

Only forecasts that the model was not trained on and calibration was not fitted on are updated, and only their
outcomes are learned from: the test role, and windows of no role issued after all that was learned from.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.calibrators import nest
from flarecast.calibrators.history import History, share_new
from flarecast.calibrators.updates import UPDATES
from flarecast.config.checking import check_options
from flarecast.config.sections import Calibrate
from flarecast.cycles import iso
from flarecast.errors import FlarecastError, choose
from flarecast.schema import ROLES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

LEARNED = tuple(ROLES.index(name) for name in ("train", "validation", "calibration"))
UNUSED, TEST = ROLES.index("unused"), ROLES.index("test")


def describe_update(
    forecasts: xr.Dataset, sample: tuple[FloatArray, BoolArray], settings: Calibrate, rows: BoolArray
) -> dict[str, Any]:
    """What calibration.json says of an update, all that it starts from included.

    Args:
        forecasts: What was calibrated.
        sample: Calibrated probabilities of the windows that calibration was fitted on, and which have a known
            outcome, shapes (window, event).
        settings: `update`, `update_options` and `delay_hours` are used.
        rows: Windows of the model in question, shape (window,).

    Raises:
        FlarecastError: An unknown update or option.
    """
    update = choose("calibrate.update", settings.update, UPDATES)
    options = check_options(update, settings.update_options, "calibrate.update_options")
    if settings.update == "none":
        return {"name": "none"}
    probability, known = sample
    occurred = forecasts["occurred"].values == 1
    events = [str(event) for event in forecasts["event"].values]
    return {
        "name": settings.update,
        "options": options,
        "delay_hours": settings.delay_hours,
        "until": learned_until(forecasts, rows),
        "start": {
            event: start_of(probability[known[:, j], j], occurred[known[:, j], j])
            for j, event in enumerate(events)
        },
    }


def start_of(probability: FloatArray, occurred: BoolArray) -> dict[str, float | None]:
    """Numbers that updates start from, of one event's calibrated forecasts in calibration.

    Args:
        probability: Shape (n,).
        occurred: Shape (n,).

    Returns:
        `base_rate`, `mean_quiet` and `mean_event` (mean forecast without and with an event), null where there
        were none.
    """
    return {
        "base_rate": float(occurred.mean()) if occurred.size else None,
        "mean_quiet": float(probability[~occurred].mean()) if (~occurred).any() else None,
        "mean_event": float(probability[occurred].mean()) if occurred.any() else None,
    }


def learned_until(forecasts: xr.Dataset, rows: BoolArray) -> int | None:
    """Last issue time [s] of windows that model or calibration may have learned from; None without any."""
    learned = rows & np.isin(forecasts["role"].values, LEARNED)
    return int(forecasts["issue_time"].values[learned].max()) if learned.any() else None


def known_time(forecasts: xr.Dataset, delay_hours: float) -> IntArray:
    """From when on each outcome may be used: the end of its span and the delay of the reports, (window,) [s].

    Raises:
        FlarecastError: The delay is negative: outcomes would be used before their span is over.
    """
    if not (np.isfinite(delay_hours) and delay_hours >= 0):
        raise FlarecastError(
            "calibration: expected a delay of at least 0 h, since nobody knows an outcome before its span is "
            f"over, got {delay_hours}"
        )
    return np.asarray(forecasts["valid_to"].values + round(delay_hours * 3600), dtype=np.int64)


def is_updated(calibration: Mapping[str, Any]) -> bool:
    """Whether a calibration goes on learning; older ones do not."""
    return bool(calibration.get("update", {}).get("name", "none") != "none")


def updated(
    forecasts: xr.Dataset, probability: FloatArray, calibration: Mapping[str, Any], rows: BoolArray
) -> FloatArray:
    """Calibrated probabilities of some windows, kept up to date as their calibration says.

    Args:
        forecasts: Times, roles, regions and outcomes of all windows.
        probability: Of `rows`, by the fixed calibration, shape (row, event).
        calibration: That of these rows; without `update` nothing is changed.
        rows: Windows of one model, shape (window,).

    Returns:
        Shape (row, event), nested.

    Raises:
        FlarecastError: An unknown update.
    """
    if not is_updated(calibration):
        return probability
    said = calibration["update"]
    update = choose("calibration: update", said["name"], UPDATES)
    mine = forecasts.isel(window=np.flatnonzero(rows))
    role, issue = mine["role"].values, mine["issue_time"].values
    until = said["until"]
    fresh = (role == TEST) | ((role == UNUSED) & (issue > until if until is not None else True))
    order = np.flatnonzero(fresh)[np.argsort(issue[fresh], kind="stable")]
    if not order.size:
        return probability
    ordered = mine.isel(window=order)
    weight = share_new(ordered["region"].values, ordered["valid_from"].values, ordered["valid_to"].values)
    found = probability.copy()
    for j, event in enumerate(map(str, forecasts["event"].values)):
        history = History(
            probability[order, j],
            ordered["occurred"].values[:, j],
            ordered["issue_time"].values,
            known_time(ordered, said["delay_hours"]),
            weight,
        )
        found[order, j] = update(history, said["start"][event], **said["options"])
    return nest(found)


def check_no_look_ahead(
    forecasts: xr.Dataset, written: FloatArray, static: FloatArray, calibration: Mapping[str, Any], n: int
) -> str | None:
    """Replay an update at some issue times with all hidden that was not known then.

    Args:
        forecasts: What was calibrated, of one model.
        written: The probabilities to check, shape (window, event).
        static: Those of the fixed calibration, shape (window, event).
        calibration: That of the model.
        n: How many issue times to look at, evenly spaced, of all and of those with an event.

    Returns:
        The first issue time whose probabilities hang on something else, in words; None if there is none.
    """
    issue = forecasts["issue_time"].values
    test = forecasts["role"].values == TEST
    test = test if test.any() else np.ones(test.size, dtype=np.bool_)
    flared = test & (forecasts["occurred"].values == 1).any(axis=1)
    times = np.concatenate([_spread(np.unique(issue[rows]), n) for rows in (test, flared)])
    delay = float(calibration["update"]["delay_hours"])
    for time in np.unique(times).tolist():
        then = issue <= time
        hidden = forecasts.isel(window=np.flatnonzero(then)).copy(deep=True)
        hidden["occurred"].values[known_time(hidden, delay) > time] = -1
        now = issue[then] == time
        replayed = updated(hidden, static[then], calibration, np.ones(then.sum(), dtype=np.bool_))[now]
        if not np.allclose(replayed, written[issue == time], rtol=0, atol=1e-9, equal_nan=True):
            return iso(time)
    return None


def _spread(times: IntArray, n: int) -> IntArray:
    """Some of many times, evenly spaced."""
    return times[np.linspace(0, times.size - 1, min(n, times.size)).round().astype(np.int64)]

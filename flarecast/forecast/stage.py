"""Windows and a trained model -> forecasts: probabilities with all that is needed to score them.

Windows may be ones never seen, their outcomes known or not.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.calibrate.calibration import calibrated
from flarecast.clusters import clusters
from flarecast.forecast.probabilities import event_probability
from flarecast.goes import occurred_table, parse_class
from flarecast.model_file import TrainedModel, check_fits
from flarecast.references import reference_forecasts
from flarecast.schema import FORECASTS, NO_TIME, build

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_TRUTH_LETTERS = ("C", "M", "X")


def forecast(  # noqa: PLR0913  (which windows, in what role, by which models: each a plain keyword)
    windows: xr.Dataset,
    model: TrainedModel,
    *,
    role: NDArray[np.int8] | None = None,
    fold: int = 0,
    keep: IntArray | None = None,
    rivals: Mapping[str, TrainedModel] = MappingProxyType({}),
    device: str = "auto",
    calibration: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Forecast all windows of a file.

    A model with members forecasts their mean; what each of them says is kept for the model, not for rivals.

    A window without a single value of the model's features is not forecast: its probabilities are NaN. What a
    flare history or a reference knows is what was over at issue time.

    Args:
        windows: A windows Dataset; outcomes that are not known stay -1.
        model: A trained model, with its members where it has some.
        role: Index into `ROLES`, shape (window,); all unused if None.
        fold: Fold of the split that the model was trained on.
        keep: Windows to forecast, shape (any,); all if None. References know the others all the same.
        rivals: Other models of the same events by name, whose forecasts stand beside the model's.
        device: auto, cpu or cuda.
        calibration: Content of calibration.json; without it `probability` is the raw one.

    Returns:
        A forecasts Dataset, windows in the order given, attribute `calibrated` 1 or 0.

    Raises:
        FlarecastError: The windows are of another kind than the model's, the calibration is of other events,
            or there is no such device.
    """
    for one in (model, *rivals.values()):
        check_fits(one, windows)
    role = np.zeros(windows.sizes["window"], dtype=np.int8) if role is None else role
    keep = np.arange(role.size) if keep is None else keep
    occurred = occurred_table(windows, model.events, model.unassigned)
    names, reference = reference_forecasts(windows, occurred, role, model.training_base_rate)
    raw, doubt = event_probability(windows, model, occurred, device, keep)
    theirs = [event_probability(windows, rival, occurred, device, keep)[0] for rival in rivals.values()]
    kept = windows.isel(window=keep)
    arrays = {
        "event": model.events,
        "probability": raw,
        "probability_raw": raw,
        "occurred": occurred[keep],
        "role": role[keep],
        "fold": np.full(keep.size, fold),
        "cluster": clusters(kept),
        "forecast": names,
        "reference": reference[keep],
        **doubt,
    }
    if rivals:
        arrays |= {"rival": list(rivals), "rival_probability_raw": np.stack(theirs, axis=2)}
        arrays["rival_probability"] = arrays["rival_probability_raw"]
    attributes = _attributes(kept, model) | _priors(fold, {"model": model, **rivals})
    forecasts = build(FORECASTS, arrays | _copied(kept) | _truths(kept, model.events), attributes)
    return forecasts if calibration is None else calibrated(forecasts, calibration)


def _attributes(windows: xr.Dataset, model: TrainedModel) -> dict[str, Any]:
    """Attributes of uncalibrated forecasts."""
    copied = ("source", "sampling", "lead_hours", "horizon_hours")
    return {
        "forecast_name": "model",
        "model_name": model.model_name,
        "unassigned": model.unassigned,
        "training_base_rate": model.training_base_rate,
        "prior_natural": model.prior_natural,
        "prior_trained": model.prior_trained,
        "prior_analytic": int(model.prior_analytic),
        "final_fold": 0,
        "out_of_fold": 0,
        "calibrated": 0,
        "history": f"{windows.attrs['history']}\nforecast: {model.model_name}",
        **{name: windows.attrs[name] for name in copied},
    }


def _priors(fold: int, models: Mapping[str, TrainedModel]) -> dict[str, str]:
    """How far balancing moved the priors of each model, as JSON."""
    priors = {
        name: {
            "prior_natural": one.prior_natural.tolist(),
            "prior_trained": one.prior_trained.tolist(),
            "prior_analytic": one.prior_analytic,
        }
        for name, one in models.items()
    }
    return {"priors": json.dumps({str(fold): priors})}


def _copied(windows: xr.Dataset) -> dict[str, Any]:
    """Variables of the windows that scores need."""
    names = ("issue_time", "valid_from", "valid_to", "region", "peak_flux", "peak_flux_upper")
    start = windows["flare_start"].values
    arrays = {name: windows[name].values for name in names}
    if (windows["unassigned_peak_flux"].values > 0).any():
        arrays["unassigned_peak_flux"] = windows["unassigned_peak_flux"].values
    if (start != NO_TIME).any():  # without a single start, as in daily counts, nobody knows
        arrays["in_progress"] = (start != NO_TIME) & (start <= windows["issue_time"].values)
    if (windows["flare_peak"].values != NO_TIME).any():
        arrays["flare_peak"] = windows["flare_peak"].values
    if "longitude" in windows:
        n_rows = windows["n_rows"].values
        last = windows["first_row"].values + n_rows - 1
        longitude = np.append(windows["longitude"].values, np.float32(np.nan))
        arrays["longitude"] = longitude[np.where(n_rows > 0, last, len(longitude) - 1)]
    return arrays


def _truths(windows: xr.Dataset, events: tuple[str, ...]) -> dict[str, FloatArray]:
    """The simulation's true probabilities where it has some; NaN for events that are no whole letter."""
    found = {}
    letters = {parse_class(letter): letter for letter in _TRUTH_LETTERS}
    for name in ("truth", "truth_observed"):
        columns = np.full((windows.sizes["window"], len(events)), np.nan)
        for column, event in enumerate(events):
            variable = f"{name}_{letters.get(parse_class(event))}"
            if variable in windows:
                columns[:, column] = windows[variable].values
        if not np.isnan(columns).all():
            found[name] = columns
    return found

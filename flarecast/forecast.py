"""Windows and a trained model -> forecasts: probabilities with all that is needed to score them.

Windows may be ones never seen, their outcomes known or not.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from flarecast.batches import (
    WindowTensors,
    choose_device,
    cpu_threads,
    gather_inputs,
    has_values,
    send,
    to_device,
)
from flarecast.calibration import calibrated
from flarecast.cycles import rotation_of
from flarecast.goes import compatible_classes, occurred_table, parse_class
from flarecast.memory import enough_memory, place_of_rows
from flarecast.model_file import TrainedModel, check_fits
from flarecast.models import takes_mask
from flarecast.models.together import Together
from flarecast.references import last_known_class, reference_forecasts
from flarecast.schema import FORECASTS, NO_TIME, build
from flarecast.uncertainty import credible_range, entropy_parts, mean_probability
from flarecast.windows import feature_columns, step_rows

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BATCH = 1024
DISK = "disk"

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


def event_probability(
    windows: xr.Dataset,
    model: TrainedModel,
    occurred: NDArray[np.int8],
    device: str = "auto",
    keep: IntArray | None = None,
) -> tuple[FloatArray, dict[str, NDArray[np.floating]]]:
    """Raw probabilities of nested events, and how sure the members are.

    Args:
        windows: A windows Dataset.
        model: A trained model, with its members where it has some.
        occurred: As for `class_probability`.
        device: auto, cpu or cuda.
        keep: Windows to forecast; all if None.

    Returns:
        The model's probability, or the mean of its members, shape (keep, event); and, where it has members,
        the variables `member`, `probability_lower`, `probability_upper`, `aleatoric` and `epistemic`.
    """
    if not model.members:
        return class_to_event(class_probability(windows, model, occurred, device, keep)), {}
    classes = class_probabilities(windows, model.members, occurred, device, keep)
    # Rounded first, so that mean and parts are those of what the file holds.
    member = np.stack([class_to_event(one).astype(np.float32) for one in classes], axis=2)
    lower, upper = credible_range(member)
    aleatoric, epistemic = entropy_parts(member)
    return mean_probability(member), {
        "member": member,
        "probability_lower": lower,
        "probability_upper": upper,
        "aleatoric": aleatoric,
        "epistemic": epistemic,
    }


def class_probability(
    windows: xr.Dataset,
    model: TrainedModel,
    occurred: NDArray[np.int8],
    device: str = "auto",
    keep: IntArray | None = None,
) -> FloatArray:
    """Probabilities of the exclusive classes, shape (keep, class); NaN where a window holds no value.

    Args:
        windows: A windows Dataset.
        model: A trained model, taken alone; it is moved to the device.
        occurred: 1, 0 or -1 (unknown), shape (window, event); a window uses those over at its issue time.
        device: auto, cpu or cuda.
        keep: Windows to forecast; all if None.
    """
    alone: FloatArray = class_probabilities(windows, (model,), occurred, device, keep)[0]
    return alone


def class_probabilities(
    windows: xr.Dataset,
    models: Sequence[TrainedModel],
    occurred: NDArray[np.int8],
    device: str = "auto",
    keep: IntArray | None = None,
) -> FloatArray:
    """As `class_probability` for several models of the same features, shape (model, keep, class).

    What models with the same scale see is put on the device once and gathered once a batch.
    """
    keep = np.arange(len(occurred)) if keep is None else keep
    out = np.empty((len(models), keep.size, occurred.shape[1] + 1))
    for alike in seeing_alike(models):
        chosen = [models[nth] for nth in alike]
        tensors = place_windows(windows, chosen[0], occurred, device, keep)
        modules = [one.module.to(tensors.device).eval() for one in chosen]
        out[alike] = _passed(Together(modules, [_kind(one) for one in chosen]), tensors, chosen[0])
        out[np.ix_(np.array(alike), ~has_values(tensors).cpu().numpy())] = np.nan
    return out


def _passed(together: Together, tensors: WindowTensors, model: TrainedModel) -> FloatArray:
    """Class probabilities of all windows by all networks, shape (network, window, class)."""
    with (
        torch.inference_mode(),
        cpu_threads(int(model.config["train"]["threads"])),
        enough_memory(f"{BATCH} windows at once", "use --device cpu"),
    ):
        n_windows, shape = len(tensors.step_rows), (together.size, 0, model.shape.n_classes)
        found = [torch.zeros(shape, dtype=torch.float64, device=tensors.device)]
        for start in range(0, n_windows, BATCH):
            index = torch.arange(start, min(start + BATCH, n_windows), device=tensors.values.device)
            last_class = send(tensors.last_class.index_select(0, index), tensors.device)
            logits = together.logits(gather_inputs(tensors, index), last_class)
            found.append(torch.softmax(logits, dim=2))
        return torch.cat(found, dim=1).cpu().numpy()


def _kind(model: TrainedModel) -> str:
    """What a network is and is built with."""
    return f"{model.model_name} {json.dumps(model.model_options, sort_keys=True)}"


def seeing_alike(models: Sequence[TrainedModel]) -> list[list[int]]:
    """Places of models that see windows in the same way, one list a way."""
    ways: dict[Any, list[int]] = {}
    for nth, model in enumerate(models):
        masked = takes_mask(model.model_name, model.model_options)
        statistics = (model.scaler.size, model.scaler.centre, model.scaler.spread)
        scaler = (model.scaler.name, *(part.tobytes() for part in statistics))
        ways.setdefault((model.features, masked, *scaler), []).append(nth)
    return list(ways.values())


def place_windows(
    windows: xr.Dataset, model: TrainedModel, occurred: NDArray[np.int8], device: str, keep: IntArray
) -> WindowTensors:
    """Put some windows on a device as a model wants to see them; arguments as for `class_probability`."""
    values = windows["values"].values[:, feature_columns(windows, model.features)]
    last_class = last_known_class(windows, *compatible_classes(occurred))
    masked = takes_mask(model.model_name, model.model_options)
    scaled, rows, where = model.scaler.apply(values), step_rows(windows, keep), choose_device(device)
    rows_on = place_of_rows(scaled, rows, where, float(model.config["train"]["device_share"]))
    return to_device(scaled, rows, last_class[keep], where, masked, rows_on)


def class_to_event(probability: FloatArray) -> FloatArray:
    """Probabilities of nested events from those of exclusive classes.

    Args:
        probability: Of class k, at or above event k - 1 and below event k, shape (window, class).

    Returns:
        Of event j, the sum over the classes above j, never rising with j, shape (window, event).
    """
    return np.minimum(np.cumsum(probability[:, :0:-1], axis=1)[:, ::-1], 1.0)


def clusters(windows: xr.Dataset) -> NDArray[np.object_]:
    """What is resampled as a whole: the region, or for the disk the 27-day rotation of the valid span."""
    region = windows["region"].values.astype(object)
    rotation = [f"rotation {number}" for number in rotation_of(windows["valid_from"].values)]
    return np.where(region == DISK, np.array(rotation, dtype=object), region)


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

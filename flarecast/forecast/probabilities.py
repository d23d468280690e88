"""What trained models say of windows: raw probabilities of classes and of nested events."""

import json
from collections.abc import Sequence
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
from flarecast.goes import compatible_classes
from flarecast.memory import enough_memory, place_of_rows
from flarecast.model_file import TrainedModel
from flarecast.models import takes_mask
from flarecast.models.together import Together
from flarecast.references import last_known_class
from flarecast.uncertainty import credible_range, entropy_parts, mean_probability
from flarecast.windows import feature_columns, step_rows

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BATCH = 1024


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

"""Windows ready to train on: chosen by role, scaled, balanced, on the device.

All that is fitted here (scaling, class priors, base rates) is fitted on the train role.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from flarecast import scale
from flarecast.averaging import AVERAGINGS
from flarecast.balance import BALANCERS, class_priors
from flarecast.batches import Sample, WindowTensors, has_values, to_device
from flarecast.config import Config, check_options
from flarecast.epochs import Plan, Task
from flarecast.errors import FlarecastError, choose
from flarecast.goes import compatible_classes, occurred_table
from flarecast.losses import LOSSES
from flarecast.models import takes_mask
from flarecast.models.shape import LEAST_PRIOR
from flarecast.references import last_known_class
from flarecast.scale import Scaler
from flarecast.schema import ROLES
from flarecast.windows import feature_columns, step_rows

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Prepared:
    """Windows on the device, and what was fitted to put them there.

    `seen` holds the windows of the file that the scaler, the weights and early stopping see.
    """

    task: Task
    scaler: Scaler
    features: tuple[str, ...]
    prior_natural: FloatArray
    prior_trained: FloatArray
    training_base_rate: FloatArray
    seen: dict[str, IntArray] = field(default_factory=dict)


def prepare(
    windows: xr.Dataset,
    role: NDArray[np.int8],
    config: Config,
    device: torch.device,
    plan: Plan | None = None,
) -> Prepared:
    """Choose, scale and balance windows, and put them on the device.

    Train and validation windows with at least one known event and at least one value take part; with a plan
    there is no validation.

    Args:
        windows: A windows Dataset.
        role: Index into `ROLES`, shape (window,).
        config: The configuration.
        device: Where to.
        plan: How long to train where no validation says it.

    Raises:
        FlarecastError: A feature is not in the file, or a role has no such window.
    """
    features = config.model.features or tuple(map(str, windows["feature"].values))
    columns = feature_columns(windows, features)
    last_class = last_known_class(
        windows, *compatible_classes(occurred_table(windows, config.events, config.unassigned))
    )
    occurred = occurred_table(windows, config.events, config.train.unassigned)
    low, high = compatible_classes(occurred)

    known = (occurred >= 0).any(axis=1)
    train_windows = np.flatnonzero(known & (role == ROLES.index("train")))
    both = np.concatenate([train_windows, np.flatnonzero(known & (role == ROLES.index("validation")))])
    rows = step_rows(windows, both)
    values, rows = _rows_in_use(windows["values"].values, columns, rows)
    scaler = scale.fit(values[_in_use(rows[: train_windows.size], len(values))], config.scale.name)
    masked = takes_mask(config.model.name, config.model.options)
    tensors = to_device(scaler.apply(values), rows, last_class[both], device, masked)

    usable = np.flatnonzero(has_values(tensors).cpu().numpy())
    of_train = usable < train_windows.size
    counts = {"train": int(of_train.sum()), "validation": int((~of_train).sum())}
    _require(role, counts if plan is None else {"train": counts["train"]})
    stopping = {} if plan is not None else {"early_stopping": both[usable[~of_train]]}
    seen = {"scaler": train_windows, "weights": both[usable[of_train]], **stopping}
    everything = _sample(tensors, np.arange(both.size), low[both], high[both])
    prepared = _balanced(
        _chosen(everything, usable[of_train]),
        _chosen(everything, usable[~of_train]) if plan is None else plan,
        config,
        _base_rate(occurred[both[usable[of_train]]]),
        (scaler, features),
    )
    return replace(prepared, seen=seen)


def _balanced(
    natural: Sample,
    validation: Sample | Plan,
    config: Config,
    base_rate: FloatArray,
    fitted: tuple[Scaler, tuple[str, ...]],
) -> Prepared:
    """Balance the train windows and measure how far that moved the class priors."""
    low, high = natural.low.cpu().numpy(), natural.high.cpu().numpy()
    n_classes = len(config.events) + 1
    balancer = choose("balance.name", config.balance.name, BALANCERS)
    options = check_options(balancer, config.balance.options, "balance.options")
    positive_class = config.events.index(config.balanced_event) + 1
    kept = balancer(low, high, n_classes, positive_class, config.generator("balance"), **options)
    weight = kept.weight / kept.weight.mean(dtype=np.float64)
    prior_natural = class_priors(low, high, np.ones(low.size), n_classes)
    prior_trained = class_priors(low[kept.index], high[kept.index], weight, n_classes)
    device = natural.index.device
    correction = np.log(np.maximum(prior_natural, LEAST_PRIOR) / np.maximum(prior_trained, LEAST_PRIOR))
    task = Task(
        train=_chosen(natural, kept.index, weight),
        natural=natural,
        validation=None if isinstance(validation, Plan) else validation,
        loss=choose("train.loss", config.train.loss, LOSSES),
        averaging=choose("train.averaging", config.train.averaging, AVERAGINGS),
        log_correction=torch.from_numpy(correction.astype(np.float32)).to(device),
        settings=config.train,
        plan=validation if isinstance(validation, Plan) else None,
    )
    return Prepared(task, *fitted, prior_natural, prior_trained, base_rate)


def _require(role: NDArray[np.int8], counts: dict[str, int]) -> None:
    """Make sure that each role has windows to work with."""
    for name, count in counts.items():
        if not count:
            raise FlarecastError(
                f"{name} role: expected windows with values and a known outcome, got none among "
                f"{np.count_nonzero(role == ROLES.index(name))}; change the split"
            )


def _in_use(rows: IntArray, n_rows: int) -> NDArray[np.bool_]:
    """Which rows occur in windows, shape (row,)."""
    used = np.zeros(n_rows + 1, dtype=bool)
    used[rows] = True  # -1, an absent step, marks the last, which is cut off
    return used[:-1]


def _rows_in_use(
    values: NDArray[np.float32], columns: IntArray, rows: IntArray
) -> tuple[NDArray[np.float32], IntArray]:
    """Values of the rows that occur in windows, and the steps' rows numbered anew."""
    used = _in_use(rows, len(values))
    number = np.full(used.size + 1, -1, dtype=np.int64)
    number[:-1][used] = np.arange(np.count_nonzero(used))
    return values[np.ix_(used, columns)], number[rows]


def _base_rate(occurred: NDArray[np.int8]) -> FloatArray:
    """Share of events among the windows where they are known, shape (event,); 0 where none is."""
    known = np.maximum((occurred >= 0).sum(axis=0), 1)
    return np.asarray((occurred == 1).sum(axis=0) / known, dtype=np.float64)


def _sample(tensors: WindowTensors, index: IntArray, low: IntArray, high: IntArray) -> Sample:
    """Windows with weight 1."""
    device = tensors.values.device
    place, lowest, highest = (torch.from_numpy(a.astype(np.int64)).to(device) for a in (index, low, high))
    return Sample(tensors, place, lowest, highest, torch.ones(len(index), device=device))


def _chosen(sample: Sample, place: IntArray, weight: NDArray[np.floating] | None = None) -> Sample:
    """Some windows of a sample, repeats allowed, with other weights if given."""
    where = torch.from_numpy(place).to(sample.index.device)
    weights: Tensor = sample.weight[where]
    if weight is not None:
        weights = torch.from_numpy(weight.astype(np.float32)).to(where.device)
    return Sample(sample.tensors, sample.index[where], sample.low[where], sample.high[where], weights)

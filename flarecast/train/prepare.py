"""Windows ready to train on: chosen by role, scaled, balanced, on the device.

All that is fitted here (scaling, class priors, base rates) is fitted on the train role.
"""

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from flarecast.batches import Sample, WindowTensors
from flarecast.config import Config, check_options
from flarecast.errors import FlarecastError, choose
from flarecast.goes import compatible_classes, occurred_table
from flarecast.losses import LOSSES, Loss, with_offset
from flarecast.models.shape import LEAST_PRIOR
from flarecast.references import last_known_class
from flarecast.scale import Scaler
from flarecast.schema import ROLES
from flarecast.train.averaging_phase import build_averaging
from flarecast.train.bagging import bag_of
from flarecast.train.labels import PseudoLabels, hidden_labels
from flarecast.train.placing import NOTHING, Given, choose_windows, place_windows
from flarecast.train.rebalance import Rebalanced, as_train_windows, rebalance
from flarecast.train.task import Plan, Task

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Prepared:
    """Windows on the device, and what was fitted to put them there.

    `mute` holds the features that have one value, or none, in the train role; `seen` the windows of the file
    that the scaler, the weights and early stopping see.
    """

    task: Task
    scaler: Scaler
    features: tuple[str, ...]
    prior_natural: FloatArray
    prior_trained: FloatArray
    prior_analytic: bool
    training_base_rate: FloatArray
    n_made: int
    mute: tuple[str, ...] = ()
    seen: dict[str, IntArray] = field(default_factory=dict)


def prepare(
    windows: xr.Dataset,
    role: NDArray[np.int8],
    config: Config,
    device: torch.device,
    plan: Plan | None = None,
    given: Given = NOTHING,
) -> Prepared:
    """Choose, scale and balance windows, and put them on the device.

    Train and validation windows with at least one known event and at least one value take part; with a plan
    there is no validation. Outcomes that `train.label_share` hides are as unknown ones, but the scaler, which
    needs none, is fitted with their rows.

    Args:
        windows: A windows Dataset.
        role: Index into `ROLES`, shape (window,).
        config: The configuration.
        device: Where to.
        plan: How long to train where no validation says it.
        given: What others did: a scaler and its features, outcomes given to windows without any, the same
            rows and windows put on the device.

    Raises:
        FlarecastError: A feature is not in the file, or a role has no such window.
    """
    last_class = last_known_class(
        windows, *compatible_classes(occurred_table(windows, config.events, config.unassigned))
    )
    occurred = occurred_table(windows, config.events, config.train.unassigned)
    low, high = compatible_classes(occurred)
    known = np.asarray((occurred >= 0).any(axis=1))
    chosen = choose_windows(role, known, hidden_labels(windows, role, low, known, config), given)
    placed = place_windows(windows, chosen, last_class, config, device, given)
    counts = {"train": placed.train.size, "validation": placed.validation.size}
    _require(role, counts if plan is None else {"train": placed.train.size})

    usable = chosen.all[placed.train]
    place = placed.train[bag_of(windows, usable, low[usable], config)]
    trained, validated = chosen.all[place], chosen.all[placed.validation]
    natural = _sample(placed.tensors, place, low[trained], high[trained])
    validation, seen = None, {"scaler": chosen.all[chosen.of_scaler], "weights": trained}
    if plan is None:
        validation = _sample(placed.tensors, placed.validation, low[validated], high[validated])
        seen["early_stopping"] = validated
    rebalanced = rebalance(natural, as_train_windows(windows, trained, natural, config), config)
    if given.pseudo is not None:
        rebalanced = _with_pseudo(rebalanced, given.pseudo, chosen.all.size - chosen.pseudo.size)
        seen["pseudo_labels"] = chosen.pseudo
    return Prepared(
        task=_task(natural, validation, rebalanced, config, plan),
        scaler=placed.scaler,
        features=placed.features,
        prior_natural=rebalanced.prior_natural,
        prior_trained=rebalanced.prior_trained,
        prior_analytic=rebalanced.prior_analytic,
        training_base_rate=_base_rate(occurred[trained]),
        n_made=rebalanced.n_made,
        mute=placed.mute,
        seen=seen,
    )


def _with_pseudo(rebalanced: Rebalanced, pseudo: PseudoLabels, first: int) -> Rebalanced:
    """Windows of an epoch with those whose outcomes were given; priors and base rates stay the honest ones.

    Args:
        rebalanced: The honest windows, balanced.
        pseudo: Windows that hold values.
        first: Number of the first of them on the device.
    """

    def more(sample: Sample) -> Sample:
        device = sample.index.device
        index = torch.arange(first, first + len(pseudo.index), device=device)
        label = torch.from_numpy(pseudo.label).to(device)
        weight = torch.full((len(index),), pseudo.weight, device=device)
        joined = zip(
            (sample.index, sample.low, sample.high, sample.weight), (index, label, label, weight), strict=True
        )
        return Sample(sample.tensors, *(torch.cat(pair) for pair in joined))

    redraw = rebalanced.redraw
    again = None if redraw is None else lambda epoch: more(redraw(epoch))
    return replace(rebalanced, sample=more(rebalanced.sample), redraw=again)


def _task(
    natural: Sample, validation: Sample | None, rebalanced: Rebalanced, config: Config, plan: Plan | None
) -> Task:
    """What is to be fitted, with the log of how far balancing moved the class priors."""
    device = natural.tensors.device
    before, after = (
        np.maximum(prior, LEAST_PRIOR) for prior in (rebalanced.prior_natural, rebalanced.prior_trained)
    )
    loss = chosen_loss(config)
    if rebalanced.logit_offset is not None:
        offset = torch.from_numpy(rebalanced.logit_offset.astype(np.float32)).to(device)
        loss = with_offset(loss, offset)
    return Task(
        train=rebalanced.sample,
        natural=natural,
        validation=validation,
        loss=loss,
        averaging=build_averaging(config.train),
        log_correction=torch.from_numpy(np.log(before / after).astype(np.float32)).to(device),
        settings=config.train,
        plan=plan,
        redraw=rebalanced.redraw,
    )


def chosen_loss(config: Config) -> Loss:
    """The training loss with its options.

    Raises:
        FlarecastError: No such loss or option, or one that does not fit the events.
    """
    function = choose("train.loss", config.train.loss, LOSSES)
    loss = partial(function, **check_options(function, config.train.loss_options, "train.loss_options"))
    none = torch.zeros(1, dtype=torch.int64)
    loss(torch.zeros(1, len(config.events) + 1), none, none, torch.ones(1))
    return loss


def _require(role: NDArray[np.int8], counts: dict[str, int]) -> None:
    """Make sure that each role has windows to work with."""
    for name, count in counts.items():
        if not count:
            raise FlarecastError(
                f"{name} role: expected windows with values and a known outcome, got none among "
                f"{np.count_nonzero(role == ROLES.index(name))}; change the split"
            )


def _base_rate(occurred: NDArray[np.int8]) -> FloatArray:
    """Share of events among the windows where they are known, shape (event,); 0 where none is."""
    known = np.maximum((occurred >= 0).sum(axis=0), 1)
    return np.asarray((occurred == 1).sum(axis=0) / known, dtype=np.float64)


def _sample(tensors: WindowTensors, index: IntArray, low: IntArray, high: IntArray) -> Sample:
    """Windows with weight 1."""
    device = tensors.values.device
    place, lowest, highest = (torch.from_numpy(a.astype(np.int64)).to(device) for a in (index, low, high))
    return Sample(tensors, place, lowest, highest, torch.ones(len(index), device=device))

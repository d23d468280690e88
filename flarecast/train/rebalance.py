"""Train windows as training sees them: balanced once, or drawn anew for each epoch.

What was observed stays where it is; made windows get rows of their own behind it, and train alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from flarecast.balance import BALANCERS, NOT_ANALYTIC, Balanced, TrainWindows, class_priors
from flarecast.batches import Sample, gather_steps, with_windows
from flarecast.config import Config, check_options
from flarecast.errors import choose
from flarecast.goes import sub_classes
from flarecast.references import region_codes

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

STEPS_AT_ONCE = 4096


@dataclass(frozen=True)
class Rebalanced:
    """What training sees of the train windows.

    Attributes:
        sample: The windows of the first epoch, and of all where they are drawn once.
        redraw: Windows of a later epoch by its number, where each has its own; else None.
        prior_natural: Shares of the exclusive classes before, shape (class,).
        prior_trained: Shares as training sees them, over all epochs, shape (class,).
        prior_analytic: Whether the two shares are all that balancing changed.
        logit_offset: Added to the logits in the training loss, shape (class,), if any.
        n_made: Number of made windows in the first epoch.
    """

    sample: Sample
    redraw: Callable[[int], Sample] | None
    prior_natural: FloatArray
    prior_trained: FloatArray
    prior_analytic: bool
    logit_offset: FloatArray | None
    n_made: int


def as_train_windows(windows: xr.Dataset, index: IntArray, natural: Sample, config: Config) -> TrainWindows:
    """What remedies may know of the train windows.

    Args:
        windows: A windows Dataset.
        index: The train windows in it, shape (n,).
        natural: The same windows, scaled and on the device.
        config: The configuration.
    """
    return TrainWindows(
        low=natural.low.cpu().numpy(),
        high=natural.high.cpu().numpy(),
        classes=(f"below {config.events[0]}", *config.events),
        positive_class=config.events.index(config.balanced_event) + 1,
        sub_class=sub_classes(windows, config.train.unassigned)[index],
        region=region_codes(windows["region"].values[index]),
        issue_time=windows["issue_time"].values[index].astype(np.int64),
        steps=partial(_steps, natural),
    )


def rebalance(natural: Sample, train: TrainWindows, config: Config) -> Rebalanced:
    """Balance the train windows and measure how far that moved the class priors.

    Args:
        natural: The train windows, each once.
        train: The same windows as remedies see them.
        config: The configuration.

    Raises:
        FlarecastError: The remedy cannot be had with these windows.
    """
    each_epoch = config.balance.draw == "each_epoch"
    first = _draw(train, config, 0)
    analytic = first.prior is not NOT_ANALYTIC
    drawn = [first]
    if each_epoch and analytic:  # the trained prior is that of all epochs together
        drawn += [_draw(train, config, epoch) for epoch in range(1, config.train.epochs)]
    return Rebalanced(
        sample=_sample(natural, first),
        redraw=(lambda epoch: _sample(natural, _draw(train, config, epoch))) if each_epoch else None,
        prior_natural=class_priors(train.low, train.high, np.ones(len(train)), train.n_classes),
        prior_trained=np.mean([one.shares for one in drawn], axis=0),
        prior_analytic=analytic,
        logit_offset=first.logit_offset,
        n_made=0 if first.made is None else len(first.made),
    )


def _draw(train: TrainWindows, config: Config, epoch: int) -> Balanced:
    """What the remedy makes for an epoch, by a generator of (seed, epoch) alone."""
    balancer = choose("balance.name", config.balance.name, BALANCERS)
    options = check_options(balancer, config.balance.options, "balance.options")
    rng = config.generator("balance" if epoch == 0 else f"balance {epoch}")
    return balancer(train, rng, **options)


def _steps(natural: Sample, index: IntArray) -> NDArray[np.float32]:
    """Scaled and filled steps of some of the windows, shape (n, n_steps, n_features)."""
    n_steps, n_features = natural.tensors.step_rows.shape[1], natural.tensors.values.shape[1]
    out = np.empty((index.size, n_steps, n_features), dtype=np.float32)
    for start in range(0, index.size, STEPS_AT_ONCE):
        part = torch.from_numpy(index[start : start + STEPS_AT_ONCE]).to(natural.index.device)
        steps = gather_steps(natural.tensors, natural.index[part])
        out[start : start + STEPS_AT_ONCE] = steps.cpu().numpy()
    return out


def _sample(natural: Sample, balanced: Balanced) -> Sample:
    """The chosen windows with weights of mean 1, made ones behind those observed."""
    device = natural.index.device
    tensors, index, low, high = natural.tensors, natural.index, natural.low, natural.high
    if balanced.made is not None:
        made = balanced.made
        parent = torch.from_numpy(made.parent).to(device)
        history = tensors.last_class[index[parent.clamp_min(0)]].masked_fill(parent < 0, -1)
        n_before = len(tensors.step_rows)
        tensors = with_windows(tensors, torch.from_numpy(made.steps).to(device), history)
        index = torch.cat([index, torch.arange(n_before, n_before + len(made), device=device)])
        low = torch.cat([low, torch.from_numpy(made.low).to(device)])
        high = torch.cat([high, torch.from_numpy(made.high).to(device)])
    where = torch.from_numpy(balanced.index).to(device)
    weight = balanced.weight / balanced.weight.mean(dtype=np.float64)
    weights = torch.from_numpy(weight.astype(np.float32)).to(device)
    return Sample(tensors, index[where], low[where], high[where], weights)

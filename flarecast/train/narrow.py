"""A configuration with fewer features: those that a selection, fitted on the train role, keeps."""

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from flarecast.batches import gather_steps
from flarecast.config import Config
from flarecast.config.sections import Balance, Ensemble
from flarecast.features import window_statistics
from flarecast.selection import select_features
from flarecast.train.prepare import prepare
from flarecast.train.task import Plan

SHOWN = ("last", "mean", "std", "slope")
"""Statistics of each feature that a selection looks at."""

BATCH = 4096


def narrow(
    windows: xr.Dataset,
    role: NDArray[np.int8],
    config: Config,
    device: torch.device,
    plan: Plan | None = None,
) -> Config:
    """Choose features by `model.select`; without it the configuration stays as it is.

    The selection sees the train windows as they are by nature, scaled and filled, whose class is known. It is
    the same for all members of an ensemble.

    Args:
        windows: A windows Dataset.
        role: Index into `ROLES`, shape (window,).
        config: The configuration.
        device: Where windows are gathered.
        plan: As for `prepare`.

    Returns:
        The configuration with the chosen features in `model.features`.

    Raises:
        FlarecastError: As `prepare` and `select_features`.
    """
    if config.model.select is None:
        return config
    offered = prepare(
        windows, role, config.model_copy(update={"balance": Balance(), "ensemble": Ensemble()}), device, plan
    )
    sample = offered.task.natural
    known = torch.nonzero(sample.low == sample.high)[:, 0]
    parts = [
        window_statistics(gather_steps(sample.tensors, sample.index[place]).cpu().numpy(), SHOWN)
        for place in torch.split(known, BATCH)
    ]
    chosen = select_features(
        config.model.select,
        np.concatenate(parts) if parts else np.zeros((0, len(SHOWN), len(offered.features))),
        sample.low[known].cpu().numpy(),
        config.generator("select"),
        **config.model.select_options,
    )
    features = tuple(offered.features[place] for place in chosen)
    return config.model_copy(update={"model": config.model.model_copy(update={"features": features})})

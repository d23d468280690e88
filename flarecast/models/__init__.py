"""Models: entries of `MODELS`, a file each, named here without importing torch.

Every file has `build(shape: Shape, *, <options>) -> nn.Module`. The module's `forward(steps, last_class)`
takes scaled and filled steps (b, n_steps, n_inputs) and the class of the latest known outcome (b,), -1 if
none, and gives logits (b, K + 1) of the exclusive classes between K nested events; the probability of event
j is the sum over the classes above j, so that p(>=C) >= p(>=M) >= p(>=X) by construction.

A model may take an option `mask`: with it the inputs of a step are the values and, behind them, a 1 for each
that was observed and a 0 for each that was filled; without it, the values alone.

A module fitted by gradient ends in `head`, an entry of `head.HEADS`, whose bias starts at the class priors.
Any other has `fit_directly(batches, prior)`, which may return what the model file is to say of it. What a
model knows must be in its `state_dict`.
"""

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from flarecast.errors import choose

if TYPE_CHECKING:
    from torch import nn

MODELS: dict[str, str] = {
    "climatology": "flarecast.models.climatology",
    "persistence": "flarecast.models.persistence",
    "logistic": "flarecast.models.logistic",
    "svm": "flarecast.models.svm",
    "random_forest": "flarecast.models.random_forest",
    "gradient_boosting": "flarecast.models.gradient_boosting",
    "nearest": "flarecast.models.nearest",
    "minirocket": "flarecast.models.minirocket",
    "spot_class": "flarecast.models.spot_class",
    "lstm": "flarecast.models.lstm",
    "gru": "flarecast.models.gru",
    "cnn": "flarecast.models.cnn",
    "resnet": "flarecast.models.resnet",
    "inception_time": "flarecast.models.inception_time",
    "cnn_lstm": "flarecast.models.cnn_lstm",
    "transformer": "flarecast.models.transformer",
}
"""Name in `model.name`: the module that has its `build`."""


def load_builder(name: str) -> "Callable[..., nn.Module]":
    """Import a model's `build`.

    Raises:
        FlarecastError: No such model; the message lists those there are.
    """
    build: Callable[..., nn.Module] = import_module(choose("model.name", name, MODELS)).build
    return build


def takes_mask(name: str, options: Mapping[str, Any]) -> bool:
    """Whether a model with these options wants to be told which values were observed.

    Raises:
        FlarecastError: No such model; the message lists those there are.
    """
    option = inspect.signature(load_builder(name)).parameters.get("mask")
    return option is not None and bool(options.get("mask", option.default))

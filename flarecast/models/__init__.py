"""Models: entries of `MODELS`, a file each, named here without importing torch.

Every file has `build(shape: Shape, *, <options>) -> nn.Module`. The module's `forward(steps, last_class)`
takes scaled and filled steps (b, n_steps, n_features) and the class of the latest known outcome (b,), -1 if
none, and gives logits (b, K + 1) of the exclusive classes between K nested events; the probability of event
j is the sum over the classes above j, so that p(>=C) >= p(>=M) >= p(>=X) by construction.

A module fitted by gradient ends in `head`, an nn.Linear, whose bias starts at the log of the class priors.
Any other has `fit_directly(batches, prior)`. What a model knows must be in its `state_dict`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from flarecast.errors import choose

if TYPE_CHECKING:
    from torch import nn

MODELS: dict[str, str] = {
    "climatology": "flarecast.models.climatology",
    "persistence": "flarecast.models.persistence",
    "logistic": "flarecast.models.logistic",
    "lstm": "flarecast.models.lstm",
    "cnn": "flarecast.models.cnn",
}
"""Name in `model.name`: the module that has its `build`."""


def load_builder(name: str) -> "Callable[..., nn.Module]":
    """Import a model's `build`.

    Raises:
        FlarecastError: No such model; the message lists those there are.
    """
    build: Callable[..., nn.Module] = import_module(choose("model.name", name, MODELS)).build
    return build

"""Pretraining of encoders without outcomes: entries of `TASKS`, a file each, named without importing torch.

Every file has `build(sizes: Sizes, *, <options>) -> nn.Module`, whose `forward(encode, steps, group)` gives
the loss of a batch: `encode` turns inputs (b, n_steps, n_inputs) into hidden states (b, n_hidden), `group`
numbers the regions (b,). What the module learns beside the encoder is thrown away.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from flarecast.errors import choose

if TYPE_CHECKING:
    from torch import nn

TASKS: dict[str, str] = {
    "masked": "flarecast.pretraining.masked",
    "contrastive": "flarecast.pretraining.contrastive",
}
"""Name in `pretrain.name`: the module that has its `build`."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of a pretraining task; `masked` says whether the second half of the inputs is a mask."""

    n_hidden: int
    n_steps: int
    n_features: int
    masked: bool


def load_task(name: str) -> "Callable[..., nn.Module]":
    """Import a task's `build`.

    Raises:
        FlarecastError: No such task; the message lists those there are.
    """
    build: Callable[..., nn.Module] = import_module(choose("pretrain.name", name, TASKS)).build
    return build

"""Gated recurrent unit: an LSTM with fewer weights, often its equal on few data."""

from typing import Annotated

from pydantic import Field
from torch import nn

from flarecast.models.head import HeadName
from flarecast.models.lstm import Recurrent
from flarecast.models.shape import Shape


def build(
    shape: Shape,
    *,
    hidden: Annotated[int, Field(ge=1)] = 64,
    layers: Annotated[int, Field(ge=1)] = 2,
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    head: HeadName = "classes",
    mask: bool = True,
) -> nn.Module:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        hidden: Size of the hidden state of each layer.
        layers: Stacked layers.
        dropout: Share of hidden values dropped between layers and before the head.
        head: Entry of `HEADS`.
        mask: Whether a 1 or 0 beside every value says if it was observed.

    Source: Cho et al. (2014), arXiv 1406.1078.
    """
    return Recurrent(nn.GRU, (shape.n_inputs(mask), hidden, layers), dropout, head, shape)

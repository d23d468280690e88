"""Gated recurrent unit: an LSTM with fewer weights, often its equal on few data."""

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from flarecast.models.head import HEADS, HeadName
from flarecast.models.shape import Shape


class GRU(nn.Module):
    """Stacked GRU over the steps; a head on the last hidden state."""

    def __init__(self, shape: Shape, n_inputs: int, sizes: tuple[int, int], dropout: float, head: HeadName):
        super().__init__()
        hidden, layers = sizes
        between = dropout if layers > 1 else 0.0
        self.gru = nn.GRU(n_inputs, hidden, layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.head = HEADS[head](hidden, shape)

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:  # noqa: ARG002  (same for all models)
        """Logits, shape (b, class)."""
        _, state = self.gru(steps)
        return self.head(self.dropout(state[-1]))


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
    return GRU(shape, shape.n_inputs(mask), (hidden, layers), dropout, head)

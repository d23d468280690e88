"""Long short-term memory: the usual recurrent network of the field."""

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from flarecast.models.head import HEADS, HeadName
from flarecast.models.shape import Shape


class Recurrent(nn.Module):
    """Stacked recurrent layers over the steps; a head on the last hidden state.

    The layers are called by their kind, `lstm` or `gru`, in saved weights.
    """

    def __init__(
        self,
        kind: type[nn.LSTM] | type[nn.GRU],
        sizes: tuple[int, int, int],
        dropout: float,
        head: HeadName,
        shape: Shape,
    ) -> None:
        super().__init__()
        n_inputs, hidden, layers = sizes
        between = dropout if layers > 1 else 0.0
        self.kind = kind.__name__.lower()
        self.add_module(self.kind, kind(n_inputs, hidden, layers, batch_first=True, dropout=between))
        self.dropout = nn.Dropout(dropout)
        self.head = HEADS[head](hidden, shape)

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:  # noqa: ARG002  (same for all models)
        """Logits, shape (b, class)."""
        _, state = self.get_submodule(self.kind)(steps)
        hidden = state[0] if self.kind == "lstm" else state  # an LSTM also has a cell state
        return self.head(self.dropout(hidden[-1]))


def build(
    shape: Shape,
    *,
    hidden: Annotated[int, Field(ge=1)] = 64,
    layers: Annotated[int, Field(ge=1)] = 2,
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    head: HeadName = "classes",
    mask: bool = False,
) -> nn.Module:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        hidden: Size of the hidden state of each layer.
        layers: Stacked layers.
        dropout: Share of hidden values dropped between layers and before the head.
        head: Entry of `HEADS`.
        mask: Whether a 1 or 0 beside every value says if it was observed.

    Source: Hochreiter & Schmidhuber (1997), Neural Comput. 9, 1735.
    """
    return Recurrent(nn.LSTM, (shape.n_inputs(mask), hidden, layers), dropout, head, shape)

"""Long short-term memory: the usual recurrent network of the field."""

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from flarecast.models.shape import Shape


class LSTM(nn.Module):
    """Stacked LSTM over the steps; a linear head on the last hidden state."""

    def __init__(self, shape: Shape, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        between = dropout if layers > 1 else 0.0
        self.lstm = nn.LSTM(shape.n_features, hidden, layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, shape.n_classes)

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:  # noqa: ARG002  (same for all models)
        """Logits, shape (b, class)."""
        _, (state, _) = self.lstm(steps)
        return self.head(self.dropout(state[-1]))


def build(
    shape: Shape,
    *,
    hidden: Annotated[int, Field(ge=1)] = 64,
    layers: Annotated[int, Field(ge=1)] = 2,
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
) -> nn.Module:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        hidden: Size of the hidden state of each layer.
        layers: Stacked layers.
        dropout: Share of hidden values dropped between layers and before the head.
    """
    return LSTM(shape, hidden, layers, dropout)

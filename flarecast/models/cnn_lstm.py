"""CNN-LSTM: convolutions find short patterns, an LSTM follows them through the window."""

from itertools import pairwise
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from flarecast.models.cnn import Block, Positive
from flarecast.models.head import HEADS, HeadName
from flarecast.models.shape import Shape


class CNNLSTM(nn.Module):
    """Causal convolutions, then an LSTM over their steps; a head on its last hidden state."""

    def __init__(
        self, shape: Shape, sizes: tuple[int, ...], kernel: int, lstm: nn.LSTM, drop: tuple[float, HeadName]
    ) -> None:
        super().__init__()
        dropout, head = drop
        self.blocks = nn.Sequential(*(Block(n_in, n_out, kernel) for n_in, n_out in pairwise(sizes)))
        self.lstm = lstm
        self.dropout = nn.Dropout(dropout)
        self.head = HEADS[head](lstm.hidden_size, shape)

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:  # noqa: ARG002  (same for all models)
        """Logits, shape (b, class)."""
        signal = self.blocks(steps.transpose(1, 2)).transpose(1, 2)
        _, (state, _) = self.lstm(self.dropout(signal))
        return self.head(self.dropout(state[-1]))


def build(  # noqa: PLR0913  (a model takes its options as arguments)
    shape: Shape,
    *,
    channels: Annotated[tuple[Positive, ...], Field(min_length=1)] = (32, 32),
    kernel: Positive = 5,
    hidden: Positive = 64,
    layers: Positive = 1,
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1,
    head: HeadName = "classes",
    mask: bool = True,
) -> nn.Module:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        channels: Channels of each convolution.
        kernel: Steps that a convolution sees, the last being its own.
        hidden: Size of the LSTM's hidden state.
        layers: Stacked layers of the LSTM.
        dropout: Share of values dropped before the LSTM and before the head.
        head: Entry of `HEADS`.
        mask: Whether a 1 or 0 beside every value says if it was observed.

    Source: Sainath et al. (2015), ICASSP, 4580.
    """
    lstm = nn.LSTM(channels[-1], hidden, layers, batch_first=True)
    return CNNLSTM(shape, (shape.n_inputs(mask), *channels), kernel, lstm, (dropout, head))

"""Transformer encoder over the steps of a window, with their time and with a mask."""

import math
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from flarecast.errors import FlarecastError
from flarecast.models.cnn import Positive
from flarecast.models.drop_branch import DropBranch
from flarecast.models.head import HEADS, HeadName
from flarecast.models.shape import Shape

PERIODS = 4
"""Sine and cosine pairs by which a step knows its time, from two windows long to a quarter of one."""


def time_features(n_steps: int, device: torch.device) -> Tensor:
    """When each step is, shape (step, 2 x PERIODS + 1): its age in windows, and waves of it."""
    age = torch.arange(n_steps - 1, -1, -1, dtype=torch.float32, device=device)[:, None] / n_steps
    phase = math.pi * age * 2.0 ** torch.arange(PERIODS, device=device)
    return torch.cat([age, phase.sin(), phase.cos()], dim=1)


class Attention(nn.Module):
    """Self-attention of several heads: (b, token, size) -> (b, token, size)."""

    def __init__(self, size: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.ask = nn.Linear(size, 3 * size)
        self.join = nn.Linear(size, size)

    def forward(self, tokens: Tensor, seen: Tensor | None) -> Tensor:
        """What each token learns from those seen, of shape (b, 1, 1, token), bool."""
        parts = self.ask(tokens).unflatten(2, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        found = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        return self.join(found.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """Attention, then a network on each token, each with a norm before and a shortcut beside."""

    def __init__(self, size: int, n_heads: int, dropout: float, drop: DropBranch) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(2))
        self.attention = Attention(size, n_heads)
        self.forward_network = nn.Sequential(
            nn.Linear(size, 2 * size), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * size, size)
        )
        self.dropout = nn.Dropout(dropout)
        self.drop = drop

    def forward(self, tokens: Tensor, seen: Tensor | None) -> Tensor:
        """Tokens after the layer, shape (b, token, size)."""
        tokens = tokens + self.drop(self.dropout(self.attention(self.norms[0](tokens), seen)))
        return tokens + self.drop(self.dropout(self.forward_network(self.norms[1](tokens))))


class Transformer(nn.Module):
    """Encoder layers over the steps and a token of its own; a head on that token.

    Where there is a mask, nobody attends to a step without a single observed value. The own token is always
    there, so that a window without any still gets a finite forecast.
    """

    def __init__(
        self, shape: Shape, size: int, layers: list[Layer], dropout: float, options: tuple[HeadName, bool]
    ) -> None:
        super().__init__()
        head, mask = options
        self.n_features = shape.n_features if mask else None
        self.embed = nn.Linear(shape.n_inputs(mask) + 2 * PERIODS + 1, size)
        self.own = nn.Parameter(torch.zeros(size))
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(size)
        self.dropout = nn.Dropout(dropout)
        self.head = HEADS[head](size, shape)

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:  # noqa: ARG002  (same for all models)
        """Logits, shape (b, class)."""
        n, n_steps, _ = steps.shape
        time = time_features(n_steps, steps.device).expand(n, -1, -1)
        tokens = self.embed(torch.cat([steps, time], dim=2))
        tokens = self.dropout(torch.cat([self.own.expand(n, 1, -1), tokens], dim=1))
        seen = None
        if self.n_features is not None:
            observed = (steps[:, :, self.n_features :] > 0).any(dim=2)
            seen = nn.functional.pad(observed, (1, 0), value=True)[:, None, None, :]
        for layer in self.layers:
            tokens = layer(tokens, seen)
        return self.head(self.norm(tokens[:, 0]))


def build(  # noqa: PLR0913  (a model takes its options as arguments)
    shape: Shape,
    *,
    size: Positive = 64,
    heads: Positive = 4,
    layers: Positive = 2,
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1,
    stochastic_depth: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    head: HeadName = "classes",
    mask: bool = True,
) -> nn.Module:
    """Build the model.

    Args:
        shape: Sizes of input and output.
        size: Numbers that a step is turned into.
        heads: Attention heads; `size` is a multiple of it.
        layers: Encoder layers.
        dropout: Share of values dropped after the embedding and inside the layers.
        stochastic_depth: Share of windows for which the last layer's branches are left out in training.
        head: Entry of `HEADS`.
        mask: Whether a 1 or 0 beside every value says if it was observed.

    Raises:
        FlarecastError: `size` is no multiple of `heads`.

    Source: Vaswani et al. (2017), arXiv 1706.03762, with the norm first: Xiong et al. (2020), arXiv
        2002.04745.
    """
    if size % heads:
        raise FlarecastError(
            f"model.options: expected size a multiple of heads, got size {size} and heads {heads}"
        )
    made = [
        Layer(size, heads, dropout, DropBranch(stochastic_depth, nth, layers)) for nth in range(1, layers + 1)
    ]
    return Transformer(shape, size, made, dropout, (head, mask))

"""Heads: what a network's last layer says about nested events, entries of `HEADS`.

Both give logits of the K + 1 exclusive classes, so that losses, prior correction and calibration are the
same behind both, and both nest by construction: p(>=C) >= p(>=M) >= p(>=X). They differ in what is shared.

* `classes`: a logit a class, a softmax over them. One normalisation ties all classes together. A good start,
  and better where classes have many windows each or differ in kind.
* `nested`: a log odds an event given the event below, p(>=C), p(>=M | >=C), p(>=X | >=M). Each is learned
  from the windows that hold the event below and from no other, so that the many quiet windows decide p(>=C)
  alone and do not pull at what tells X from M. Better where the rare events are what counts and events differ
  in what announces them; noisier where few windows hold the event below. With a single event it is flat: one
  log odds, of logistic regression.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from flarecast.models.shape import Shape, log_prior

HeadName = Literal["classes", "nested"]
"""Names of `HEADS`, as the type of a network's option `head`."""


class ClassHead(nn.Linear):
    """Logits of the exclusive classes: (b, hidden) -> (b, class)."""

    def __init__(self, size: int, shape: Shape) -> None:
        super().__init__(size, shape.n_classes)

    @torch.no_grad()
    def start_at(self, prior: Tensor) -> None:
        """Let a hidden state of 0 mean the class priors, shape (class,)."""
        self.bias.copy_(log_prior(prior))


class NestedHead(nn.Linear):
    """Log probabilities of the exclusive classes, from each event given the one below.

    With a_j the log odds of event j given event j - 1 (event 0 is certain), p(>= j) is the product of
    sigmoid(a_i) for i <= j, and p(class j) = p(>= j) sigmoid(-a_(j+1)): (b, hidden) -> (b, class).
    """

    def __init__(self, size: int, shape: Shape) -> None:
        super().__init__(size, shape.n_classes - 1)

    def forward(self, hidden: Tensor) -> Tensor:
        """Log probabilities, shape (b, class); they are logits whose softmax is themselves."""
        log_odds = super().forward(hidden)
        # A product with ones above the diagonal, as a running sum has no deterministic form on CUDA.
        below = log_odds.new_ones(self.out_features, self.out_features + 1).triu(1)
        reached = nn.functional.logsigmoid(log_odds) @ below
        return reached + nn.functional.pad(nn.functional.logsigmoid(-log_odds), (0, 1))

    @torch.no_grad()
    def start_at(self, prior: Tensor) -> None:
        """Let a hidden state of 0 mean the class priors, shape (class,)."""
        above = prior.flip(0).cumsum(0).flip(0)
        self.bias.copy_(log_prior(above[1:]) - log_prior(prior[:-1]))


HEADS: dict[HeadName, type[ClassHead | NestedHead]] = {"classes": ClassHead, "nested": NestedHead}
"""Name in a network's option `head`: the last layer, built from its input's size and the shape."""

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

A third, `gp`, is drawn from a Gaussian process for a member of an ensemble and is not for training.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from flarecast.errors import FlarecastError
from flarecast.models.shape import Shape, log_prior

HeadName = Literal["classes", "nested", "gp"]
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
        return nested_link(super().forward(hidden))

    @torch.no_grad()
    def start_at(self, prior: Tensor) -> None:
        """Let a hidden state of 0 mean the class priors, shape (class,)."""
        self.bias.copy_(nested_log_odds(prior))


def nested_link(log_odds: Tensor) -> Tensor:
    """Log probabilities of the classes, shape (..., event + 1), from the log odds of a `NestedHead`."""
    n_events = log_odds.shape[-1]
    # A product with ones above the diagonal, as a running sum has no deterministic form on CUDA.
    below = log_odds.new_ones(n_events, n_events + 1).triu(1)
    reached = nn.functional.logsigmoid(log_odds) @ below
    return reached + nn.functional.pad(nn.functional.logsigmoid(-log_odds), (0, 1))


def nested_log_odds(prior: Tensor) -> Tensor:
    """Log odds of each event given the one below, shape (event,), by class priors, shape (event + 1,)."""
    above = prior.flip(0).cumsum(0).flip(0)
    return log_prior(above[1:]) - log_prior(prior[:-1])


INDUCING, WAVES = 64, 256
"""Inducing points of a Gaussian process, and waves that its draws are made of."""


class FunctionHead(nn.Module):
    """Functions of the embedding, drawn from a sparse Gaussian process: (b, hidden) -> (b, class).

    One a nested event, its log odds given the event below. Each is a sum of waves, which is a draw from the
    prior, and of kernels at the inducing points, which bends it to the posterior. Made by
    `ensembles.bayes.gaussian_process` for the members of an ensemble, never trained itself.

    Source: Wilson et al. (2020), arXiv 2002.09309, eq. 13.
    """

    centre: Tensor
    spread: Tensor
    frequency: Tensor
    phase: Tensor
    amplitude: Tensor
    inducing: Tensor
    length: Tensor
    pull: Tensor
    mean: Tensor

    def __init__(self, size: int, shape: Shape) -> None:
        super().__init__()
        n = shape.n_classes - 1
        for name, sizes in {
            "centre": (size,),
            "spread": (size,),
            "frequency": (WAVES, size),
            "phase": (WAVES,),
            "amplitude": (WAVES, n),
            "inducing": (INDUCING, size),
            "length": (),
            "pull": (INDUCING, n),
            "mean": (n,),
        }.items():
            self.register_buffer(name, torch.zeros(sizes, dtype=torch.float64))

    def start_at(self, prior: Tensor) -> None:  # noqa: ARG002  (the signature is that of every head)
        """Refuse to be trained.

        Raises:
            FlarecastError: Always.
        """
        check_trained(self)

    def forward(self, hidden: Tensor) -> Tensor:
        """Log probabilities, shape (b, class), float64."""
        placed = (hidden.double() - self.centre) / self.spread
        waves = torch.cos(placed @ self.frequency.T + self.phase) @ self.amplitude
        far = torch.cdist(placed, self.inducing, compute_mode="donot_use_mm_for_euclid_dist")
        return nested_link(self.mean + waves + torch.exp(-0.5 * (far / self.length).square()) @ self.pull)


TRAINED_HEADS: tuple[HeadName, ...] = ("classes", "nested")
"""Heads that a network can be trained with; the others are made of a trained one."""

HEADS: dict[HeadName, type[ClassHead | NestedHead | FunctionHead]] = {
    "classes": ClassHead,
    "nested": NestedHead,
    "gp": FunctionHead,
}
"""Name in a network's option `head`: the last layer, built from its input's size and the shape."""


def check_trained(head: nn.Module) -> None:
    """Make sure that a head is one that a network can be trained with.

    Raises:
        FlarecastError: It is made of a trained one.
    """
    if isinstance(head, FunctionHead):
        raise FlarecastError(
            f"model.options: expected head {' or '.join(TRAINED_HEADS)}, got gp, which is drawn and not "
            "trained; set ensemble.name gp for it"
        )

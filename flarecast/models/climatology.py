"""Climatology: the class frequencies of the training windows, for every window."""

from collections.abc import Iterable

from torch import Tensor, nn

from flarecast.batches import Batch
from flarecast.models.shape import Shape, log_prior, no_prior


class Climatology(nn.Module):
    """The same logits for every window: the log of the class priors."""

    log_prior: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.register_buffer("log_prior", no_prior(shape.n_classes))

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:  # noqa: ARG002  (same for all models)
        """Logits, shape (b, class)."""
        return self.log_prior.expand(len(steps), -1)

    def fit_directly(self, batches: Iterable[Batch], prior: Tensor) -> None:  # noqa: ARG002
        """Take the class priors of the training windows, shape (class,)."""
        self.log_prior.copy_(log_prior(prior))


def build(shape: Shape) -> nn.Module:
    """Build the model; it has no options."""
    return Climatology(shape)

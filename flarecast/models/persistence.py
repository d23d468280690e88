"""Persistence with probabilities: how often each class followed the latest known one, by counts."""

from collections.abc import Iterable

from torch import Tensor, nn

from flarecast.batches import Batch
from flarecast.models.shape import Shape, log_prior, no_prior


class Persistence(nn.Module):
    """Logits looked up by the class of the region's latest known outcome; a row of its own for none known."""

    log_table: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.register_buffer("log_table", no_prior(shape.n_classes).repeat(shape.n_classes + 1, 1))

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:  # noqa: ARG002  (same for all models)
        """Logits, shape (b, class)."""
        return self.log_table.index_select(0, last_class + 1)

    def fit_directly(self, batches: Iterable[Batch], prior: Tensor) -> None:
        """Count what followed what, from one pseudo-count shared out by the class priors.

        Windows whose class is not known for certain are not counted.

        Args:
            batches: The training windows with their weights.
            prior: Class priors of the training windows, shape (class,).
        """
        counts = prior.to(self.log_table).expand_as(self.log_table).clone()
        for batch in batches:
            known = batch.low == batch.high
            cell = (batch.last_class + 1) * counts.shape[1] + batch.low
            counts.view(-1).index_add_(0, cell[known], batch.weight[known].to(counts))
        self.log_table.copy_(log_prior(counts / counts.sum(dim=1, keepdim=True)))


def build(shape: Shape) -> nn.Module:
    """Build the model; it has no options."""
    return Persistence(shape)

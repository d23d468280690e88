"""Batch-norm statistics of weights that were averaged or drawn, and never saw data."""

from collections.abc import Iterable, Iterator

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import update_bn


class _OneArgument(nn.Module):
    """A model called with one tuple, as `update_bn` calls it."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, inputs: tuple[Tensor, Tensor]) -> Tensor:
        return self.module(*inputs)


def refresh_batch_norm(module: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Recompute batch-norm statistics for such weights; nothing happens without batch norm.

    An average of weights has never seen data, so the statistics of its layers belong to other weights.

    Args:
        module: With averaged or drawn weights; its mode is left as it was.
        batches: (steps, last_class) of training windows as they are by nature, never of a resampled mix,
            shuffled: statistics are averaged over batches, and batches in time order are too alike inside.
    """
    kept = [(norm, {name: value.clone() for name, value in norm.named_buffers()}) for norm in _frozen(module)]
    update_bn(((batch,) for batch in batches), _OneArgument(module).train(module.training))
    for norm, buffers in kept:
        norm.load_state_dict(buffers, strict=False)


def _frozen(module: nn.Module) -> Iterator[nn.Module]:
    """Batch norms that are not trained, whose statistics belong to the weights that they were frozen with."""
    for norm in module.modules():
        weight = getattr(norm, "weight", None)
        if isinstance(norm, _BatchNorm) and weight is not None and not weight.requires_grad:
            yield norm

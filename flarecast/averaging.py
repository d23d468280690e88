"""Averaging of weights over the last epochs: entries of `AVERAGINGS`, on torch.optim.swa_utils.

Source: stochastic weight averaging, Izmailov et al. (2018), arXiv 1803.05407.
"""

from collections.abc import Callable, Iterable

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, update_bn

Averaging = Callable[[nn.Module], AveragedModel | None]


def without(module: nn.Module) -> None:  # noqa: ARG001  (the signature is that of every entry)
    """No averaging: the weights of the best epoch on validation are kept."""
    return


def swa(module: nn.Module) -> AveragedModel:
    """Equal average of the weights after each averaging epoch; call `update_parameters` there."""
    return AveragedModel(module)


AVERAGINGS: dict[str, Averaging] = {"none": without, "swa": swa}
"""Name in `train.averaging`: the function that starts an average, None where there is none."""


class _OneArgument(nn.Module):
    """A model called with one tuple, as `update_bn` calls it."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, inputs: tuple[Tensor, Tensor]) -> Tensor:
        return self.module(*inputs)


def refresh_batch_norm(module: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Recompute batch-norm statistics for averaged weights; nothing happens without batch norm.

    An average of weights has never seen data, so the statistics of its layers belong to other weights.

    Args:
        module: The averaged model; its mode is left as it was.
        batches: (steps, last_class) of training windows as they are by nature, never of a resampled mix,
            shuffled: statistics are averaged over batches, and batches in time order are too alike inside.
    """
    update_bn(((batch,) for batch in batches), _OneArgument(module).train(module.training))

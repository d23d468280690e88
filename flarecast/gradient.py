"""One step of training by gradient, and what it takes: an optimiser, a learning rate, noise and mixing.

Random numbers are torch's own, which training seeds and checkpoints hold.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from flarecast.batches import Batch
from flarecast.checking import check_options
from flarecast.errors import FlarecastError, choose
from flarecast.losses import Loss
from flarecast.optimizers import OPTIMIZERS
from flarecast.schedules import SCHEDULES
from flarecast.sections import Train


def build_optimizer(module: nn.Module, settings: Train) -> Optimizer:
    """The optimiser of `train.optimizer` for all weights of a module.

    Raises:
        FlarecastError: No such optimiser or option, or options that exclude each other.
    """
    build = choose("train.optimizer", settings.optimizer, OPTIMIZERS)
    options = check_options(build, settings.optimizer_options, "train.optimizer_options")
    return build(module.parameters(), settings.learning_rate, settings.weight_decay, **options)


def build_schedule(settings: Train, epochs: int) -> Callable[[float], float]:
    """Learning rate by the epochs done, of so many planned, as `train.schedule` says.

    Raises:
        FlarecastError: No such schedule or option, or cycles that are longer than these epochs.
    """
    schedule = choose("train.schedule", settings.schedule, SCHEDULES)
    options = check_options(schedule, settings.schedule_options, "train.schedule_options")
    try:
        schedule(0.0, epochs, **options)
    except FlarecastError as error:
        raise FlarecastError(f"train.schedule_options: {error}") from error
    return lambda done: settings.learning_rate * schedule(done, epochs, **options)


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Learning rate of the next steps, for all weights."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def training_step(
    module: nn.Module, optimizer: Optimizer, loss: Loss, batch: Batch, settings: Train, masked: bool
) -> Tensor:
    """One step of the optimiser; returns the batch's loss, on the device and without its graph.

    Args:
        module: The network.
        optimizer: Of its weights.
        loss: Entry of `LOSSES`.
        batch: Windows of the train role, and of no other.
        settings: `input_noise`, `mixup` and `clip` are used.
        masked: Whether the second half of the inputs is a mask.
    """
    optimizer.zero_grad(set_to_none=True)
    steps = with_noise(batch.steps, settings.input_noise, masked) if settings.input_noise else batch.steps
    if settings.mixup:
        value = _mixed_loss(module, loss, steps, batch, settings.mixup)
    else:
        value = loss(module(steps, batch.last_class), batch.low, batch.high, batch.weight)
    value.backward()  # type: ignore[no-untyped-call]
    if settings.clip:
        nn.utils.clip_grad_norm_(module.parameters(), settings.clip)
    optimizer.step()
    return value.detach()


def with_noise(steps: Tensor, size: float, masked: bool) -> Tensor:
    """Inputs with Gaussian noise of a standard deviation on the scaled values; a mask stays as it is."""
    noise = size * torch.randn_like(steps)
    if masked:
        noise[:, :, steps.shape[2] // 2 :] = 0.0
    return steps + noise


def _mixed_loss(module: nn.Module, loss: Loss, steps: Tensor, batch: Batch, alpha: float) -> Tensor:
    """Loss of windows each mixed with another of the batch, against the outcomes of both.

    The share of the first is drawn once a batch from Beta(alpha, alpha). Outcomes are not mixed, as they may
    be known in part: the losses against either are.

    Source: Zhang et al. (2018), arXiv 1710.09412.
    """
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    other = torch.randperm(len(steps)).to(steps.device)
    logits = module(share * steps + (1 - share) * steps[other], batch.last_class)
    first = loss(logits, batch.low, batch.high, batch.weight)
    return share * first + (1 - share) * loss(
        logits, batch.low[other], batch.high[other], batch.weight[other]
    )

"""One step of training by gradient, and what it takes: an optimiser, a learning rate, noise and mixing.

The windows of a step may go through the network in several parts, whose gradients add up to that of the
whole: the step is the same (dropout draws other numbers; batch norm takes the statistics of each part), the
memory that it needs is not. Random numbers are torch's own, which training seeds and checkpoints hold.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from flarecast.batches import Batch
from flarecast.config.checking import check_options
from flarecast.config.sections import Train
from flarecast.errors import FlarecastError, choose
from flarecast.losses import WHOLE_BATCH, Loss
from flarecast.optimizers import OPTIMIZERS
from flarecast.resources import ALONE_IN_TRAINING, Processes
from flarecast.schedules import SCHEDULES
from flarecast.train.precision import casting, precision_on
from flarecast.train.processes import add_up_gradients


def build_optimizer(weights: Iterable[nn.Parameter], settings: Train) -> Optimizer:
    """The optimiser of `train.optimizer` for some weights.

    Raises:
        FlarecastError: No such optimiser or option, or options that exclude each other.
    """
    build = choose("train.optimizer", settings.optimizer, OPTIMIZERS)
    options = check_options(build, settings.optimizer_options, "train.optimizer_options")
    return build(weights, settings.learning_rate, settings.weight_decay, **options)


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


@dataclass
class Descent:
    """Who goes downhill, and how.

    Attributes:
        module: The network.
        optimizer: Of its weights.
        loss: Entry of `LOSSES`.
        settings: `input_noise`, `mixup`, `clip`, `accumulate`, `precision` are used.
        masked: Whether the second half of the inputs is a mask.
        parts: Parts in which the windows of a step go through the network.
        forward: What computes the network's output; the module itself if None.
        processes: Those that each show their part of a batch to the same network.
    """

    module: nn.Module
    optimizer: Optimizer
    loss: Loss
    settings: Train
    masked: bool = False
    parts: int = 1
    forward: Callable[[Tensor, Tensor], Tensor] | None = None
    processes: Processes = ALONE_IN_TRAINING


@dataclass(frozen=True)
class Shown:
    """Windows as a step shows them, and the outcomes that count, each with its share: batches of targets."""

    steps: Tensor
    last_class: Tensor
    outcomes: tuple[tuple[float, Batch], ...]


def training_step(descent: Descent, batch: Batch, n_windows: int | None = None) -> Tensor:
    """One step of the optimiser; returns the batch's loss, on the device and without its graph.

    Where several processes take part, it is the part of the loss that the windows of this one make up.

    Where the device's memory is too small for the windows, they go in twice as many parts from then on, once.

    Args:
        descent: Network, optimiser, loss and settings; `parts` may double.
        batch: Windows of the train role, and of no other.
        n_windows: In the batches of all processes together; in this one if None.

    Raises:
        FlarecastError: The memory is too small for half of the windows, too.
    """
    shown = disturb(batch, descent.settings, descent.masked)
    n_windows = len(shown.steps) if n_windows is None else n_windows
    try:
        value = add_gradients(descent, shown, n_windows)
    except torch.OutOfMemoryError:
        value = None  # what the step held is let go once this block is left
    if value is None:
        value = _in_halves(descent, shown, n_windows)
    add_up_gradients(descent.processes, descent.module)
    if descent.settings.clip:
        nn.utils.clip_grad_norm_(descent.module.parameters(), descent.settings.clip)
    descent.optimizer.step()
    return value


def add_gradients(descent: Descent, shown: Shown, n_windows: int) -> Tensor:
    """Put the gradient of the mean loss of so many windows into the weights, part by part.

    Returns:
        What those shown add to the loss.
    """
    descent.optimizer.zero_grad(set_to_none=True)
    forward = descent.forward or descent.module
    device = shown.steps.device
    total = torch.zeros((), device=device)
    for part in parts_of(len(shown.steps), descent.parts):
        with casting(device, precision_on(device, descent.settings.precision)):
            logits = forward(shown.steps[part], shown.last_class[part])
        logits = logits.float()
        value = torch.zeros((), device=logits.device)
        for share, of in shown.outcomes:
            value = value + share * descent.loss(logits, of.low[part], of.high[part], of.weight[part])
        value = value * ((part.stop - part.start) / n_windows)
        value.backward()
        total += value.detach()
    return total


def parts_of(n_windows: int, n_parts: int) -> Iterator[slice]:
    """Slices of as many windows each, but for one; none of a single window, whose spread is not known."""
    n_parts = min(n_windows, max(1, min(n_parts, n_windows // 2)))
    for part in range(n_parts):
        yield slice(part * n_windows // n_parts, (part + 1) * n_windows // n_parts)


def check_parts_add_up(settings: Train, processes: Processes = ALONE_IN_TRAINING) -> None:
    """Make sure that the losses of the parts of a batch add up to that of the whole.

    Raises:
        FlarecastError: `accumulate` is above 1, or several processes train one model, with a loss that is not
            a mean over windows.
    """
    if processes.size > 1 and settings.loss in WHOLE_BATCH:
        raise FlarecastError(
            f"torchrun: expected one process with the loss {settings.loss}, which scores a batch as a whole, "
            f"got {processes.size}; choose a mean over windows, or train.parallel = trainings"
        )
    if settings.accumulate > 1 and settings.loss in WHOLE_BATCH:
        raise FlarecastError(
            f"train.accumulate: expected 1 with the loss {settings.loss}, which scores a batch as a whole, "
            f"got {settings.accumulate}; lower train.batch_size, or choose a loss that is a mean over windows"
        )


def disturb(batch: Batch, settings: Train, masked: bool) -> Shown:
    """Noise on the values, and windows each mixed with another of the batch, as the settings ask for it.

    The share of the first of two mixed windows is drawn once a batch from Beta(mixup, mixup). Outcomes are
    not mixed, as they may be known in part: the losses against either are.

    Args:
        batch: Windows of the train role.
        settings: `input_noise` and `mixup` are used.
        masked: Whether the second half of the inputs is a mask.

    Source: Zhang et al. (2018), arXiv 1710.09412.
    """
    steps = with_noise(batch.steps, settings.input_noise, masked) if settings.input_noise else batch.steps
    if not settings.mixup:
        return Shown(steps, batch.last_class, ((1.0, batch),))
    share = float(torch.distributions.Beta(settings.mixup, settings.mixup).sample())
    other = torch.randperm(len(steps)).to(steps.device)
    partner = replace(batch, low=batch.low[other], high=batch.high[other], weight=batch.weight[other])
    mixed = share * steps + (1 - share) * steps[other]
    return Shown(mixed, batch.last_class, ((share, batch), (1 - share, partner)))


def with_noise(steps: Tensor, size: float, masked: bool) -> Tensor:
    """Inputs with Gaussian noise of a standard deviation on the scaled values; a mask stays as it is."""
    noise = size * torch.randn_like(steps)
    if masked:
        noise[:, :, steps.shape[2] // 2 :] = 0.0
    return steps + noise


def _in_halves(descent: Descent, shown: Shown, n_windows: int) -> Tensor:
    """The same step in twice as many parts, if that has not been done before."""
    settings = descent.settings
    if descent.parts == settings.accumulate and settings.loss not in WHOLE_BATCH and len(shown.steps) >= 4:
        descent.parts = 2 * settings.accumulate
        torch.cuda.empty_cache()
        try:
            return add_gradients(descent, shown, n_windows)
        except torch.OutOfMemoryError:
            pass
    at_once = -(-len(shown.steps) // descent.parts)
    raise FlarecastError(
        f"device memory: expected room for {at_once} windows at once, got too little; lower "
        "train.batch_size, raise train.accumulate, choose a smaller network, or use --device cpu"
    )

"""What a network is fitted to: windows, loss, averaging, and how long."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from flarecast.averaging import Averaging
from flarecast.batches import Sample, WindowTensors
from flarecast.config.sections import Train
from flarecast.losses import Loss


@dataclass(frozen=True)
class Plan:
    """How long to train where no validation windows say it: epochs of descent, then of averaging.

    `average` says whether an average along the descent is what is kept, where there is one.
    """

    descent: int
    averaging: int
    average: bool = True


@dataclass(frozen=True)
class Beside:
    """Trainings that go through their epochs together with one.

    Attributes:
        number: How many they are, that one counted.
        tensors: Rows and windows that another has on the device already; they are the same for all.
        checkpoints: What each would write as a checkpoint of its own, by the training's identity; whoever
            runs them writes all at once. None: each writes its own.
    """

    number: int = 1
    tensors: WindowTensors | None = None
    checkpoints: dict[str, dict[str, Any]] | None = None


NOBODY = Beside()


@dataclass(frozen=True)
class Task:
    """What is to be fitted.

    Attributes:
        train: Windows that an epoch goes through, balanced.
        redraw: Windows of an epoch by its number, from 0, where each has its own; None: all have `train`.
        natural: The train windows as they are, for batch norm.
        validation: Windows that decide when to stop and what to keep; None where a plan does.
        loss: Entry of `LOSSES`.
        averaging: What an entry of `AVERAGINGS` gives; None: nothing is averaged.
        log_correction: Log of natural over trained class priors, added to logits before validation, so
            that a balanced model is not judged by the prior that balancing gave it; shape (class,).
        settings: Section `train` of the configuration.
        plan: Epochs to train where there is no validation; what is last, or averaged, is kept.
        after_epoch: Called with the network and the epochs done, before the checkpoint is written.
    """

    train: Sample
    natural: Sample
    validation: Sample | None
    loss: Loss
    averaging: Averaging | None
    log_correction: Tensor
    settings: Train
    plan: Plan | None = None
    redraw: Callable[[int], Sample] | None = None
    after_epoch: Callable[[nn.Module, int], None] | None = None

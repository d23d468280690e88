"""What a training may use; none of it changes what is trained, but for the device."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Processes:
    """The processes of a training that torchrun started.

    Attributes:
        rank: Number of this one, from 0.
        size: How many there are.
        patient: Group of all that waits long for each other (`torch.distributed`).
    """

    rank: int = 0
    size: int = 1
    patient: Any = None


ALONE_IN_TRAINING = Processes()
"""No torchrun."""


def started_together() -> int:
    """How many processes torchrun, or whatever sets its variables, started; 1 without."""
    if {"RANK", "WORLD_SIZE", "MASTER_ADDR"} <= set(os.environ):
        return int(os.environ["WORLD_SIZE"])
    return 1


def end_with_parent() -> None:
    """Let this worker end when the process that started it is killed, and cannot tell it to.

    It would go on writing folders that the same command, given again, writes too, and then wait forever.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@dataclass(frozen=True)
class Resources:
    """Device, processes, and who is told.

    Attributes:
        device: auto, cpu or cuda.
        workers: Processes that train at the same time.
        progress: Called after each epoch of a training in this process with epochs done, epochs planned,
            and the line of the history.
        say: Told sentences that a user should know.
        processes: Those that torchrun started.
    """

    device: str = "auto"
    workers: int = 1
    progress: Callable[[int, int, dict[str, Any]], None] | None = None
    say: Callable[[str], object] = str
    processes: Processes = ALONE_IN_TRAINING


ALONE = Resources()
"""One process, on CUDA where there is some, and nobody is told."""

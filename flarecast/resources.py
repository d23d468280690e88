"""What a training may use; none of it changes what is trained, but for the device."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Resources:
    """Device, processes, and who is told.

    Attributes:
        device: auto, cpu or cuda.
        workers: Processes that train at the same time.
        progress: Called after each epoch of a training in this process with epochs done, epochs planned,
            and the line of the history.
        say: Told sentences that a user should know.
    """

    device: str = "auto"
    workers: int = 1
    progress: Callable[[int, int, dict[str, Any]], None] | None = None
    say: Callable[[str], object] = str


ALONE = Resources()
"""One process, on CUDA where there is some, and nobody is told."""

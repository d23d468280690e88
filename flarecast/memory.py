"""Memory of a device: whether rows fit into it, and one sentence where it is too small."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from flarecast.errors import FlarecastError

HOST = torch.device("cpu")


def place_of_rows(
    values: NDArray[np.float32], step_rows: NDArray[np.int64], device: torch.device, share: float
) -> torch.device:
    """Where rows and windows go: to the device, or to the host if they are larger than a share of its memory.

    Args:
        values: Scaled rows, shape (row, feature).
        step_rows: Row of each step, shape (window, step).
        device: Where the model is.
        share: Of the memory that is free on the device now, from 0 to 1.
    """
    if device.type == "cpu" or size_on_device(values, step_rows) <= share * free_memory(device):
        return device
    return HOST


def size_on_device(values: NDArray[np.float32], step_rows: NDArray[np.int64]) -> int:
    """Bytes of the tensors that `batches.to_device` makes of rows and windows, with gaps."""
    of_values = 4 + 4 * bool(np.isnan(values).any())  # a value, and where it comes from
    return of_values * values.size + 4 * step_rows.size + 12 * len(step_rows)


def free_memory(device: torch.device) -> int:
    """Bytes that are free on a CUDA device."""
    return int(torch.cuda.mem_get_info(device)[0])


@contextmanager
def enough_memory(what: str, remedy: str) -> Iterator[None]:
    """Say in one sentence that the device's memory is too small for what is done in the block.

    Raises:
        FlarecastError: It is.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise FlarecastError(f"device memory: expected room for {what}, got too little; {remedy}") from error

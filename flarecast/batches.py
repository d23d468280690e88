"""Windows on a device: rows once, batches by gathering indices, gaps filled while gathering.

Rows may lie in the host's memory instead: batches are then gathered there and sent, without waiting, from
pages that CUDA reads by itself, while the device still works on those before.

Inside a window a missing value is the last one before it in the same window, and 0 (the training mean after
scaling) where there was none. Nothing is carried into a window from before its start: that would use data
older than the model was told it would see.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flarecast.errors import FlarecastError


@dataclass(frozen=True)
class WindowTensors:
    """Windows of one file on a device.

    Attributes:
        values: Scaled rows, gaps filled with the track's last value, then a row of 0, shape
            (row + 1, feature).
        origin: Row that each value really comes from, shape (row + 1, feature); None where nothing is
            missing.
        step_rows: Row of each step, carried forward over absent steps; the last row before the first,
            shape (window, step).
        first_row: First row of each window, shape (window,).
        last_class: Class of the latest known outcome, -1 if none, shape (window,).
        masked: Whether a model is told which values were observed.
        device: Where batches go, which may not be where the rows lie.
    """

    values: Tensor
    origin: Tensor | None
    step_rows: Tensor
    first_row: Tensor
    last_class: Tensor
    masked: bool
    device: torch.device


@dataclass(frozen=True)
class Sample:
    """Windows to fit or validate on: numbers in a `WindowTensors`, outcomes, weights; each of shape (n,)."""

    tensors: WindowTensors
    index: Tensor
    low: Tensor
    high: Tensor
    weight: Tensor

    def __len__(self) -> int:
        """Number of windows, repeats counted."""
        return len(self.index)


@dataclass(frozen=True)
class Batch:
    """What one step works on: steps (b, n_steps, n_inputs) of `gather_inputs`, the rest (b,)."""

    steps: Tensor
    last_class: Tensor
    low: Tensor
    high: Tensor
    weight: Tensor


@contextmanager
def cpu_threads(number: int) -> Iterator[None]:
    """Let torch use so many threads on the CPU inside the block; the sums of a batch depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def choose_device(name: str) -> torch.device:
    """Device of a name: `cpu`, `cuda`, or `auto` for CUDA where there is one.

    Raises:
        FlarecastError: No such name, or no CUDA device.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise FlarecastError(f"device: expected auto, cpu or cuda, got {name!r}")
    there = name != "cpu" and torch.cuda.is_available()
    if name == "cuda" and not there:
        raise FlarecastError("device: expected a CUDA device, found none; use --device cpu")
    return torch.device("cuda" if there else "cpu")


def to_device(
    values: NDArray[np.float32],
    step_rows: NDArray[np.int64],
    last_class: NDArray[np.int64],
    device: torch.device,
    masked: bool = False,
    rows_on: torch.device | None = None,
) -> WindowTensors:
    """Put rows and windows on a device, or where batches for it are gathered.

    The scan for the last value is done here, once for all windows, over rows; a gathered value whose origin
    lies before its window is dropped at gather time. This needs no scan over steps in the training loop.

    Args:
        values: Scaled rows, NaN = missing, ascending in time inside each track, shape (row, feature).
        step_rows: Row of each step, -1 = absent, shape (window, step).
        last_class: Class of the latest known outcome, -1 if none, shape (window,).
        device: Where batches go.
        masked: Whether a model is told which values were observed.
        rows_on: Where the rows lie; on the device itself if None.
    """
    rows_on = device if rows_on is None else rows_on
    n_rows = len(values)
    values = np.concatenate([values, np.zeros((1, values.shape[1]), dtype=np.float32)])
    missing = np.isnan(values)
    origin = np.where(missing, np.int32(-1), np.arange(n_rows + 1, dtype=np.int32)[:, None])
    np.maximum.accumulate(origin, axis=0, out=origin)
    row, feature = np.nonzero(missing)
    source = origin[row, feature]
    values[row, feature] = np.where(source < 0, np.float32(0), values[source, feature])
    # Rows of a window ascend, so a running maximum carries the last one over absent steps.
    carried = np.maximum.accumulate(step_rows, axis=1)
    first = np.where(step_rows < 0, n_rows, step_rows).min(axis=1, initial=n_rows)
    carried = np.where(carried < 0, n_rows, carried)
    return WindowTensors(
        values=torch.from_numpy(values).to(rows_on),
        origin=torch.from_numpy(origin).to(rows_on) if missing.any() else None,
        step_rows=torch.from_numpy(carried.astype(np.int32)).to(rows_on),
        first_row=torch.from_numpy(first.astype(np.int32)).to(rows_on),
        last_class=torch.from_numpy(last_class.astype(np.int64)).to(rows_on),
        masked=masked,
        device=device,
    )


def with_windows(tensors: WindowTensors, steps: Tensor, last_class: Tensor) -> WindowTensors:
    """The same windows, and more behind them that have rows of their own.

    All their values count as observed.

    Args:
        tensors: Windows of a file.
        steps: Scaled and filled steps of more, shape (n, n_steps, n_features).
        last_class: Class of their latest known outcome, -1 if none, shape (n,).
    """
    n_rows, n_more = len(tensors.values) - 1, steps.shape[0] * steps.shape[1]
    more = torch.arange(n_rows, n_rows + n_more, dtype=torch.int32, device=steps.device)
    more_rows = more.view(steps.shape[:2])
    # The row of 0 stays the last one.
    before = torch.where(tensors.step_rows == n_rows, n_rows + n_more, tensors.step_rows)
    first_row = torch.where(tensors.first_row == n_rows, n_rows + n_more, tensors.first_row)
    flat = steps.reshape(n_more, steps.shape[2])
    values = torch.cat([tensors.values[:n_rows], flat, tensors.values[n_rows:]])
    origin = tensors.origin
    if origin is not None:
        itself = more[:, None].expand(-1, flat.shape[1])
        last = origin[n_rows:].clone()
        origin = torch.cat([origin[:n_rows], itself, torch.where(last == n_rows, n_rows + n_more, last)])
    return WindowTensors(
        values=values,
        origin=origin,
        step_rows=torch.cat([before, more_rows]).to(torch.int32),
        first_row=torch.cat([first_row, more_rows[:, 0]]).to(torch.int32),
        last_class=torch.cat([tensors.last_class, last_class]),
        masked=tensors.masked,
        device=tensors.device,
    )


def gather_steps(tensors: WindowTensors, index: Tensor) -> Tensor:
    """Scaled and filled values of some windows, shape (n, n_steps, n_features), float32, never NaN."""
    rows = tensors.step_rows.index_select(0, index)
    flat = rows.view(-1)
    steps = tensors.values.index_select(0, flat)
    if tensors.origin is not None:
        first = tensors.first_row.index_select(0, index).repeat_interleave(rows.shape[1])
        steps.masked_fill_(tensors.origin.index_select(0, flat) < first[:, None], 0.0)
    return steps.view(*rows.shape, -1)


def gather_inputs(tensors: WindowTensors, index: Tensor) -> Tensor:
    """What a model sees of some windows on the device, shape (n, n_steps, n_inputs), float32, never NaN.

    The values of `gather_steps`; where the windows are masked, behind them a 1 for each that was observed at
    its own step, 0 for each that was filled: n_inputs is then twice the number of features.
    """
    index = index.to(tensors.values.device)
    steps = gather_steps(tensors, index)
    if not tensors.masked:
        return send(steps, tensors.device)
    rows = tensors.step_rows.index_select(0, index)
    there = rows < len(tensors.values) - 1
    there[:, 1:] &= rows[:, 1:] != rows[:, :-1]  # rows of a window ascend: a repeat was carried forward
    observed = there[:, :, None].expand_as(steps)
    if tensors.origin is not None:
        flat = rows.view(-1)
        own = tensors.origin.index_select(0, flat) == flat[:, None]
        observed = observed & own.view_as(steps)
    return send(torch.cat([steps, observed.to(steps.dtype)], dim=2), tensors.device)


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device; from the host's memory to CUDA nobody waits for it."""
    if tensor.device.type == "cpu" and device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def has_values(tensors: WindowTensors) -> Tensor:
    """Whether a window holds any value at all, shape (window,), bool.

    Values are carried forward, so the last step shows it.
    """
    last = tensors.step_rows[:, -1]
    there = last < len(tensors.values) - 1
    if tensors.origin is not None:
        there &= (tensors.origin.index_select(0, last) >= tensors.first_row[:, None]).any(dim=1)
    return there


def take(sample: Sample, place: Tensor) -> Batch:
    """Windows of a sample, on its device, by their place in it, shape (b,), on any."""
    place, device = place.to(sample.index.device), sample.tensors.device
    index = sample.index.index_select(0, place)
    return Batch(
        steps=gather_inputs(sample.tensors, index),
        last_class=send(sample.tensors.last_class.index_select(0, index), device),
        low=send(sample.low.index_select(0, place), device),
        high=send(sample.high.index_select(0, place), device),
        weight=send(sample.weight.index_select(0, place), device),
    )


def ordered(sample: Sample, size: int) -> Iterator[Batch]:
    """All windows of a sample in order, `size` at a time."""
    for place in torch.split(torch.arange(len(sample), device=sample.index.device), size):
        yield take(sample, place)


def shuffled(n: int, size: int, generator: torch.Generator) -> list[Tensor]:
    """Places 0 to n - 1 in random order, `size` at a time.

    A last batch of one joins the one before it: batch norm knows no spread of a single value.
    """
    batches = list(torch.split(torch.randperm(n, generator=generator), size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches

"""What the processes of one training, started by torchrun, share out and tell each other.

Each holds the whole network and takes its part of every batch; the gradients are added up before the step, so
that all take the same. That is what torch's DistributedDataParallel does, in one message a step instead of
several: the networks here are small, and batches in parts, a device that is too small for one, and processes
without a window of a batch need no rule of their own. A process that is alone tells nobody anything.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

from flarecast.batches import choose_device
from flarecast.errors import FlarecastError
from flarecast.resources import ALONE_IN_TRAINING, Processes, started_together

BETWEEN_STEPS = timedelta(minutes=10)
"""Who says nothing for so long in the middle of an epoch is taken for dead."""

BETWEEN_TRAININGS = timedelta(days=7)
"""Others may train for long; one that dies is noticed at once, as its connections close."""

FIRST = 0
"""Rank of the process that writes files and speaks."""


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """Join the other processes that torchrun started; alone without it.

    Args:
        device: auto, cpu or cuda; on CUDA each process of a machine takes a GPU of its own.

    Raises:
        FlarecastError: A machine has fewer GPUs than processes, or the others cannot be reached.
    """
    size = started_together()
    if size == 1:
        yield ALONE_IN_TRAINING
        return
    rank = int(os.environ["RANK"])
    on_cuda = choose_device(device).type == "cuda"
    if on_cuda:
        _take_gpu(int(os.environ.get("LOCAL_RANK", rank)))
    with _in_touch(size):
        backend = "cpu:gloo,cuda:nccl" if on_cuda else "gloo"
        distributed.init_process_group(backend, rank=rank, world_size=size, timeout=BETWEEN_STEPS)
        patient = distributed.new_group(backend="gloo", timeout=BETWEEN_TRAININGS)
    yield Processes(rank, size, patient)
    distributed.destroy_process_group()  # not after an error: the others may be gone


def my_part(processes: Processes, place: Tensor) -> Tensor:
    """This process's part of the windows of a batch, none for the last ones where there are too few.

    Parts are as large as each other, but for one window, and none holds a single one (`gradient.parts_of`).
    """
    n_parts = max(1, min(processes.size, len(place) // 2))
    return place.tensor_split(n_parts)[processes.rank] if processes.rank < n_parts else place[:0]


def add_up(processes: Processes, tensor: Tensor) -> Tensor:
    """Sum of a tensor over the processes, in place."""
    if processes.size > 1:
        with _in_touch(processes.size):
            distributed.all_reduce(tensor)
    return tensor


def add_up_gradients(processes: Processes, module: nn.Module) -> None:
    """Sum the gradients of all weights over the processes; a weight that nobody used still has none."""
    if processes.size == 1:
        return
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    used = [weight.grad is not None for weight in weights]
    counts = torch.tensor(used, dtype=torch.float32, device=weights[0].device)
    parts = [torch.zeros_like(one).ravel() if one.grad is None else one.grad.ravel() for one in weights]
    total = add_up(processes, torch.cat([counts, *parts]))
    if not any(used):  # a process that had no window learns it from the others, which need not wait for it
        used = (total[: len(weights)] > 0).tolist()
    of_weights = torch.split(total[len(weights) :], [weight.numel() for weight in weights])
    for weight, gradient, is_used in zip(weights, of_weights, used, strict=True):
        weight.grad = gradient.view_as(weight) if is_used else None


def take_weights_of_first(processes: Processes, module: nn.Module) -> None:
    """Give a module the weights and buffers that it has in the first process."""
    if processes.size > 1:
        with _in_touch(processes.size):
            for value in module.state_dict().values():
                distributed.broadcast(value, FIRST)


@torch.no_grad()
def average_statistics(processes: Processes, module: nn.Module, weight: float) -> None:
    """Average batch-norm statistics over the processes.

    Args:
        processes: Those of the training.
        module: Whose buffers are averaged; counters are taken from the first process.
        weight: How much the statistics of this process count, 0 for nothing.
    """
    norms = [one for one in module.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)]
    held = [one for norm in norms for one in (norm.running_mean, norm.running_var) if one is not None]
    if processes.size == 1 or not held:
        return
    flat = torch.cat([held[0].new_ones(1), *held])
    total = add_up(processes, weight * flat if weight else torch.zeros_like(flat))
    means = torch.split(total[1:] / total[0], [len(one) for one in held])
    for statistic, mean in zip(held, means, strict=True):
        statistic.copy_(mean)
    with _in_touch(processes.size):
        for norm in norms:
            if norm.num_batches_tracked is not None:
                distributed.broadcast(norm.num_batches_tracked, FIRST)


def all_states(processes: Processes, state: Tensor) -> list[Tensor]:
    """A tensor of the CPU as each process has it, by rank."""
    if processes.size == 1:
        return [state]
    found = [torch.empty_like(state) for _ in range(processes.size)]
    with _in_touch(processes.size):
        distributed.all_gather(found, state)
    return found


def bytes_of_first(processes: Processes, content: bytes) -> bytes:
    """What the first process holds; the others' own is not looked at."""
    if processes.size == 1:
        return content
    size = torch.tensor(len(content))
    with _in_touch(processes.size):
        distributed.broadcast(size, FIRST)
        sent = torch.zeros(int(size), dtype=torch.uint8)
        if processes.rank == FIRST and content:
            sent = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        distributed.broadcast(sent, FIRST)
    return sent.numpy().tobytes()


def wait_for_all(processes: Processes, failed: str = "") -> str:
    """Wait, however long, until all processes are here.

    Args:
        processes: Those of the training.
        failed: What went wrong in this one, if anything.

    Returns:
        What went wrong in the first of those in which something did; empty if all is well.
    """
    if processes.size == 1:
        return failed
    content = failed.encode()[:LONGEST].ljust(LONGEST)
    mine = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    found = [torch.empty_like(mine) for _ in range(processes.size)]
    with _in_touch(processes.size):
        distributed.all_gather(found, mine, group=processes.patient)
    said = [one.numpy().tobytes().decode(errors="ignore").strip() for one in found]
    return next((sentence for sentence in said if sentence), "")


LONGEST = 2000
"""Bytes of a sentence that one process tells the others."""


def _take_gpu(number: int) -> None:
    """Let this process use one GPU of its machine."""
    if number >= torch.cuda.device_count():
        raise FlarecastError(
            f"torchrun: expected at most one process a GPU, got process {number + 1} on a machine with "
            f"{torch.cuda.device_count()}; lower --nproc-per-node, or use --device cpu"
        )
    torch.cuda.set_device(number)


@contextmanager
def _in_touch(size: int) -> Iterator[None]:
    """Say in one sentence that another process is gone."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, ValueError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise FlarecastError(
            f"torchrun: expected {size} processes at work, lost touch with one ({reason}); look at what it "
            "said last, then give the same command again: a training goes on from its last epoch"
        ) from error

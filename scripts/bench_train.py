"""Time of a training epoch against a bare torch loop over a ready tensor; the ratio is to be at most 1.15.

Both do the same steps: an LSTM of 2 x 64 on 60 x 24 windows, the same optimiser, batch size and loss, on the
CPU. Ours gathers rows by index in random order, fills gaps and clips gradients; the bare loop slices a tensor
of windows that lies ready in memory, in order. Short epochs alternate, first one then the other in front, so
that both see the same machine.
"""

import argparse
import time

import numpy as np
import torch
from torch.optim import AdamW

from flarecast.batches import Sample, gather_steps, to_device
from flarecast.losses import LOSSES
from flarecast.models import load_builder
from flarecast.models.shape import Shape
from flarecast.passes import train_epoch
from flarecast.sections import Train
from flarecast.task import Task
from flarecast.training_state import State

LIMIT = 1.15
N_STEPS, N_FEATURES, N_CLASSES, STRIDE = 60, 24, 4, 5


def make_task(n_windows: int, missing: float, rng: np.random.Generator) -> Task:
    """Overlapping windows of one long track, a share of the cells missing."""
    n_rows = n_windows * STRIDE + N_STEPS
    values = rng.normal(size=(n_rows, N_FEATURES)).astype(np.float32)
    values[rng.random(values.shape) < missing] = np.nan
    step_rows = np.arange(n_windows)[:, None] * STRIDE + np.arange(N_STEPS)
    tensors = to_device(values, step_rows, np.full(n_windows, -1), torch.device("cpu"))
    classes = torch.from_numpy(rng.integers(0, N_CLASSES, n_windows))
    sample = Sample(tensors, torch.arange(n_windows), classes, classes, torch.ones(n_windows))
    return Task(sample, sample, sample, LOSSES["cross_entropy"], None, torch.zeros(N_CLASSES), Train())


def bare_epoch(module: torch.nn.Module, optimizer: AdamW, task: Task, steps: torch.Tensor) -> None:
    """The least that trains: slices of a ready tensor."""
    sample, size = task.train, task.settings.batch_size
    module.train()
    for start in range(0, len(sample), size):
        batch = slice(start, start + size)
        optimizer.zero_grad(set_to_none=True)
        logits = module(steps[batch], sample.tensors.last_class[batch])
        task.loss(logits, sample.low[batch], sample.high[batch], sample.weight[batch]).backward()
        optimizer.step()


def ratio(n_windows: int, missing: float, repeats: int) -> tuple[float, float, float]:
    """Seconds of the fastest of our epochs and of the bare ones, and their ratio.

    What else runs on the machine only ever slows an epoch down, so the fastest is the one to compare.
    """
    task = make_task(n_windows, missing, np.random.default_rng(0))
    steps = gather_steps(task.train.tensors, task.train.index)
    build = load_builder("lstm")
    modules = [build(Shape(N_FEATURES, N_STEPS, N_CLASSES)) for _ in range(2)]
    optimizers = [AdamW(module.parameters(), lr=1e-3) for module in modules]
    generator = torch.Generator().manual_seed(0)
    state = State(modules[0], optimizers[0], generator, lambda _: 1e-3)
    ours, bare = [], []
    for repeat in range(repeats + 1):
        seconds = {}
        for which in ("ours", "bare") if repeat % 2 else ("bare", "ours"):
            start = time.perf_counter()
            if which == "ours":
                train_epoch(state, task)
            else:
                bare_epoch(modules[1], optimizers[1], task, steps)
            seconds[which] = time.perf_counter() - start
        if repeat:  # the first pair warms up
            ours.append(seconds["ours"])
            bare.append(seconds["bare"])
    return min(ours), min(bare), min(ours) / min(bare)


def main() -> int:
    """Print one line a case; exit 1 where the ratio is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--windows", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    worst = 0.0
    for name, missing in (("complete", 0.0), ("5 % missing", 0.05)):
        ours, bare, quotient = ratio(arguments.windows, missing, arguments.repeats)
        worst = max(worst, quotient)
        print(
            f"train epoch, {arguments.windows} windows 60 x 24, {name}: ours {ours:.3f} s, "
            f"bare {bare:.3f} s, ratio {quotient:.3f} (at most {LIMIT}), "
            f"{arguments.windows / ours:,.0f} windows/s"
        )
    return int(worst > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())

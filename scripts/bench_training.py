"""Time of training epochs and of inference against bare torch loops over ready tensors, in the same run.

    python scripts/bench_training.py [--windows 512] [--repeats 3] [--inference 100000] [--network lstm ...]

Every network, with its own defaults, on 60 x 24 windows: an epoch is its optimiser steps; validation and the
refresh of batch norm are timed apart. Ours gathers rows by index in random order, fills gaps, clips
gradients and looks at the losses; the bare loop slices a tensor of windows that lies ready in memory, in
order. Short epochs alternate, one first and then the other, so that both see the same machine, and the
fastest are compared by the processor's time on one thread, to which other work on the machine adds little.

Where CUDA is, an LSTM of 2 x 128 and the CNN train on 200,000 windows there, and what they compute in a
second is compared with the card's own plain matrix products and copies. `--card cpu` tries that part without
a card.
"""

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from flarecast import schema
from flarecast.batches import Sample, cpu_threads, gather_inputs, to_device
from flarecast.config import parse_config
from flarecast.config.sections import Train
from flarecast.forecast import BATCH, class_probability
from flarecast.losses import LOSSES
from flarecast.model_file import TrainedModel
from flarecast.models import load_builder, takes_mask
from flarecast.models.shape import Shape
from flarecast.scale import Scaler
from flarecast.train.gradient import build_optimizer
from flarecast.train.passes import VALIDATION_BATCH, refresh, train_epoch, validation_loss
from flarecast.train.precision import casting, deterministic_algorithms, matrix_products, precision_on
from flarecast.train.task import Task
from flarecast.train.training_state import State
from flarecast.windows import cut

NETWORKS = ("lstm", "gru", "cnn", "resnet", "inception_time", "cnn_lstm", "transformer")
ON_CARD = {"lstm": {"hidden": 128, "layers": 2}, "cnn": {}}
MOST_OF_BARE, LEAST_OF_BARE = 1.1, 0.9
N_STEPS, N_FEATURES, N_CLASSES, STRIDE = 60, 24, 4, 5
EVENTS = ("C1.0", "M1.0", "X1.0")
MISSING = 0.05


def make_task(n_windows: int, masked: bool, device: torch.device, settings: Train) -> Task:
    """Overlapping windows of one long track, one cell of twenty missing."""
    rng = np.random.default_rng(0)
    n_rows = n_windows * STRIDE + N_STEPS
    values = rng.normal(size=(n_rows, N_FEATURES)).astype(np.float32)
    values[rng.random(values.shape, dtype=np.float32) < MISSING] = np.nan
    step_rows = np.arange(n_windows)[:, None] * STRIDE + np.arange(N_STEPS)
    tensors = to_device(values, step_rows, np.full(n_windows, -1), device, masked)
    classes = torch.from_numpy(rng.integers(0, N_CLASSES, n_windows)).to(device)
    index = torch.arange(n_windows, device=device)
    sample = Sample(tensors, index, classes, classes, torch.ones(n_windows, device=device))
    correction = torch.zeros(N_CLASSES, device=device)
    return Task(sample, sample, sample, LOSSES["cross_entropy"], None, correction, settings)


def build(name: str, options: dict, device: torch.device) -> nn.Module:
    torch.manual_seed(0)
    return load_builder(name)(Shape(N_FEATURES, N_STEPS, N_CLASSES), **options).to(device)


def bare_epoch(module: nn.Module, optimizer: torch.optim.Optimizer, task: Task, steps: Tensor) -> None:
    """The least that trains: slices of a ready tensor."""
    sample, settings = task.train, task.settings
    precision = precision_on(steps.device, settings.precision)
    module.train()
    for start in range(0, len(sample), settings.batch_size):
        batch = slice(start, start + settings.batch_size)
        optimizer.zero_grad(set_to_none=True)
        with casting(steps.device, precision):
            logits = module(steps[batch], sample.tensors.last_class[batch])
        task.loss(logits.float(), sample.low[batch], sample.high[batch], sample.weight[batch]).backward()
        optimizer.step()


def bare_pass(module: nn.Module, task: Task, steps: Tensor, size: int) -> Tensor:
    """The least that forecasts: slices of a ready tensor."""
    module.eval()
    with torch.inference_mode():
        return torch.cat(
            [
                torch.softmax(module(some, task.train.tensors.last_class[: len(some)]).double(), dim=1)
                for some in steps.split(size)
            ]
        )


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """Time of the processor, which others on the machine add little to; on a card, of the clock."""
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    start = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def fastest(pairs: dict[str, Callable[[], object]], repeats: int, device: torch.device) -> dict[str, float]:
    """Seconds of the fastest turn of each piece of work; in each turn another goes first."""
    found: dict[str, list[float]] = {name: [] for name in pairs}
    for repeat in range(repeats + 1):
        for name in list(pairs)[:: 1 if repeat % 2 else -1]:
            seconds = seconds_of(pairs[name], device)
            if repeat:  # the first turn warms up
                found[name].append(seconds)
    return {name: min(seconds) for name, seconds in found.items()}


def epochs_of(name: str, options: dict, task: Task) -> dict[str, Callable[[], object]]:
    """Our epoch and the bare one, each with a network and an optimiser of its own."""
    device = task.log_correction.device
    steps = gather_inputs(task.train.tensors, task.train.index)
    modules = [build(name, options, device) for _ in range(2)]
    ours, bare = (build_optimizer(module.parameters(), task.settings) for module in modules)
    state = State(modules[0], ours, torch.Generator().manual_seed(0), lambda _: 1e-3)
    return {
        "ours": lambda: train_epoch(state, task),
        "bare": lambda: bare_epoch(modules[1], bare, task, steps),
        "validation": lambda: validation_loss(modules[0], task),
        "bare pass": lambda: bare_pass(modules[1], task, steps, VALIDATION_BATCH),
        "refresh": lambda: refresh(modules[0], task, torch.Generator()),
    }


def on_cpu(names: list[str], n_windows: int, repeats: int) -> Iterator[float]:
    """Print a line a network; gives its ratio to the bare loop."""
    for name in names:
        task = make_task(n_windows, takes_mask(name, {}), torch.device("cpu"), Train())
        found = fastest(epochs_of(name, {}, task), repeats, torch.device("cpu"))
        ratio = found["ours"] / found["bare"]
        print(
            f"{name}: epoch of {n_windows} windows 60 x 24, {MISSING:.0%} missing: ours "
            f"{found['ours']:.3f} s, bare {found['bare']:.3f} s, ratio {ratio:.3f} (at most {MOST_OF_BARE}); "
            f"apart: validation {found['validation']:.3f} s (bare pass {found['bare pass']:.3f} s), "
            f"batch norm {found['refresh']:.3f} s; {n_windows / found['ours']:,.0f} windows/s",
            flush=True,
        )
        yield ratio


def make_windows(n_windows: int) -> xr.Dataset:
    """A windows file in memory: regions of a hundred windows each, an hour apart, every cell there."""
    rng, hour = np.random.default_rng(0), 3600
    track = np.arange(n_windows) // 100
    n_rows = (track[-1] + 1) * (100 + N_STEPS)
    row_track = np.arange(n_rows) // (100 + N_STEPS)
    time_of_row = np.arange(n_rows) * hour
    issue = time_of_row.reshape(-1, 100 + N_STEPS)[:, N_STEPS:].ravel()[:n_windows]
    first, count = cut(time_of_row, row_track, issue, track, N_STEPS * hour)
    peak = rng.choice([0.0, 3e-6, 3e-5], n_windows)
    none = np.full(n_windows, schema.NO_TIME)
    arrays = {
        "values": rng.normal(size=(n_rows, N_FEATURES)).astype(np.float32),
        "feature": [f"feature {number}" for number in range(N_FEATURES)],
        "feature_unit": ["1"] * N_FEATURES,
        "feature_memory_hours": np.zeros(N_FEATURES),
        **{"time": time_of_row, "track": row_track, "first_row": first, "n_rows": count},
        **{"issue_time": issue, "valid_from": issue, "valid_to": issue + 24 * hour},
        **{"region": [f"SIM {number}" for number in track], "noaa_regions": [""] * n_windows},
        **{"peak_flux": peak, "peak_flux_upper": np.maximum(peak, 9.9e-7)},
        **{"unassigned_peak_flux": np.zeros(n_windows), "flare_start": none, "flare_peak": none},
        **{"flare_id": [""] * n_windows, "flux_scale": np.zeros(n_windows), "partition": np.zeros(n_windows)},
    }
    texts = dict.fromkeys(("source", "source_files", "context_features", "history"), "bench")
    numbers = {"n_steps": N_STEPS, "cadence_minutes": 60.0, "lead_hours": 0.0, "horizon_hours": 24.0}
    return schema.build(
        schema.WINDOWS, arrays, {**texts, **numbers, "latency_minutes": 0.0, "sampling": "natural"}
    )


def inference(name: str, n_windows: int) -> float:
    """Print how fast a file's windows are forecast, from rows to probabilities; gives the share of bare."""
    windows, cpu = make_windows(n_windows), torch.device("cpu")
    module, nothing = build(name, {}, cpu), np.zeros(N_FEATURES)
    config = parse_config({"model": {"name": name}})
    model = TrainedModel(
        module=module,
        scaler=Scaler("standard", nothing + 1, nothing, nothing + 1),
        features=tuple(windows["feature"].values),
        events=EVENTS,
        n_steps=N_STEPS,
        **{"cadence_minutes": 60.0, "lead_hours": 0.0, "horizon_hours": 24.0},
        **dict.fromkeys(("prior_natural", "prior_trained"), np.full(N_CLASSES, 0.25)),
        training_base_rate=np.full(len(EVENTS), 0.1),
        config=config.resolved(),
        model_name=name,
        model_options={},
        unassigned="mask",
        training={},
    )
    occurred = np.zeros((n_windows, len(EVENTS)), dtype=np.int8)
    task = make_task(BATCH, False, cpu, Train())
    rows = windows["first_row"].values[:, None] + np.arange(N_STEPS)
    steps = torch.from_numpy(windows["values"].values[rows])
    work = {
        "bare": lambda: bare_pass(module, task, steps, BATCH),
        "ours": lambda: class_probability(windows, model, occurred, "cpu"),
    }
    few = np.arange(min(n_windows, BATCH))  # the same forecasts; and the first turn, which warms up
    ours = class_probability(windows, model, occurred, "cpu", few)
    np.testing.assert_allclose(ours, bare_pass(module, task, steps[: len(few)], BATCH).numpy(), atol=1e-6)
    found = {one: seconds_of(work[one], cpu) for one in work}
    share = found["bare"] / found["ours"]
    print(
        f"{name}: inference of {n_windows:,} windows: ours {found['ours']:.2f} s, bare "
        f"{found['bare']:.2f} s, {share:.2f} of the bare speed (at least {LEAST_OF_BARE})",
        flush=True,
    )
    return share


def plain_speed(device: torch.device, precision: str, size: int) -> tuple[float, float]:
    """What the card reaches in plain operations: FLOP/s of a matrix product, bytes/s of a copy."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    square = torch.randn(size, size, device=device, dtype=dtype)
    target = torch.empty(8 * size, size, device=device)
    source = torch.ones_like(target)
    work = {"product": lambda: square @ square, "copy": lambda: target.copy_(source)}
    found = fastest(work, 5, device)
    return 2 * size**3 / found["product"], 2 * target.nbytes / found["copy"]


def flops_of_epoch(name: str, module: nn.Module, steps: Tensor, n_windows: int) -> float:
    """Operations of an epoch's products: those of a forward pass, and twice as many backward."""
    if name == "lstm":  # cuDNN's kernel is one operation, which the counter cannot look into
        hidden = ON_CARD["lstm"]["hidden"]
        sizes = [4 * hidden * (hidden + n_inputs) for n_inputs in (N_FEATURES, hidden)]
        return 3 * 2.0 * sum(sizes) * N_STEPS * n_windows
    with FlopCounterMode(display=False) as counter:
        module(steps, torch.zeros(len(steps), device=steps.device))
    return 3 * counter.get_total_flops() / len(steps) * n_windows


def on_card(device: torch.device, n_windows: int, batch: int, size: int) -> None:
    """Print seconds an epoch on a card, beside the bare loop and the card's own speed, in each precision."""
    for precision in ("float32", "tf32", "bf16"):
        settings = Train(precision=precision, batch_size=batch)
        with (
            deterministic_algorithms(settings.deterministic, device),
            matrix_products(precision_on(device, precision)),
        ):
            flops, bandwidth = plain_speed(device, precision, size)
            for name, options in ON_CARD.items():
                task = make_task(n_windows, False, device, settings)
                work = epochs_of(name, options, task)
                found = fastest({one: work[one] for one in ("ours", "bare")}, 3, device)
                steps = gather_inputs(task.train.tensors, task.train.index[:64])
                reached = flops_of_epoch(name, build(name, options, device), steps, n_windows) / found["ours"]
                share = found["bare"] / found["ours"]
                print(
                    f"{name} {options or ''} in {precision}, batches of {batch}: {found['ours']:.2f} s "
                    f"an epoch of {n_windows:,} windows (aim: under 1), {share:.2f} of the bare loop "
                    f"(aim: {LEAST_OF_BARE}), {reached / 1e12:.2f} TFLOP/s, {reached / flops:.1%} of a plain "
                    f"product's {flops / 1e12:.1f}; plain copies {bandwidth / 1e9:.0f} GB/s",
                    flush=True,
                )


def main() -> int:
    """Print a line a case; exit 1 where a ratio misses its limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--windows", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--inference", type=int, default=100_000)
    parser.add_argument("--network", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--card", default="cuda")
    parser.add_argument("--card-windows", type=int, default=200_000)
    parser.add_argument("--card-batch", type=int, default=2048)
    parser.add_argument("--card-size", type=int, default=8192)
    asked = parser.parse_args()
    with cpu_threads(1):
        slow = [ratio > MOST_OF_BARE for ratio in on_cpu(asked.network, asked.windows, asked.repeats)]
        if asked.inference:
            shares = [inference(name, asked.inference) for name in ("lstm", "cnn")]
            slow += [share < LEAST_OF_BARE for share in shares]
    if asked.card == "cuda" and not torch.cuda.is_available():
        print("no GPU at hand: seconds an epoch on a card were not measured")
    else:
        on_card(torch.device(asked.card), asked.card_windows, asked.card_batch, asked.card_size)
    return int(any(slow))


if __name__ == "__main__":
    raise SystemExit(main())

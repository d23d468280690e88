"""Members: time to forecast with 20 of them against 20 single passes, and to train small networks together.

The forecast is `flarecast forecast` in one process, windows in memory: 20 networks of their own, and 20 that
differ in the last layer alone; the ratio to 20 forecasts with one network each is to be at most 1.2.

Training 20 small CNNs stacked (torch.func: one network over 20 sets of weights) against one after the other,
on the CPU, the same steps on the same batches: stacked training is worth its code from 2 times faster on.
"""

import argparse
import copy
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap

from flarecast.batches import cpu_threads
from flarecast.config import parse_config
from flarecast.forecast import event_probability
from flarecast.goes import occurred_table
from flarecast.ingest.simulated import ingest_simulated
from flarecast.model_file import TrainedModel
from flarecast.models import load_builder
from flarecast.models.shape import Shape
from flarecast.scale import fit

LIMIT, WORTH = 1.2, 2.0
N_MEMBERS, EVENTS = 20, ("C1.0", "M1.0", "X1.0")


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Time of the fastest of several runs: what else runs on the machine only ever slows one down."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def bench_forecast(n_regions: int, repeats: int) -> float:
    """Print the two ratios; returns the larger."""
    windows = ingest_simulated(None, np.random.default_rng(0), n_regions=n_regions)
    config = parse_config({"model": {"name": "lstm", "options": {"hidden": 32}}, "events": list(EVENTS)})
    values = windows["values"].values
    features = tuple(map(str, windows["feature"].values))
    shape = Shape(len(features), int(windows.attrs["n_steps"]), len(EVENTS) + 1)
    nothing = np.full(len(EVENTS) + 1, 0.25)
    model = TrainedModel(
        module=load_builder("lstm")(shape, hidden=32),
        scaler=fit(values, "standard"),
        features=features,
        events=EVENTS,
        n_steps=shape.n_steps,
        cadence_minutes=float(windows.attrs["cadence_minutes"]),
        lead_hours=float(windows.attrs["lead_hours"]),
        horizon_hours=float(windows.attrs["horizon_hours"]),
        prior_natural=nothing,
        prior_trained=nothing,
        training_base_rate=nothing[1:],
        config=config.resolved(),
        model_name="lstm",
        model_options={"hidden": 32},
        unassigned="ignore",
        training={},
    )
    occurred = occurred_table(windows, EVENTS)
    apart = [replace(model, module=load_builder("lstm")(shape, hidden=32)) for _ in range(N_MEMBERS)]
    heads = []
    for one in apart:
        module = copy.deepcopy(model.module)
        module.head = one.module.head
        heads.append(replace(model, module=module))

    def singly() -> None:
        for one in apart:
            event_probability(windows, one, occurred, "cpu")

    single = seconds(singly, repeats)
    worst = 0.0
    for name, members in (("networks of their own", apart), ("last layers", heads)):
        whole = replace(model, members=tuple(members))
        took = seconds(lambda whole=whole: event_probability(windows, whole, occurred, "cpu"), repeats)  # type: ignore[misc]
        worst = max(worst, took / single)
        print(
            f"forecast of {windows.sizes['window']:,} windows by {N_MEMBERS} {name}: {took:.2f} s, "
            f"{N_MEMBERS} single passes {single:.2f} s, ratio {took / single:.3f} (at most {LIMIT})"
        )
    return worst


class Small(nn.Module):
    """Two convolutions and a head, without batch norm: the case that suits stacking best."""

    def __init__(self, n_features: int, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(n_features, channels, 5, padding=2), nn.ReLU(),
            nn.Conv1d(channels, channels, 5, padding=2), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(channels, 4)

    def forward(self, steps: Tensor) -> Tensor:
        """Logits, shape (b, class)."""
        return self.head(self.layers(steps.transpose(1, 2)).mean(dim=2))


def bench_training(channels: int, n_steps: int, repeats: int) -> float:
    """Print and return how many times faster stacked training is."""
    torch.manual_seed(0)
    batches = [(torch.randn(256, n_steps, 12), torch.randint(4, (256,))) for _ in range(4)]
    networks = [Small(12, channels) for _ in range(N_MEMBERS)]

    def one_by_one() -> None:
        for network in networks:
            optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
            for steps, classes in batches:
                optimizer.zero_grad(set_to_none=True)
                nn.functional.cross_entropy(network(steps), classes).backward()
                optimizer.step()

    bare = Small(12, channels)
    weights, _ = stack_module_state(networks)  # type: ignore[arg-type]

    def loss(own: dict[str, Tensor], steps: Tensor, classes: Tensor) -> Tensor:
        return nn.functional.cross_entropy(functional_call(bare, own, (steps,)), classes)

    slopes = vmap(grad(loss), in_dims=(0, None, None))

    def stacked() -> None:
        held = {name: value.detach() for name, value in weights.items()}
        for steps, classes in batches:
            found = slopes(held, steps, classes)
            held = {name: value - 1e-3 * found[name] for name, value in held.items()}

    one, together = seconds(one_by_one, repeats), seconds(stacked, repeats)
    print(
        f"train {N_MEMBERS} CNNs of 2 x {channels} channels on 4 batches of 256 x {n_steps} x 12, CPU: "
        f"stacked {together:.2f} s, one after the other {one:.2f} s, {one / together:.2f} times faster "
        f"(worth it from {WORTH})"
    )
    return one / together


def main() -> int:
    """Print a line a case; exit 1 where forecasting is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--regions", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with cpu_threads(1):
        worst = bench_forecast(arguments.regions, arguments.repeats)
        for channels, n_steps in ((8, 12), (8, 60), (32, 60)):
            bench_training(channels, n_steps, arguments.repeats)
    return int(worst > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())

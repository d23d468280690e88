"""Members: time to forecast with 20 of them against 20 single passes.

The forecast is `flarecast forecast` in one process, windows in memory: 20 networks of their own, and 20 that
differ in the last layer alone; the ratio to 20 forecasts with one network each is to be at most 1.2.
Training them: scripts/bench_stacked.py.
"""

import argparse
import copy
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr

from flarecast.batches import cpu_threads
from flarecast.config import parse_config
from flarecast.forecast import event_probability
from flarecast.goes import occurred_table
from flarecast.ingest.simulated import ingest_simulated
from flarecast.model_file import TrainedModel
from flarecast.models import load_builder
from flarecast.models.shape import Shape
from flarecast.scale import fit

LIMIT = 1.2
N_MEMBERS, EVENTS, OPTIONS = 20, ("C1.0", "M1.0", "X1.0"), {"hidden": 32}


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Time of the fastest of several runs: what else runs on the machine only ever slows one down."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def untrained(windows: xr.Dataset) -> TrainedModel:
    """A small LSTM for such windows, as it was built."""
    config = parse_config({"model": {"name": "lstm", "options": OPTIONS}, "events": list(EVENTS)})
    features = tuple(map(str, windows["feature"].values))
    shape = Shape(len(features), int(windows.attrs["n_steps"]), len(EVENTS) + 1)
    nothing = np.full(len(EVENTS) + 1, 0.25)
    return TrainedModel(
        module=load_builder("lstm")(shape, **OPTIONS),
        scaler=fit(windows["values"].values, "standard"),
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
        model_options=OPTIONS,
        unassigned="ignore",
        training={},
    )


def with_head_of(model: TrainedModel, other: TrainedModel) -> TrainedModel:
    """A model whose last layer is another's."""
    module = copy.deepcopy(model.module)
    module.head = other.module.head
    return replace(model, module=module)


def bench_forecast(n_regions: int, repeats: int) -> float:
    """Print the two ratios; returns the larger."""
    windows = ingest_simulated(None, np.random.default_rng(0), n_regions=n_regions)
    occurred = occurred_table(windows, EVENTS)
    model = untrained(windows)
    apart = [untrained(windows) for _ in range(N_MEMBERS)]
    heads = [with_head_of(model, one) for one in apart]

    def forecast(*models: TrainedModel) -> None:
        for one in models:
            event_probability(windows, one, occurred, "cpu")

    single = seconds(partial(forecast, *apart), repeats)
    worst = 0.0
    for name, members in (("networks of their own", apart), ("last layers", heads)):
        took = seconds(partial(forecast, replace(model, members=tuple(members))), repeats)
        worst = max(worst, took / single)
        print(
            f"forecast of {windows.sizes['window']:,} windows by {N_MEMBERS} {name}: {took:.2f} s, "
            f"{N_MEMBERS} single passes {single:.2f} s, ratio {took / single:.3f} (at most {LIMIT})"
        )
    return worst


def main() -> int:
    """Print a line a case; exit 1 where one is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--regions", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with cpu_threads(1):
        worst = bench_forecast(arguments.regions, arguments.repeats)
    return int(worst > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())

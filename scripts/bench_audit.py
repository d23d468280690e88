"""How long an audit takes, beside the reading of the windows file that comes before it.

    python scripts/bench_audit.py [--windows 60000 331185]

The windows are the simulated Sun's, 12 h of 24 features at 12 minutes; for more windows they are issued more
often, so that up to six of them share a row. One split by region, one by cycle, and ten folds by region.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from flarecast.audit import audit
from flarecast.ingest.simulated import ingest_simulated
from flarecast.schema import WINDOWS, save
from flarecast.split import make_split
from flarecast.windows import open_windows

EVENTS = ("C1.0", "M1.0", "X1.0")
OF_DEFAULT = 61_855  # windows of 6,400 regions issued every 12 hours


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def simulate(n_windows: int) -> xr.Dataset:
    stride = max(hours for hours in (12, 6, 4, 3, 2) if n_windows <= OF_DEFAULT * 12 / hours or hours == 2)
    n_regions = round(6400 * n_windows * stride / (12 * OF_DEFAULT))
    return ingest_simulated(None, np.random.default_rng(0), n_regions=n_regions, stride_hours=stride)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--windows", type=int, nargs="+", default=[60_000])
    for n_windows in parser.parse_args().windows:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "windows.nc"
            save(simulate(n_windows), path, WINDOWS)
            reading = seconds(lambda path=path: open_windows(path))
            windows = open_windows(path)
        splits = {
            strategy: make_split(windows, strategy, np.random.default_rng(0))
            for strategy in ("by_region", "by_cycle")
        }
        ten = xr.concat(
            [make_split(windows, "by_region", np.random.default_rng(i)) for i in range(10)], "fold"
        )
        n, rows = windows.sizes["window"], windows.sizes["row"]
        print(f"{n:,} windows, {rows:,} rows: read in {reading:.2f} s")
        for name, split in {**splits, "by_region, 10 folds": ten}.items():
            took = seconds(lambda split=split, windows=windows: audit(windows, split, EVENTS))
            print(f"  audit {name:20} {took:6.2f} s, {took / reading:5.2f} times the reading")


if __name__ == "__main__":
    main()

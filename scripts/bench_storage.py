"""How much smaller a file of hourly windows is than the windows it stands for, as dense float32.

    python scripts/bench_storage.py [--regions 300]

Hourly windows of 60 rows at 12 minutes overlap twelvefold; rows are stored once.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from flarecast import schema
from flarecast.ingest.simulated import ingest_simulated

AIM = 8.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--regions", type=int, default=300)
    n_regions = parser.parse_args().regions
    windows = ingest_simulated(None, np.random.default_rng(0), n_regions=n_regions, stride_hours=1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "windows.nc"
        begin = time.perf_counter()
        schema.save(windows, path, schema.WINDOWS)
        seconds = time.perf_counter() - begin
        stored = path.stat().st_size
    dense = windows.sizes["window"] * windows.attrs["n_steps"] * windows.sizes["feature"] * 4
    ratio = dense / stored
    print(f"storage: {windows.sizes['window']} hourly windows of {windows.sizes['row']} rows")
    print(f"storage: dense float32 {dense / 1e6:.1f} MB, file {stored / 1e6:.1f} MB in {seconds:.1f} s")
    print(f"storage: ratio {ratio:.1f} (aim: at least {AIM:g})")
    return 0 if ratio >= AIM else 1


if __name__ == "__main__":
    sys.exit(main())

"""Memory and time of reading a large CSV of forecasts, beside pandas that reads it whole.

    python scripts/bench_forecast_csv.py [--rows 400000]

Rows are hourly forecasts of three events for 200 regions; --rows 10000000 makes a file of 1 GB.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

AIM_MB = 2000
AIM_ROWS = 10_000_000
REGIONS, EVENTS = 200, ("C1.0", "M1.0", "X1.0")
READ = {
    "flarecast": "from flarecast.exchange import open_forecasts; open_forecasts(Path(sys.argv[1]))",
    "pandas": "import pandas; pandas.read_csv(sys.argv[1])",
}
MEASURE = """
import json, resource, sys, time
from pathlib import Path
import flarecast.exchange
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begin = time.perf_counter()
{}
seconds = time.perf_counter() - begin
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, before / 1024, seconds]))
"""


def write(path: Path, n_rows: int) -> int:
    """Write so many rows, a piece of hours at a time; returns how many came of whole hours."""
    rng, hours = np.random.default_rng(0), max(1, n_rows // (REGIONS * len(EVENTS)))
    each = REGIONS * len(EVENTS)
    for first in range(0, hours, 200):
        issue = np.repeat(np.arange(first, min(first + 200, hours)), each) * 3600 + 1_262_304_000
        n = issue.size
        probability = np.sort(rng.random((n // 3, 3)), axis=1)[:, ::-1].ravel().round(4)
        times = [
            np.datetime_as_string(time.astype("datetime64[s]"), timezone="UTC")
            for time in (issue, issue, issue + 86_400)
        ]
        table = pd.DataFrame(
            dict(zip(("issue_time", "valid_from", "valid_to"), times, strict=True))
            | {
                "region": np.resize(np.repeat([f"NOAA {11000 + one}" for one in range(REGIONS)], 3), n),
                "event": np.resize(EVENTS, n),
                "probability": probability,
                "occurred": (rng.random(n) < probability).astype(int),
            }
        )
        table.to_csv(path, mode="a", header=first == 0, index=False)
    return hours * each


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=400_000)
    n_rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "forecasts.csv"
        n_rows = write(path, n_rows)
        print(f"forecast CSV: {n_rows:,} rows, {path.stat().st_size / 1e6:.0f} MB")
        for name, read in READ.items():
            command = [sys.executable, "-c", MEASURE.format(read), str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            peak, before, seconds = json.loads(done.stdout)
            print(f"forecast CSV: {name} {seconds:.1f} s, peak {peak:.0f} MB, {before:.0f} MB of it before")
            if name == "flarecast":
                met = peak <= AIM_MB or n_rows > AIM_ROWS
    print(f"forecast CSV: aim at most {AIM_MB} MB for {AIM_ROWS:,} rows")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

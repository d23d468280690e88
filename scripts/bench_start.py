"""How long a command takes before it has done anything: help, and the forecast of one day.

Each is a whole process, the fastest of several, beside a bare process that imports only what is unavoidable.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flarecast.chain import RunFolder, run_all
from flarecast.config import load_config
from flarecast.schema import WINDOWS, open_file, save

SMALL = ["ingest.options.n_regions=60", "split.strategy=by_region", "model.options={hidden=32, layers=2}"]
SMALL += ["train.epochs=2", "events=['C1.0']", "evaluate.resamples=100"]


def seconds(words: list[str], repeats: int) -> float:
    """Fastest wall time of a process [s]."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


def one_day(windows_path: Path, out: Path) -> int:
    """Cut the windows of the last day from a file; returns how many."""
    windows = open_file(windows_path, WINDOWS)
    issue_time = windows["issue_time"].values
    day = windows.isel(window=issue_time > issue_time.max() - 86_400)
    save(day, out, WINDOWS)
    return int(day.sizes["window"])


def main() -> None:
    """Print two lines."""
    flarecast = [sys.executable, "-m", "flarecast"]
    ours = seconds([*flarecast, "--help"], 5)
    bare = seconds([sys.executable, "-c", "import click"], 5)
    text = f"flarecast --help: {ours:.2f} s (limit 0.3 s)"
    print(f"{text}; python with click alone {bare:.2f} s, {ours / bare:.1f} x")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = RunFolder(folder / "run", folder / "windows.nc")
        run_all(load_config(None, SMALL), None, run, "cpu")
        n_windows = one_day(run.windows, folder / "day.nc")
        words = ["forecast", str(folder / "day.nc"), str(run.folder), "-o", str(folder / "out.csv")]
        ours = seconds([*flarecast, *words], 3)
    bare = seconds([sys.executable, "-c", "import torch"], 3)
    text = f"flarecast forecast, one day ({n_windows} windows): {ours:.2f} s (limit 5 s)"
    print(f"{text}; python with torch alone {bare:.2f} s, {ours / bare:.1f} x")


if __name__ == "__main__":
    main()

"""How fast SWAN-SF archives are read, beside a naive reader and beside a walk that parses nothing.

    python scripts/bench_swan_sf.py [--windows 60000] [--turns 5] [--keep FOLDER]

The archives are simulated, their files in random order. Naive: `tarfile` r:gz and `pandas.read_csv` of every
file, one core, timed on the first files of an archive and scaled per file. Walk: `isal.igzip` and `tarfile`,
every body read, one thread, all archives. The three take turns, and the median of the turns' ratios counts,
because other work on the machine slows all of them, and most of all who uses two cores, which the ratio of
processor times shows. The peak memory of a reading is that of a process of its own.
"""

import argparse
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from isal import igzip

from flarecast.ingest.sun.archive import write_archives
from flarecast.ingest.swan_sf import ingest_swan_sf

AIM_NAIVE = 15.0
AIM_WALK = 0.9
MEMORY_MB = 1_500
NAIVE_FILES = 1_000


def naive(folder: Path) -> int:
    """Read the first files of an archive one by one, all columns."""
    n_read = 0
    with tarfile.open(min(folder.glob("*.tar.gz")), "r:gz") as archive:
        for member in archive:
            table = pd.read_csv(archive.extractfile(member), sep="\t")
            assert len(table) == 60
            n_read += 1
            if n_read == NAIVE_FILES:
                break
    return n_read


def walk(folder: Path) -> int:
    """Read every body of every archive."""
    n_files = 0
    for path in sorted(folder.glob("*.tar.gz")):
        with igzip.open(path, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                archive.extractfile(member).read()
                n_files += 1
                archive.members = []
    return n_files


def ours(folder: Path) -> int:
    return ingest_swan_sf(folder, np.random.default_rng(0)).sizes["window"]


def per_second(read: Callable[[Path], int], folder: Path) -> tuple[float, float]:
    """Files a second by the clock and by the processor's time."""
    wall, processor = time.perf_counter(), time.process_time()
    n_files = read(folder)
    return n_files / (time.perf_counter() - wall), n_files / (time.process_time() - processor)


def peak_memory_mb(folder: Path) -> float:
    """Largest resident size of a process that reads the archives."""
    done = subprocess.run(
        [sys.executable, __file__, "--read", str(folder)], check=True, capture_output=True, text=True
    )
    return int(done.stdout) / 1024


def measure(folder: Path, turns: int) -> int:
    """Time the three readers, print, and say whether the aims are met."""
    n_bytes = sum(path.stat().st_size for path in folder.glob("*.tar.gz"))
    print(f"swan-sf: {ours(folder):,} windows in {n_bytes / 1e6:,.0f} MB of tar.gz")
    # Turn, reader, clock or processor.
    speed = np.array([[per_second(read, folder) for read in (naive, walk, ours)] for _ in range(turns)])
    for place, clock in enumerate(("a second", "a second of processor time")):
        slow, walked, read = np.median(speed[..., place], axis=0)
        print(f"swan-sf: naive {slow:,.0f}, walk {walked:,.0f}, flarecast {read:,.0f} files {clock}")
    times_naive, of_walk = (np.median(speed[:, 2] / speed[:, other], axis=0) for other in (0, 1))
    spread = speed[:, 2, 0] / speed[:, 1, 0]
    memory = peak_memory_mb(folder)
    print(
        f"swan-sf: {times_naive[0]:.1f} times naive (aim: at least {AIM_NAIVE:g}; by processor time"
        f" {times_naive[1]:.1f})"
    )
    print(
        f"swan-sf: {of_walk[0]:.2f} of the walk (aim: at least {AIM_WALK:g}; by processor time"
        f" {of_walk[1]:.2f}; turns from {spread.min():.2f} to {spread.max():.2f})"
    )
    print(f"swan-sf: peak memory {memory:,.0f} MB (aim: at most {MEMORY_MB:,} at 331,185 windows)")
    return 0 if times_naive[0] >= AIM_NAIVE and of_walk[0] >= AIM_WALK and memory <= MEMORY_MB else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=60_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="folder of the archives; used again if they are there")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        ours(options.read)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        if not list(folder.glob("*.tar.gz")):
            write_archives(folder, np.random.default_rng(0), windows=options.windows, shuffle=True)
        return measure(folder, options.turns)


if __name__ == "__main__":
    sys.exit(main())

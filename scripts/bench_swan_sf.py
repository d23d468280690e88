"""How fast SWAN-SF archives are read, beside a naive reader and beside a walk that parses nothing.

    python scripts/bench_swan_sf.py [--windows 60000] [--keep FOLDER]

The archives are simulated, their files in random order. Naive: `tarfile` r:gz and `pandas.read_csv` of every
file, one core, timed on some files of an archive. Walk: `isal.igzip` and `tarfile`, every body read, one
thread, all archives. Walk and reader take turns, and the best of three counts for each: other work on the
machine slows both. The peak memory of a reading is that of a process of its own.
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
TURNS = 3


def naive(path: Path, n_files: int) -> int:
    """Read the first files of an archive one by one, all columns."""
    n_read = 0
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            table = pd.read_csv(archive.extractfile(member), sep="\t")
            assert len(table) == 60
            n_read += 1
            if n_read == n_files:
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


def per_second(read: Callable[[], int]) -> float:
    begin = time.perf_counter()
    n_files = read()
    return n_files / (time.perf_counter() - begin)


def peak_memory_mb(folder: Path) -> float:
    """Largest resident size of a process that reads the archives."""
    done = subprocess.run(
        [sys.executable, __file__, "--read", str(folder)], check=True, capture_output=True, text=True
    )
    return int(done.stdout) / 1024


def measure(folder: Path) -> int:
    """Time the three readers, print, and say whether the aims are met."""
    paths = sorted(folder.glob("*.tar.gz"))
    slow = max(per_second(lambda: naive(paths[0], NAIVE_FILES)) for _ in range(2))
    turns = [(per_second(lambda: walk(folder)), per_second(lambda: ours(folder))) for _ in range(TURNS)]
    walked, read = (max(speeds) for speeds in zip(*turns, strict=True))
    memory = peak_memory_mb(folder)
    print(
        f"swan-sf: {ours(folder):,} windows in {sum(p.stat().st_size for p in paths) / 1e6:,.0f} MB of tar.gz"
    )
    print(f"swan-sf: naive {slow:,.0f}, walk {walked:,.0f}, flarecast {read:,.0f} files a second")
    print(f"swan-sf: {read / slow:.1f} times naive (aim: at least {AIM_NAIVE:g})")
    print(f"swan-sf: {read / walked:.2f} of the walk (aim: at least {AIM_WALK:g})")
    print(f"swan-sf: peak memory {memory:,.0f} MB (aim: at most {MEMORY_MB:,} at 331,185 windows)")
    return 0 if read / slow >= AIM_NAIVE and read / walked >= AIM_WALK and memory <= MEMORY_MB else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=60_000)
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
        return measure(folder)


if __name__ == "__main__":
    sys.exit(main())

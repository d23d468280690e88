"""Stacked training: how many times faster small networks train as one than one after the other.

Whole trainings (`train_all`, with validation, SWA, checkpoints and model folders) of a deep ensemble on the
simulated Sun, `ensemble.options.stacked` "always" against "never", and against the model alone. On the CPU
processor time of one thread is taken, which does not depend on what else runs there; on CUDA the clock.

`auto` is to stack where it is at least 2 times faster: exit 1 where it does and is not. On CUDA 20 members
are to take less than 4 times the time of one.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from flarecast.chain import run_ingest, run_split
from flarecast.config import Config, parse_config
from flarecast.resources import Resources
from flarecast.train.stacked import worth_stacking
from flarecast.train.trainings import train_all

WORTH, LIMIT_CUDA = 2.0, 4.0
EPOCHS = 4
CPU_CASES = (
    *((5, "cnn", 8, batch, 12) for batch in (32, 64, 128)),
    *((5, "cnn", 16, batch, 12) for batch in (32, 64)),
    *((10, "cnn", 8, batch, 12) for batch in (64, 128)),
    *((20, "cnn", 8, batch, 12) for batch in (64, 128, 256)),
    *((20, "cnn", 16, batch, 12) for batch in (64, 128, 256)),
    (20, "cnn", 32, 64, 12),
    (20, "cnn", 8, 64, 24),
    (20, "cnn", 8, 32, 60),
    (5, "resnet", 8, 64, 12),
    (5, "inception_time", 8, 64, 12),
)
CUDA_CASES = tuple((20, name, width, 256, 12) for name in ("cnn", "resnet") for width in (8, 32, 64))


@dataclass(frozen=True)
class Case:
    """Networks of a kind and width, and what they train on."""

    members: int
    name: str
    width: int
    batch: int
    n_steps: int

    def configure(self, stacked: str = "", regions: int = 0) -> Config:
        """The configuration; of a single model without `stacked`."""
        options: dict[str, Any] = {"channels": [self.width, self.width], "kernel": 3}
        if self.name == "inception_time":
            options = {"filters": self.width // 4, "kernels": [5, 3], "depth": 3}
        content: dict[str, Any] = {
            "events": ["C1.0", "M1.0"],
            "ingest": {
                "source": "simulated",
                "options": {
                    "n_regions": regions or 1,
                    "n_steps": self.n_steps,
                    "cadence_minutes": 60,
                    "stride_hours": 3,
                },
            },
            "split": {"strategy": "by_region"},
            "model": {"name": self.name, "options": options},
            "train": {"epochs": EPOCHS, "batch_size": self.batch, "patience": EPOCHS},
        }
        if stacked:
            members = {"members": self.members, "stacked": stacked}
            content["ensemble"] = {"name": "deep", "options": members}
        return parse_config(content)


def make_files(folder: Path, n_steps: int, regions: int) -> tuple[Path, Path]:
    """Windows and split of a simulated Sun, made once for each number of steps."""
    windows, split = folder / f"windows-{n_steps}.nc", folder / f"split-{n_steps}.nc"
    if not split.exists():
        config = Case(1, "cnn", 8, 64, n_steps).configure(regions=regions)
        run_ingest(config, None, windows)
        run_split(windows, config, split)
    return windows, split


def seconds(files: tuple[Path, Path], config: Config, device: str, repeats: int) -> float:
    """Time of the fastest of several trainings."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    took = []
    for _ in range(repeats):
        with TemporaryDirectory() as folder:
            start = clock()
            train_all(*files, config, Path(folder) / "model", Resources(device=device))
            took.append(clock() - start)
    return min(took)


def main() -> int:
    """Print a line a case; exit 1 where `auto` stacks what is not worth it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--regions", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--cases", type=int, nargs="*", help="numbers of cases, from 0; all if none")
    arguments = parser.parse_args()
    cases = CUDA_CASES if arguments.device == "cuda" else CPU_CASES
    wrong = False
    print("members  network         width  batch  steps  stacked [s]  in turn [s]  faster  times one  auto")
    with TemporaryDirectory() as folder:
        for number in arguments.cases or range(len(cases)):
            case = Case(*cases[number])
            files = make_files(Path(folder), case.n_steps, arguments.regions)
            one, together, in_turn = (
                seconds(files, case.configure(stacked), arguments.device, arguments.repeats)
                for stacked in ("", "always", "never")
            )
            by_itself = worth_stacking(case.configure("auto"), case.n_steps, torch.device(arguments.device))
            wrong |= by_itself and in_turn / together < WORTH
            wrong |= arguments.device == "cuda" and together / one > LIMIT_CUDA
            print(
                f"{case.members:7}  {case.name:14}  {case.width:5}  {case.batch:5}  {case.n_steps:5}  "
                f"{together:11.1f}  {in_turn:11.1f}  {in_turn / together:6.2f}  {together / one:9.1f}  "
                f"{'yes' if by_itself else 'no':>4}",
                flush=True,
            )
    print(f"{arguments.regions} regions, {EPOCHS} epochs, SWA; aim: {WORTH} times faster where auto stacks")
    return int(wrong)


if __name__ == "__main__":
    raise SystemExit(main())

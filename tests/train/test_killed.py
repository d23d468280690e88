"""A training killed with SIGKILL at random moments, again and again, ends as one that is left in peace."""

import json
import random
import signal
import subprocess
import sys

import pytest

from flarecast.config import write_config
from flarecast.schema import SPLIT, WINDOWS, save

TRAIN = """
import json, os, signal, sys
from pathlib import Path
from flarecast.config import load_config
from flarecast.schema import SPLIT, WINDOWS, open_file
from flarecast.train import train

here, folder, when, moment = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
counts, writes, kept = {"any": 0, "writing": 0}, False, []


def watch(frame, event, argument):  # at each call and return here, or where a file was opened for writing
    global writes
    ours = "flarecast" in frame.f_code.co_filename
    if ours and frame.f_code.co_name == "keep" and event == "call":
        kept.append(dict(counts))
    if ours and frame.f_code.co_name == "replacing" and event == "return":
        writes = not writes  # it gives the name to write to, and returns once that is renamed
    counts["any"] += ours
    counts["writing"] += writes and event == "c_return" and argument.__name__ == "open"
    if counts[when] == moment:
        os.kill(os.getpid(), signal.SIGKILL)


windows, split = open_file(here / "windows.nc", WINDOWS), open_file(here / "split.nc", SPLIT)
config = load_config(here / "config.toml")
sys.setprofile(watch)
train(windows, split, config, folder=here / folder, device="cpu")
sys.setprofile(None)
print(json.dumps(kept))
"""


def run(here, folder, when, moment):
    command = [sys.executable, "-c", TRAIN, str(here), folder, when, str(moment)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=200)


@pytest.mark.slow
def test_a_training_killed_at_random_moments_ends_with_the_same_weights_to_the_bit(
    windows, split, configure, tmp_path
):
    options = {"channels": [8], "kernel": 3, "dropout": 0.3}
    settings = {"epochs": 4, "averaging_start": 0.6}
    config = configure("cnn", model={"options": options}, train=settings)
    save(windows, tmp_path / "windows.nc", WINDOWS)
    save(split, tmp_path / "split.nc", SPLIT)
    write_config(config, tmp_path / "config.toml")
    whole = run(tmp_path, "whole", "any", -1)
    assert whole.returncode == 0, whole.stderr
    counts = json.loads(whole.stdout)
    rng, half_written, killed = random.Random(0), set(), []
    while True:
        when = ("any", "writing")[len(killed) % 2]  # at first before a single epoch is kept
        first, epoch = counts[0][when], max(1, counts[1][when] - counts[0][when])
        moment = max(1, first + rng.randint(-epoch // 2, 2 * epoch)) if killed else rng.randint(1, first)
        done = run(tmp_path, "killed", when, moment)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        history = tmp_path / "killed" / "history.jsonl"  # which one killed early enough has not begun
        killed.append(len(history.read_text().splitlines()) if history.exists() else 0)
        half_written |= {path.name.split(".")[1] for path in (tmp_path / "killed").glob(".*.part")}
        assert len(killed) < 30
    assert len(killed) >= 3
    assert killed[0] == 0
    assert max(killed) >= 3, killed
    assert half_written
    for name in ("model.safetensors", "model.json", "history.jsonl"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not [path for path in (tmp_path / "killed").iterdir() if path.suffix in (".part", ".pt")]

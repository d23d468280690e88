"""A pretraining that was stopped goes on where it was, to the same bytes."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from flarecast.config import load_config, write_config
from flarecast.files import sha256
from flarecast.pretraining.fitting import pretrain
from flarecast.pretraining.running import run_pretrain
from flarecast.resources import Resources
from flarecast.schema import SPLIT, WINDOWS, save

PRETRAIN = """
import os, signal, sys
from pathlib import Path
from flarecast.config import load_config
from flarecast.pretraining.running import run_pretrain

here, moment, replace, counts = Path(sys.argv[1]), int(sys.argv[2]), os.replace, [0]


def watched(aside, path, **more):
    counts[0] += 1
    if counts[0] == moment:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(aside, path, **more)


os.replace = watched
run_pretrain(here / "windows.nc", here / "split.nc", load_config(here / "config.toml"), here / "killed")
"""


class Stopped(BaseException):
    """In place of a kill."""


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def here(windows, split, configure, tmp_path):
    """Folder of windows, a split of two folds whose final one is the first, and a configuration."""
    options = {"channels": [4], "kernel": 3, "dropout": 0.3}
    config = configure(
        "resnet",
        model={"options": options},
        pretrain={"epochs": 2, "batch_size": 64},
        train={"allow_leaks": True},  # a feature of these windows all but tells the outcome
    )
    save(windows, tmp_path / "windows.nc", WINDOWS)
    folds = split.isel(fold=[0, 0]).assign_attrs(windows_sha256=sha256(tmp_path / "windows.nc"))
    save(folds, tmp_path / "split.nc", SPLIT)
    write_config(config, tmp_path / "config.toml")
    return tmp_path


def pretrain_in(here, folder, progress=None):
    config = load_config(here / "config.toml")
    said = []
    resources = Resources("cpu", progress=progress, say=said.append)
    run_pretrain(here / "windows.nc", here / "split.nc", config, here / folder, resources)
    return said


@pytest.mark.parametrize("task", ["masked", "contrastive"])
def test_a_pretraining_stopped_after_any_epoch_ends_with_the_same_bytes(
    task, windows, split, configure, tmp_path
):
    role = split["role"].values[0]
    config = configure("resnet", pretrain={"name": task, "epochs": 3, "batch_size": 64})
    done = []

    def stop(epoch, *_):
        done.append(epoch)
        raise Stopped

    pretrain(windows, role, config, folder=tmp_path / "whole", device="cpu")
    for _ in range(3):
        with suppress(Stopped):
            pretrain(windows, role, config, folder=tmp_path / "stopped", device="cpu", progress=stop)
        assert not (tmp_path / "stopped" / "encoder.json").exists()
    pretrain(windows, role, config, folder=tmp_path / "stopped", device="cpu", progress=stop)
    assert done == [1, 2, 3]
    assert content(tmp_path / "whole") == content(tmp_path / "stopped")


@pytest.mark.parametrize("renamed", [False, True])
def test_a_pretraining_stopped_at_any_write_ends_with_the_same_bytes(renamed, here, monkeypatch):
    replace, counts, last = os.replace, [0], [10**9]

    def watched(aside, path, **more):
        counts[0] += 1
        if counts[0] == last[0] and not renamed:
            raise Stopped
        replace(aside, path, **more)
        if counts[0] == last[0]:
            raise Stopped

    pretrain_in(here, "whole")
    monkeypatch.setattr(os, "replace", watched)
    pretrain_in(here, "again")
    n_writes = counts[0]
    assert n_writes == 14  # a fold: history, two epochs of checkpoint and history, weights, description
    for number in range(1, n_writes + 1):
        counts[0], last[0] = 0, number
        with pytest.raises(Stopped):
            pretrain_in(here, str(number))
        last[0] = 10**9
        said = pretrain_in(here, str(number))
        assert content(here / "whole") == content(here / str(number))
        first_done = (7 - renamed, 14 - renamed)
        assert bool(said) == (first_done[0] < number <= first_done[1])


def test_a_pretraining_that_went_to_its_end_starts_anew_and_folds_of_another_split_go(here):
    done = []

    def count(epoch, *_):
        done.append(epoch)

    for _ in range(2):
        pretrain_in(here, "encoders", count)
        (here / "encoders" / "folds" / "7").mkdir()
    assert done == [1, 2] * 4
    pretrain_in(here, "encoders")
    assert [path.name for path in (here / "encoders" / "folds").iterdir()] == ["1"]


def test_an_encoder_or_a_checkpoint_of_another_pretraining_is_not_gone_on_from(here):
    def stop(epoch, *_):
        if not (here / "encoders" / "folds" / "1" / "encoder.json").exists():
            return
        raise Stopped

    with pytest.raises(Stopped):
        pretrain_in(here, "encoders", stop)
    other = load_config(here / "config.toml", ["pretrain.learning_rate=0.01"])
    write_config(other, here / "config.toml")
    said = pretrain_in(here, "encoders")
    assert len(said) == 1
    assert "checkpoint of another configuration" in said[0]
    pretrain_in(here, "whole")
    assert content(here / "whole") == content(here / "encoders")


@pytest.mark.slow
def test_a_pretraining_killed_again_and_again_ends_with_the_same_bytes(here):
    pretrain_in(here, "whole")
    killed = 0
    for moment in (1, 4, 6, 99):
        command = [sys.executable, "-c", PRETRAIN, str(here), str(moment)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=200)
        killed += done.returncode == -signal.SIGKILL
        if moment == 1:
            assert any((here / "killed").rglob(".*.part"))
    assert done.returncode == 0, done.stderr
    assert killed == 3
    assert content(here / "whole") == content(here / "killed")

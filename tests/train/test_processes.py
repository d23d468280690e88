"""Several processes that torchrun starts: the same model as one trains, or one training each."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from trained import history

from flarecast.chain import run_all
from flarecast.config import write_config
from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.forecast.folds import forecast_folds
from flarecast.model_file import load
from flarecast.resources import Processes, Resources
from flarecast.run_folder import RunFolder
from flarecast.schema import SPLIT, WINDOWS, save
from flarecast.train.gradient import check_parts_add_up
from flarecast.train.processes import joined, my_part
from flarecast.train.trainings import train_all

LSTM = {"options": {"hidden": 8, "layers": 1, "dropout": 0.0}}
CNN = {"options": {"channels": [8, 8], "kernel": 3, "dropout": 0.0}}
NUMBERS = {"bags": 2, "shots": 2, "curved": 3, "spread": 3}
"""Members of rivals."""

TRAIN = "from flarecast.cli import main; main()"
DIES = """
import os, signal, sys
from flarecast.train import epochs
from flarecast.cli import main
run = epochs.train_epoch
def dying(state, task):
    if state.epoch == 2 and os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.SIGKILL)
    return run(state, task)
epochs.train_epoch = dying
main()
"""


@pytest.fixture
def files(windows, split, tmp_path):
    """Windows with a split of them, and a folder to train in."""
    save(windows, tmp_path / "windows.nc", WINDOWS)
    marked = split.assign_attrs(windows_sha256=sha256(tmp_path / "windows.nc"))
    save(marked, tmp_path / "split.nc", SPLIT)
    return tmp_path


@pytest.fixture
def settle(configure):
    """`configure`, for windows whose outcomes are as good as told by a feature."""

    def make(name, train, **sections):
        return configure(name, train={"allow_leaks": True, **train}, **sections)

    return make


def words(files, config, out):
    write_config(config, files / "config.toml")
    paths = [files / "windows.nc", files / "split.nc", "-c", files / "config.toml", "-o", files / out]
    return ["train", *map(str, paths), "--device", "cpu"]


def under_torchrun(n, arguments, code=0):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n)]
    done = subprocess.run(
        [*command, "-m", "flarecast", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
        timeout=300,
    )
    assert done.returncode == code, done.stderr[-3000:]
    return done


def started_by_hand(code, arguments, n=2):
    """Processes as torchrun starts them, but none that ends the others when one dies."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": str(n), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    shared |= {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(n)
    ]
    said = [process.communicate(timeout=300)[1] for process in running]
    return [process.returncode for process in running], said


def weights(folder):
    return {name: value.double() for name, value in load(folder, "cpu").module.state_dict().items()}


@pytest.mark.slow
def test_two_processes_train_the_lstm_of_one_to_1e_5_after_20_steps(files, settle):
    settings = {"epochs": 3, "averaging": "none", "learning_rate": 0.01}
    config = settle("lstm", model=LSTM, train=settings)
    under_torchrun(1, words(files, config, "one"))
    under_torchrun(2, words(files, config, "two"))
    steps = sum(-(-load(files / "one", "cpu").training["windows_train"] // 32) for _ in range(3))
    assert 20 <= steps <= 25
    one, two = weights(files / "one"), weights(files / "two")
    assert {name: float((two[name] - one[name]).abs().max()) < 1e-5 for name in one} == dict.fromkeys(
        one, True
    )
    for mine, theirs in zip(history(files / "two"), history(files / "one"), strict=True):
        assert mine["validation_loss" if "epoch" in mine else "validation_loss_best"] == pytest.approx(
            theirs["validation_loss" if "epoch" in theirs else "validation_loss_best"], abs=1e-5
        )
    assert load(files / "two", "cpu").training["processes"] == 2
    assert {path.name for path in (files / "two").iterdir()} == {
        "model.json",
        "model.safetensors",
        "history.jsonl",
    }


@pytest.mark.slow
def test_two_processes_average_weights_and_refresh_batch_norm_as_one_does(files, settle):
    settings = {"epochs": 4, "averaging_start": 0.25, "learning_rate": 0.002, "batch_size": 64}
    config = settle("cnn", model=CNN, train=settings)
    under_torchrun(2, words(files, config, "two"))
    train_all(
        files / "windows.nc",
        files / "split.nc",
        config,
        files / "one",
        Resources("cpu", processes=Processes()),
    )
    one, two = load(files / "one", "cpu"), load(files / "two", "cpu")
    assert one.training["kept"] == two.training["kept"] == "averaged"
    for name, value in weights(files / "one").items():  # each half of a batch has statistics of its own
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(weights(files / "two")[name], value, rtol=0.1, atol=0.05)


@pytest.mark.slow
def test_a_process_that_dies_ends_the_others_in_one_sentence_and_the_same_command_goes_on(files, settle):
    config = settle("lstm", train={"epochs": 4})
    arguments = words(files, config, "killed")
    codes, said = started_by_hand(DIES, arguments)
    assert codes == [1, -signal.SIGKILL]
    sentence = said[0].strip().splitlines()
    assert len(sentence) == 1
    assert sentence[0].startswith("Error: torchrun: expected 2 processes at work, lost touch with one (")
    assert (files / "killed" / "checkpoint.pt").is_file()
    codes, said = started_by_hand(TRAIN, arguments)
    assert codes == [0, 0], said
    assert started_by_hand(TRAIN, words(files, config, "whole"))[0] == [0, 0]
    for name in ("model.safetensors", "history.jsonl"):
        assert sha256(files / "killed" / name) == sha256(files / "whole" / name)


@pytest.mark.slow
def test_rivals_and_folds_shared_out_are_those_of_one_process_to_the_byte(files, settle, split):
    folds = split.isel(fold=[0, 0, 0]).assign_attrs(split.attrs | {"final_fold": 0})
    folds.attrs["windows_sha256"] = sha256(files / "windows.nc")
    save(folds, files / "split.nc", SPLIT)
    rivals = {
        "small": {"model": {"name": "gru", "options": {"hidden": 4}}},
        "line": {"model": {"name": "logistic"}},
    }
    config = settle("lstm", train={"epochs": 2, "parallel": "trainings"}, rivals=rivals)
    said = under_torchrun(2, words(files, config, "shared")).stderr
    assert said.count(": lstm for C1.0, M1.0, X1.0") == 1
    train_all(files / "windows.nc", files / "split.nc", config, files / "one", Resources("cpu"))
    found = {path.relative_to(files / "one") for path in (files / "one").rglob("*") if path.is_file()}
    assert len(found) == 3 * 3 * 3
    assert found == {
        path.relative_to(files / "shared") for path in (files / "shared").rglob("*") if path.is_file()
    }
    for path in found:
        assert (files / "one" / path).read_bytes() == (files / "shared" / path).read_bytes(), path


@pytest.mark.slow
def test_members_shared_out_are_those_of_one_process_to_the_byte(files, windows, split, settle):
    """Trained apart (deep, bags), on the way (snapshots, SWAG) and drawn at the end (Laplace)."""
    train = {"epochs": 4, "parallel": "trainings"}
    rivals = {
        "bags": {"model": {"name": "logistic"}, "ensemble": {"name": "bagging", "options": {"members": 2}}},
        "shots": {"ensemble": {"name": "snapshot", "options": {"members": 2}}},
        "curved": {"ensemble": {"name": "laplace", "options": {"members": 3}}},
        "spread": {"train": {"averaging": "swag", "averaging_options": {"members": 3, "per_epoch": 2}}},
    }
    deep = {"name": "deep", "options": {"members": 3}}
    config = settle("lstm", train=train, rivals=rivals, ensemble=deep)
    under_torchrun(2, words(files, config, "shared"))
    train_all(files / "windows.nc", files / "split.nc", config, files / "one", Resources("cpu"))
    found = {path.relative_to(files / "one") for path in (files / "one").rglob("*") if path.is_file()}
    members = sorted(path.parent.as_posix() for path in found if path.name == "model.json")
    assert members == sorted(
        [".", "members/1", "members/2"]
        + [f"rivals/{name}" for name in rivals]
        + [f"rivals/{name}/members/{k}" for name, n in NUMBERS.items() for k in range(1, n + 1)]
    )
    assert found == {
        path.relative_to(files / "shared") for path in (files / "shared").rglob("*") if path.is_file()
    }
    for path in found:
        assert (files / "one" / path).read_bytes() == (files / "shared" / path).read_bytes(), path
    made = forecast_folds(windows, split, files / "shared", device="cpu")
    assert made["member"].shape[2] == 3
    assert made["rival"].values.tolist() == list(rivals)


@pytest.mark.slow
def test_members_of_a_training_that_several_processes_share_are_written_once(files, windows, split, settle):
    """Each of the members trained apart by both together, those drawn at the end by the first alone."""
    rivals = {"curved": {"ensemble": {"name": "laplace", "options": {"members": 3}}}}
    deep = {"name": "deep", "options": {"members": 2}}
    config = settle("lstm", model=LSTM, train={"epochs": 2}, rivals=rivals, ensemble=deep)
    under_torchrun(2, words(files, config, "two"))
    assert load(files / "two" / "members" / "1", "cpu").training["processes"] == 2
    assert len(list((files / "two" / "rivals" / "curved" / "members").iterdir())) == 3
    made = forecast_folds(windows, split, files / "two", device="cpu")
    assert made["member"].shape[2] == 2
    assert float(made["epistemic"].max()) > 0


@pytest.mark.slow
def test_a_training_that_fails_in_one_process_is_told_by_all(files, settle):
    rivals = {"wild": {"train": {"learning_rate": 1e30, "epochs": 2}}}
    config = settle("lstm", train={"epochs": 2, "parallel": "trainings"}, rivals=rivals)
    codes, said = started_by_hand(TRAIN, words(files, config, "out"))
    assert codes == [1, 1]
    for one in said:
        assert one.startswith("Error: rival wild: training loss: expected a finite number")
    assert not (files / "out" / "model.json").exists()


@pytest.mark.parametrize(("n", "sizes"), [(7, [3, 2, 2]), (5, [3, 2, 0]), (1, [1, 0, 0]), (6, [2, 2, 2])])
def test_each_process_takes_its_part_of_a_batch_and_none_a_single_window(n, sizes):
    parts = [my_part(Processes(rank, 3), torch.arange(n)) for rank in range(3)]
    assert [len(part) for part in parts] == sizes
    assert torch.cat(parts).tolist() == list(range(n))


def test_without_torchrun_a_process_is_alone(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    with joined("cpu") as processes:
        assert (processes.rank, processes.size) == (0, 1)


def test_a_loss_of_the_whole_batch_is_no_work_for_several(configure):
    with pytest.raises(FlarecastError, match=r"expected one process with the loss score_oriented, .* got 2"):
        check_parts_add_up(configure(train={"loss": "score_oriented"}).train, Processes(0, 2))


def test_more_processes_than_gpus_are_one_sentence(monkeypatch):
    for name, value in (
        ("RANK", "2"),
        ("LOCAL_RANK", "2"),
        ("WORLD_SIZE", "3"),
        ("MASTER_ADDR", "localhost"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(FlarecastError) as caught, joined("cuda"):
        pass
    assert str(caught.value) == (
        "torchrun: expected at most one process a GPU, got process 3 on a machine with 2; lower "
        "--nproc-per-node, or use --device cpu"
    )


def test_workers_and_processes_are_not_asked_for_at_once(configure):
    nowhere, resources = Path("nowhere"), Resources("cpu", 2, processes=Processes(0, 2))
    with pytest.raises(FlarecastError, match="--workers: expected 1 under torchrun, got 2"):
        train_all(nowhere, nowhere, configure(), nowhere, resources)


def test_the_whole_chain_is_for_one_process(configure, monkeypatch, tmp_path):
    for name, value in (("RANK", "0"), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "localhost")):
        monkeypatch.setenv(name, value)
    with pytest.raises(FlarecastError, match="run: expected one process, got 2 of torchrun"):
        run_all(configure(), None, RunFolder(tmp_path))
    assert not list(tmp_path.iterdir())

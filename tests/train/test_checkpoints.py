"""A training that is stopped goes on from its own checkpoint to the same bits, and from no other."""

import signal
import subprocess
import sys

import pytest
import torch
from trained import history

from flarecast import schema
from flarecast.train import train

KILLED = """
import os, signal, sys
from pathlib import Path
from flarecast.config import load_config
from flarecast.schema import SPLIT, WINDOWS, open_file
from flarecast.train import train

def stop(epoch, epochs, entry):
    if epoch == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

here = Path(sys.argv[1])
train(open_file(here / "windows.nc", WINDOWS), open_file(here / "split.nc", SPLIT),
      load_config(here / "config.toml"), folder=here / "killed", device="cpu", progress=stop)
"""

ONE_CYCLE = {
    "optimizer": "sgd",
    "optimizer_options": {"nesterov": True},
    "schedule": "one_cycle",
    "input_noise": 0.1,
    "mixup": 0.4,
}
STEPS = {"optimizer": "adagrad", "schedule": "step", "schedule_options": {"every": 2}, "averaging": "none"}


@pytest.mark.parametrize(
    ("epoch", "sections"),
    [
        (2, {}),
        (7, {}),
        (2, {"balance": {"name": "undersample", "event": "M1.0", "draw": "each_epoch"}}),
        pytest.param(
            *(7, {"balance": {"name": "oversample_noisy", "event": "M1.0", "draw": "each_epoch"}}),
            marks=pytest.mark.slow,
        ),
        pytest.param(3, {"train": ONE_CYCLE}, marks=pytest.mark.slow),
        (5, {"train": STEPS}),
    ],
    ids=["descent", "averaging", "windows drawn anew", "windows made anew", "one cycle", "steps"],
)
def test_a_killed_training_goes_on_to_the_same_weights_to_the_bit(
    epoch, sections, windows, split, configure, tmp_path
):
    from flarecast.config import write_config

    config = configure("cnn", model={"options": {"channels": [8, 8], "dropout": 0.3}}, **sections)
    schema.save(windows, tmp_path / "windows.nc", schema.WINDOWS)
    schema.save(split, tmp_path / "split.nc", schema.SPLIT)
    write_config(config, tmp_path / "config.toml")
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(epoch)], check=False)
    assert done.returncode == -signal.SIGKILL
    killed = tmp_path / "killed"
    assert {path.name for path in killed.iterdir()} == {"checkpoint.pt", "history.jsonl"}
    assert len(history(killed)) == epoch

    epochs_run = []
    train(windows, split, config, folder=killed, device="cpu", progress=lambda n, *_: epochs_run.append(n))
    train(windows, split, config, folder=tmp_path / "whole", device="cpu")
    assert epochs_run == list(range(epoch + 1, 9))
    assert not (killed / "checkpoint.pt").exists()
    for name in ("model.safetensors", "model.json", "history.jsonl"):
        assert (killed / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def stopped_after(epoch, *arguments, **keywords):
    """Train, but raise out of the progress callback after an epoch."""

    def stop(done, *_):
        if done == epoch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(*arguments, **keywords, progress=stop)


@pytest.mark.parametrize("changes", [{"train": {"weight_decay": 0.1}}, {"run": {"seed": 1}}])
def test_a_checkpoint_of_another_training_is_not_gone_on_from_and_that_is_told(
    changes, windows, split, configure, tmp_path
):
    stopped_after(2, windows, split, configure(), folder=tmp_path, device="cpu")
    seen, said = [], []
    keywords = {"device": "cpu", "progress": lambda n, *_: seen.append(n), "say": said.append}
    train(windows, split, configure(**changes), folder=tmp_path, **keywords)
    assert seen == list(range(1, 9))
    assert said == [
        f"{tmp_path / 'checkpoint.pt'}: a checkpoint of another configuration, other data, another device or "
        "other versions; training starts anew"
    ]


@pytest.mark.parametrize("name", ["windows_sha256", "split_sha256"])
def test_a_checkpoint_of_other_windows_or_roles_is_not_gone_on_from(
    name, windows, split, configure, tmp_path
):
    stopped_after(2, windows, split, configure(), folder=tmp_path, device="cpu", **{name: "a"})
    seen = []
    keywords = {"device": "cpu", name: "b", "progress": lambda n, *_: seen.append(n)}
    train(windows, split, configure(), folder=tmp_path, **keywords)
    assert seen[0] == 1


def test_a_damaged_checkpoint_is_as_good_as_none_and_that_is_told(windows, split, configure, tmp_path):
    stopped_after(2, windows, split, configure(), folder=tmp_path, device="cpu")
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    (tmp_path / ".model.json.1.part").write_text("left by a killed writer")
    said = []
    model = train(windows, split, configure(), folder=tmp_path, device="cpu", say=said.append)
    assert model.training["epochs"] == 8
    assert not list(tmp_path.glob(".*.part"))
    assert [sentence.split(": ")[1] for sentence in said] == [
        "expected a checkpoint, got a file that cannot be read; training starts anew"
    ]


def test_training_leaves_the_state_of_torch_as_it_was(windows, split, configure, tmp_path):
    before = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    stopped_after(1, windows, split, configure(), folder=tmp_path, device="cpu")
    train(windows, split, configure(), folder=tmp_path, device="cpu")
    after = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


def test_a_finished_model_is_replaced_whole(windows, split, configure, tmp_path):
    train(windows, split, configure("climatology"), folder=tmp_path, device="cpu")
    stopped_after(1, windows, split, configure(), folder=tmp_path, device="cpu")
    assert not (tmp_path / "model.json").exists()
    assert (tmp_path / "checkpoint.pt").exists()

"""A run of many trainings that was stopped goes on with those that were not finished, to the same bytes."""

import pytest

from flarecast.chain.stages import run_split
from flarecast.resources import Resources
from flarecast.schema import WINDOWS, save
from flarecast.train import course
from flarecast.train.trainings import train_all

KINDS = {
    "apart": {"ensemble": {"name": "deep", "options": {"members": 2, "stacked": "never"}}},
    "stacked": {"ensemble": {"name": "deep", "options": {"members": 2, "stacked": "always"}}},
    "snapshot": {"ensemble": {"name": "snapshot", "options": {"members": 2}}},
    "laplace": {"ensemble": {"name": "laplace", "options": {"members": 2}}},
    "swag": {
        "train": {
            "epochs": 4,
            "averaging_start": 0.5,
            "averaging": "swag",
            "averaging_options": {"members": 2},
        }
    },
}
KEPT = "trainings that were finished when this run was stopped are kept"
PLAIN = {"model": {"name": "logistic"}, "ensemble": {"name": "none"}, "train": {"averaging": "none"}}


def slow(kind):
    return pytest.param(kind, marks=pytest.mark.slow)


@pytest.fixture
def run(windows, configure, tmp_path, monkeypatch):
    """Train all: `run(kind, folder, stop, say)`, stopped at the start of a training where asked."""
    began = []

    def train_until(kind, folder, stop=None, say=str, train=None):
        settings = {"epochs": 2, "averaging": "none"} | KINDS[kind].get("train", {}) | (train or {})
        config = configure(
            "cnn",
            model={"options": {"channels": [4], "kernel": 3, "dropout": 0.2}},
            ensemble=KINDS[kind].get("ensemble", {}),
            train=settings,
            split={"strategy": "by_region"},
            calibrate={"fit_on": "out_of_fold", "folds": 2},
            rivals={"plain": PLAIN},
        )
        paths = tmp_path / "windows.nc", tmp_path / "split.nc"
        save(windows, paths[0], WINDOWS)
        run_split(paths[0], config, paths[1])
        began.clear()

        def stopping(*arguments, **options):
            began.append(arguments)
            if stop is not None and len(began) > stop:
                raise KeyboardInterrupt
            return fit(*arguments, **options)

        fit = course._fit
        with monkeypatch.context() as patch:
            patch.setattr(course, "_fit", stopping)
            train_all(*paths, config, tmp_path / folder, Resources("cpu", say=say))
        return len(began)

    return train_until


def files(folder):
    """Bytes and time of writing of all files, by name."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns) for path in found
    }


def contents(folder):
    return {name: content for name, (content, _) in files(folder).items()}


@pytest.mark.parametrize(
    "kind", ["apart", "swag", *(slow(kind) for kind in ("stacked", "snapshot", "laplace"))]
)
def test_a_run_that_was_stopped_goes_on_with_the_trainings_that_were_not_finished(kind, run, tmp_path):
    n = run(kind, "whole")
    for stop in (n - 1, n // 2):  # of the final model, and somewhere in the folds
        folder, said = f"stopped {stop}", []
        with pytest.raises(KeyboardInterrupt):
            run(kind, folder, stop=stop)
        finished = {path.parent: path.stat().st_mtime_ns for path in (tmp_path / folder).rglob("model.json")}
        assert finished
        assert tmp_path / folder not in finished
        assert run(kind, folder, say=said.append) < n
        assert said.count(KEPT) == 1
        assert contents(tmp_path / folder) == contents(tmp_path / "whole")
        assert all((one / "model.json").stat().st_mtime_ns == written for one, written in finished.items())


def test_what_was_finished_with_other_settings_is_trained_anew(run, tmp_path):
    n = run("apart", "whole", train={"learning_rate": 0.01})
    with pytest.raises(KeyboardInterrupt):
        run("apart", "stopped", stop=n - 1)
    run("apart", "stopped", train={"learning_rate": 0.01})
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_a_run_that_was_finished_trains_all_anew(run):
    said = []
    assert run("apart", "whole") == run("apart", "whole", say=said.append)
    assert KEPT not in said


def test_a_finished_model_that_was_damaged_since_is_trained_anew(run, tmp_path):
    n = run("swag", "whole")
    with pytest.raises(KeyboardInterrupt):
        run("swag", "stopped", stop=n - 1)
    weights = tmp_path / "stopped" / "folds" / "1" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert run("swag", "stopped") == 2
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")

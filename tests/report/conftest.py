"""A small run of the simulated Sun, made once."""

import pytest

from flarecast.chain import run_all
from flarecast.config import load_config
from flarecast.run_folder import RunFolder

CHANGES = (
    "ingest.options.n_regions=500",
    "split.strategy=by_region",
    "train.epochs=3",
    "evaluate.resamples=100",
)


SMALL = ("model.options.hidden=8", "model.options.layers=1")


def make(folder, changes=SMALL):
    """Make a run in a folder."""
    made = RunFolder(folder / "small <b>sun", folder / "windows.nc")
    run_all(load_config(None, (*CHANGES, *changes)), None, made)
    return made


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run with its report."""
    return make(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="session")
def plain_run(tmp_path_factory):
    """A run of one event, whose report is quick to make."""
    return make(tmp_path_factory.mktemp("plain"), ["events=['C1.0']", "model.name='logistic'"])


@pytest.fixture(scope="session")
def members_run(tmp_path_factory):
    """A run of one event whose model has members."""
    small = [
        "events=['C1.0']",
        "model.name='logistic'",
        "ensemble.name='bagging'",
        "ensemble.options.members=3",
    ]
    return make(tmp_path_factory.mktemp("members"), small)

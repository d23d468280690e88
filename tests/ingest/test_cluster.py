"""Archives read on a dask cluster: the same bytes as in one process, and one sentence where it fails."""

import sys

import numpy as np
import pytest
from click.testing import CliRunner

from flarecast.cli import main
from flarecast.errors import FlarecastError
from flarecast.ingest import cluster
from flarecast.ingest.cluster import spreading
from flarecast.ingest.sun.archive import write_archives
from flarecast.ingest.swan_sf import ingest_swan_sf


@pytest.fixture
def raw(tmp_path):
    """Five small archives; one of them also under another name, so that regions are in two."""
    folder = tmp_path / "raw"
    write_archives(folder, np.random.default_rng(0), windows=300, shuffle=True)
    (folder / "again").mkdir()
    first = folder / "partition1_instances.tar.gz"
    (folder / "again" / "partition5_instances.tar.gz").write_bytes(first.read_bytes())
    return folder


@pytest.fixture
def scheduler():
    """Address of a scheduler with a worker, both in this process."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
    ) as local:
        yield local.scheduler_address


def ingest(raw, out, *words):
    return CliRunner().invoke(main, ["ingest", "swan-sf", str(raw), "-o", str(out), *words])


def test_two_workers_write_the_bytes_that_one_process_writes(raw, tmp_path):
    for out, words in (("alone.nc", ()), ("spread.nc", ("--scheduler", "2"))):
        result = ingest(raw, tmp_path / out, *words)
        assert result.exit_code == 0, result.output
    assert (tmp_path / "alone.nc").read_bytes() == (tmp_path / "spread.nc").read_bytes()


def test_a_cluster_that_runs_elsewhere_is_reached_by_its_address_and_left_running(raw, tmp_path, scheduler):
    for out in ("one.nc", "two.nc"):
        result = ingest(raw, tmp_path / out, "--scheduler", scheduler)
        assert result.exit_code == 0, result.output
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "two.nc").read_bytes()


def test_an_error_on_the_cluster_is_the_sentence_of_one_process(raw, tmp_path, scheduler):
    for number in (2, 4):
        path = raw / f"partition{number}_instances.tar.gz"
        path.write_bytes(path.read_bytes()[:-1000])
    alone, spread = (ingest(raw, tmp_path / "w.nc", *words) for words in ((), ("--scheduler", scheduler)))
    assert alone.exit_code == spread.exit_code == 1
    assert spread.stderr == alone.stderr
    assert "partition2_instances.tar.gz: expected a whole archive" in alone.stderr
    assert not (tmp_path / "w.nc").exists()


def test_limits_hold_over_all_workers_together(raw, scheduler):
    (raw / "FQ_ar1_x.csv").write_text("no name of an instance")
    (raw / "again" / "FQ_ar2_x.csv").write_text("nor this")
    with (
        spreading(scheduler) as spread,
        pytest.raises(FlarecastError, match="2 windows cannot be read, more than max_bad_windows = 1"),
    ):
        ingest_swan_sf(raw, np.random.default_rng(0), spread, max_bad_windows=1)


def test_a_worker_without_the_files_or_the_program_is_said(scheduler):
    def fail(item):
        raise ImportError(f"no module for {item}")

    with (
        spreading(scheduler) as spread,
        pytest.raises(FlarecastError, match=r"expected workers that have this flarecast.*no module for 1"),
    ):
        list(spread(fail, [1]))


def test_where_no_scheduler_answers_is_one_sentence(raw, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    result = ingest(raw, tmp_path / "w.nc", "--scheduler", "tcp://127.0.0.1:1")
    assert result.exit_code == 1
    sentences = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(sentences) == 1
    assert "expected a dask scheduler with workers at tcp://127.0.0.1:1, got no answer" in sentences[0]


@pytest.mark.parametrize(
    "address", ["nowhere at all", "tcp://", "ftp://127.0.0.1:1", "host", "-1", "2.5", "²"]
)
def test_what_is_no_address_is_said_at_once(raw, tmp_path, address):
    result = ingest(raw, tmp_path / "w.nc", "--scheduler", address)
    assert result.exit_code == 1
    assert f"address of a dask scheduler like tcp://host:8786, got {address!r}" in result.stderr


def test_a_scheduler_without_workers_is_said(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with (
        LocalCluster(n_workers=0, processes=False, protocol="tcp", dashboard_address=None) as local,
        pytest.raises(FlarecastError, match="expected a dask scheduler with workers at tcp"),
        spreading(local.scheduler_address),
    ):
        pass


@pytest.mark.parametrize("number", ["0", "100000"])
def test_a_number_of_workers_that_cannot_be_is_said(raw, tmp_path, number):
    result = ingest(raw, tmp_path / "w.nc", "--scheduler", number)
    assert result.exit_code == 1
    assert f"expected 1 to 1024 workers, got {number}" in result.stderr


def test_without_dask_what_to_install_is_said(raw, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = ingest(raw, tmp_path / "w.nc", "--scheduler", "2")
    assert result.exit_code == 1
    assert "pip install 'flarecast[scale]'" in result.stderr


def test_a_source_of_one_piece_refuses_a_cluster(tmp_path):
    words = ["ingest", "simulated", "-o", str(tmp_path / "w.nc"), "--scheduler", "2"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    assert "--scheduler: expected a source of many archives (swan-sf), got simulated" in result.stderr

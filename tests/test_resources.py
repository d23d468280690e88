"""Processes that do the work: they end with the one that started them."""

import ast
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from flarecast.resources import end_with_parent

ROOT = Path(__file__).parents[1]

POOL = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from flarecast.resources import end_with_parent


def work(folder):
    Path(folder, str(os.getpid())).touch()
    time.sleep(300)


if __name__ == "__main__":
    with ProcessPoolExecutor(2, get_context("spawn"), end_with_parent) as pool:
        list(pool.map(work, 2 * [sys.argv[1]]))
"""


def test_workers_end_when_the_process_that_started_them_is_killed(tmp_path):
    (tmp_path / "pool.py").write_text(POOL, encoding="utf-8")
    (tmp_path / "at work").mkdir()
    command = [sys.executable, tmp_path / "pool.py", tmp_path / "at work"]
    workers = []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as started:
        try:
            while len(workers) < 2 and started.poll() is None:
                time.sleep(0.05)
                workers = [int(path.name) for path in (tmp_path / "at work").iterdir()]
            started.kill()
            started.communicate(timeout=60)  # returns when nobody is left to write to the pipe
        finally:
            for worker in workers:
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
    assert len(workers) == 2


def test_a_process_that_nobody_started_so_is_left_alone():
    assert end_with_parent() is None


def test_every_pool_of_processes_ends_with_its_parent():
    pools = []
    for path in sorted((ROOT / "flarecast").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ProcessPoolExecutor":
                pools.append("end_with_parent" in map(ast.unparse, node.args))
    assert pools
    assert all(pools)

"""The real Makefile, in a copy with small runs: what is made again, and what is not."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.skipif(
    shutil.which("make") is None or not (BIN / "flarecast").exists(),
    reason="make, or flarecast beside the running Python, is absent",
)

SETTINGS = re.findall(r"^(\w+) \?=", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
OF_THE_CALLER = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "FLARECAST_BASE_URL", *SETTINGS}
"""What the make that runs the tests may have set: it hands on each setting of its command line."""

TINY = """
events = ["C1.0"]
[ingest]
source = "simulated"
options = { n_regions = 100, n_steps = 4, cadence_minutes = 60 }
[split]
strategy = "by_region"
[model]
name = "climatology"
[evaluate]
resamples = 100
"""

DAYS = """
events = ["M1.0"]
[ingest]
source = "noaa-disk"
options = { history_days = 3 }
"""

FETCHED = """
events = ["M1.0"]
[download]
source = "noaa"
options = { only = ["DSD"], first_year = 2021, last_year = 2021 }
[ingest]
source = "noaa-disk"
options = { history_days = 3 }
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A clone without its tests, in a folder with a space in its name, and two small runs."""
    folder = tmp_path_factory.mktemp("the house")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in (("tiny", TINY), ("days", DAYS), ("fetched", FETCHED)):
        path = folder / "configs" / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for raw in ("raw", "other raw"):
        write_days(folder / raw, 40)
    (folder / "venv").mkdir()
    (folder / "venv" / "bin").symlink_to(BIN)
    (folder / "venv" / ".installed-dev").touch()
    return folder


def write_days(folder, n):
    """A file of daily solar data with `n` days of January and February."""
    folder.mkdir(exist_ok=True)
    lines = [
        f"2021 {1 + nth // 31:02d} {1 + nth % 31:02d}  75  25  10  0  -999  B1.0  1  0  0  0  0  0  0\n"
        for nth in range(n)
    ]
    (folder / "2021_DSD.txt").write_text(":Product: Daily Solar Data\n" + "".join(lines), encoding="utf-8")


def make(house, *words, code=0):
    """Call make and give what it printed."""
    environment = {name: value for name, value in os.environ.items() if name not in OF_THE_CALLER}
    result = subprocess.run(
        ["make", "VENV=venv", f"PYTHON={sys.executable}", *words],
        cwd=house,
        env={**environment, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout + result.stderr


def stages(text):
    """Commands of flarecast in what make printed."""
    return [line.split()[1] for line in text.splitlines() if line.startswith("venv/bin/flarecast ")]


def test_a_second_call_redoes_nothing_and_a_touched_config_redoes_all(house):
    chain = ["ingest", "split", "record", "audit", "train", "forecast", "calibrate", "evaluate"]
    first = make(house, "RUN=tiny", "train", "evaluate")
    assert sorted(stages(first)) == sorted(chain)
    for word in ("C1.0 or more, the test role", "data/runs/tiny/scores.json", "data/windows/tiny.nc"):
        assert word in first

    started = time.perf_counter()
    second = make(house, "RUN=tiny", "train", "evaluate")
    assert time.perf_counter() - started < 3
    assert stages(second) == []
    assert "C1.0 or more, the test role" in second  # the table is printed again, not made again

    (house / "configs" / "tiny.toml").touch()
    assert sorted(stages(make(house, "RUN=tiny", "-n", "train", "evaluate"))) == sorted(chain)


def test_the_data_follow_raw(house):
    windows = house / "data" / "windows" / "days.nc"
    assert stages(make(house, "RUN=days", "RAW=raw", "ingest")) == ["ingest"]
    before = windows.read_bytes()
    # The same folder by another name, or not named again: the data stay.
    for words in (["RAW=raw"], ["RAW=raw/"], [f"RAW={house / 'raw'}"], []):
        assert stages(make(house, "RUN=days", *words, "ingest")) == []

    write_days(house / "raw", 41)
    assert stages(make(house, "RUN=days", "ingest")) == []
    assert stages(make(house, "RUN=days", "RAW=raw", "ingest")) == ["ingest"]
    assert windows.read_bytes() != before

    assert stages(make(house, "RUN=days", "RAW=other raw", "ingest")) == ["ingest"]
    # Named once, RAW is known to later calls that redo the data.
    (house / "configs" / "days.toml").touch()
    assert '"' + str(house / "other raw") + '"' in make(house, "RUN=days", "-n", "ingest")


def test_a_raw_that_is_not_there_is_refused_and_leaves_good_data_good(house):
    make(house, "RUN=days", "RAW=raw", "ingest")
    assert "RAW=nowhere: expected a folder" in make(house, "RUN=days", "RAW=nowhere", "ingest", code=2)
    assert stages(make(house, "RUN=days", "ingest")) == []


@pytest.mark.slow
def test_a_run_that_says_what_to_download_fetches_it_where_raw_is_not_named(house, server):
    source, asked = server
    mirror = [f"FLARECAST_BASE_URL={source}", "RUN=fetched"]
    assert stages(make(house, *mirror, "ingest")) == ["download", "ingest"]
    assert (house / "data" / "raw" / "fetched" / "2021_DSD.txt").is_file()
    assert len(asked) == 1
    assert stages(make(house, *mirror, "ingest")) == []
    (house / "configs" / "fetched.toml").touch()
    assert stages(make(house, *mirror, "ingest")) == ["download", "ingest"]
    assert len(asked) == 1  # what is there and whole is not fetched again
    assert stages(make(house, "RUN=fetched", "RAW=raw", "ingest")) == ["ingest"]
    (house / "configs" / "fetched.toml").touch()
    assert stages(make(house, "RUN=fetched", "ingest")) == ["ingest"]  # RAW named once is remembered
    make(house, "RUN=fetched", "clean")
    assert (house / "data" / "raw" / "fetched" / "2021_DSD.txt").is_file()
    shutil.rmtree(house / "data" / "raw")


def test_without_network_and_raw_a_line_says_what_to_fetch_and_then_it_goes_on(house):
    words = ["FLARECAST_BASE_URL=http://no.such.host.invalid", "RUN=fetched", "ingest"]
    text = make(house, *words, code=2)
    assert "no.such.host.invalid is not known" in text
    assert "fetch by hand YEAR_DSD.txt" in text
    assert "make RUN=fetched RAW=folder" in text
    assert not (house / "data" / "windows" / "fetched.nc").exists()
    write_days(house / "data" / "raw" / "fetched", 40)
    assert stages(make(house, *words)) == ["download", "ingest"]
    make(house, "RUN=fetched", "clean")


@pytest.fixture
def server(house):
    """Address of a server of the folder `raw` by year, and the paths that it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = (house / "raw" / Path(self.path).name).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as here:
        threading.Thread(target=here.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{here.server_port}", asked
        here.shutdown()


def test_an_unknown_run_says_which_there_are_and_leaves_nothing(house):
    text = make(house, "RUN=nope", "train", code=2)
    assert "no such run; RUN is one of" in text
    assert "days" in text
    assert "tiny" in text
    assert not list((house / "data").rglob("nope*"))


@pytest.mark.parametrize("run", ["", "..", "a/b", "two words"])
def test_a_run_that_is_no_name_is_refused_before_anything_is_removed(house, run):
    kept = house / "data" / "runs" / "kept"
    kept.mkdir(parents=True, exist_ok=True)
    assert "expected the name of a run" in make(house, f"RUN={run}", "clean", code=2)
    assert kept.is_dir()


@pytest.mark.slow
def test_sunspots_that_are_named_are_drawn_into_a_page_that_is_there(house):
    assert stages(make(house, "RUN=tiny", "report"))[-1] == "report"
    assert stages(make(house, "RUN=tiny", "report")) == []
    (house / "the spots.csv").write_text("2012;03;2012.1;  80; 1.0;  9;1\n")
    make(house, "RUN=tiny", "report", "SUNSPOTS=the spots.csv")
    page = (house / "data/runs/tiny/report.html").read_text(encoding="utf-8")
    assert "WDC-SILSO" in page


def test_help_lists_every_target_and_clean_removes_one_run(house):
    text = make(house, "help")
    for target in ("setup", "ingest", "split", "train", "forecast", "calibrate", "evaluate", "test", "clean"):
        assert f"\n  {target} " in text
    make(house, "RUN=days", "RAW=raw", "ingest")
    make(house, "RUN=days", "clean")
    assert not list((house / "data").rglob("days*"))
    assert (house / "raw" / "2021_DSD.txt").is_file()

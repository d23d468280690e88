"""The house of DESIGN: imports point down, doors stay light, nothing heavy is loaded to print help."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "flarecast"

FLOORS = {
    "0": ("errors", "files", "schema", "goes", "cycles", "windows", "served"),
    "1a": (
        *("features", "scale", "losses", "averaging", "batches", "clusters", "decision", "flares", "memory"),
        *("optimizers", "references", "schedules", "seen", "skill", "uncertainty"),
    ),
    "1b": ("download", "ingest", "split", "balance", "models", "calibrators", "exchange", "selection"),
    "2": (
        *("config", "run_folder", "resources", "model_file", "ensembles", "train", "calibrate", "forecast"),
        *("evaluate", "audit", "compare", "describe", "report", "chain"),
        *("pretraining", "explain", "informative", "study"),
    ),
    "3": ("cli", "__main__"),
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
ORDER = list(FLOORS)
FOR_ALL = {"errors", "files", "__version__"}
NEIGHBOURS = {"windows": {"schema", "goes"}}
HEAVY = {
    "pandas",
    "xarray",
    "pydantic",
    "rich",
    "torch",
    "sklearn",
    "matplotlib",
    "numpy",
    "imblearn",
    "scipy",
    "pooch",
    "requests",
}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree, top_only=False):
    """Modules that a file imports, as dotted names; `from flarecast import goes` counts as flarecast.goes."""
    nodes = tree.body if top_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "flarecast":
                yield from (f"flarecast.{alias.name}" for alias in node.names)
            else:
                yield node.module


def rooms_used():
    for path in modules():
        room = room_of(path)
        for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
            if name.startswith("flarecast."):
                used = name.split(".")[1]
                if used != room:
                    yield room, used, path


def test_every_room_stands_on_a_floor():
    rooms = {room_of(path) for path in modules()} - {"__init__"}
    assert rooms <= set(FLOOR), f"no floor for {rooms - set(FLOOR)}"


def test_imports_point_down_and_siblings_of_floors_0_and_1_do_not_import_each_other():
    wrong = []
    for room, used, path in rooms_used():
        if room == "__init__" or used in FOR_ALL or used in NEIGHBOURS.get(room, ()):
            continue
        above, below = ORDER.index(FLOOR[room]), ORDER.index(FLOOR[used])
        if below > above or (below == above and FLOOR[room] in ("0", "1a", "1b")):
            wrong.append(f"{path.relative_to(ROOT)} imports {used}")
    assert not wrong


def test_floor_2_has_no_cycles():
    above = {room: set() for room in FLOORS["2"]}
    for room, used, _ in rooms_used():
        if room in above and used in above:
            above[room].add(used)
    done = set()
    while len(done) < len(above):
        ready = {room for room, used in above.items() if room not in done and used <= done}
        assert ready, f"a cycle among {set(above) - done}"
        done |= ready


def test_cli_modules_import_only_click_and_errors_at_the_top():
    for path in (PACKAGE / "cli").glob("*.py"):
        for name in imported(ast.parse(path.read_text(encoding="utf-8")), top_only=True):
            allowed = name.split(".")[0] in sys.stdlib_module_names or name.startswith(
                ("click", "flarecast.errors", "flarecast.cli", "flarecast.__version__")
            )
            assert allowed, f"{path.name} imports {name} at the top"


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from click.testing import CliRunner; from flarecast.cli import main;"
        "result = CliRunner().invoke(main, ['--help']); assert result.exit_code == 0, result.output;"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("stage", ["ingest", "split", "audit", "calibrate", "evaluate"])
def test_stages_without_a_model_do_not_load_torch(stage):
    code = f"import sys, importlib; importlib.import_module('flarecast.cli.{stage}'); import flarecast.chain;"
    code += "print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_no_forbidden_room_names():
    forbidden = {"utils", "helpers", "common", "manager", "base"}
    assert not {path.stem for path in modules()} & forbidden


def test_files_and_arguments_stay_small():
    """Size to aim at: file <= 300 lines, arguments <= 6 (ruff checks the arguments)."""
    assert not {
        str(p.relative_to(ROOT)): n for p in modules() if (n := len(p.read_text().splitlines())) > 320
    }


def test_torch_is_pinned_only_in_constraints_and_no_index_is_named():
    assert (ROOT / "constraints.txt").read_text().split() == ["torch==2.13.0"]
    for name in ("pyproject.toml", "Makefile", ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "torch==" not in text
        assert not re.search(r"index-url|download\.pytorch|--find-links|torchvision|\buv\b|poetry", text)
    assert "-c $(CONSTRAINTS)" in (ROOT / "Makefile").read_text(encoding="utf-8")

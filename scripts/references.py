"""Print the files that `evaluate` compares a run with, from evaluate.references of its configuration.

Usage: references.py CONFIG RUN_DIR. An entry without a suffix is a reader: its forecasts go to
RUN_DIR/<reader>.nc. Standard library only, because make calls it before anything is installed.
"""

import sys
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:
    sys.exit()  # a Python before 3.11; `make setup` says so

config, run = Path(sys.argv[1]), sys.argv[2]
try:
    evaluate = tomllib.loads(config.read_text(encoding="utf-8")).get("evaluate", {})
except (OSError, ValueError):
    evaluate = {}  # the first stage says what is wrong
names = evaluate.get("references", []) if isinstance(evaluate, dict) else []
print(*(str(name) if Path(str(name)).suffix else f"{run}/{name}.nc" for name in names))

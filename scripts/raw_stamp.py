"""Write the names, sizes and times of what lies in RAW to a stamp, unless the stamp already says so.

Usage: raw_stamp.py STAMP RAW. Without RAW an existing stamp stays: the data were made of it. Standard library
only, because make calls it before anything is installed.
"""

import sys
from pathlib import Path

stamp, raw = Path(sys.argv[1]), sys.argv[2]
if raw or not stamp.exists():
    files = sorted(path for path in Path(raw).rglob("*") if path.is_file()) if raw else []
    lines = [raw, *(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files)]
    text = "\n".join(lines) + "\n"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != text:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(text, encoding="utf-8")

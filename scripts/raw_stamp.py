"""Write the names, sizes and times of what lies in RAW to a stamp, unless the stamp already says so.

Usage: raw_stamp.py STAMP RAW [DOWNLOADED]. Without RAW it is the folder of downloads, where there is one,
else an existing stamp stays: the data were made of it. A RAW that is not there is refused, and the stamp
stays, so that a slip does not make good data look old. What `flarecast download` notes for itself, and
answers that `ingest sharp` keeps, do not count. Standard library only, because make calls it before anything
is installed.
"""

import sys
from pathlib import Path

stamp = Path(sys.argv[1])
raw = sys.argv[2] or next((folder for folder in sys.argv[3:] if Path(folder).is_dir()), "")
folder = Path(raw).resolve()
if not folder.exists():
    sys.exit(f"RAW={raw}: expected a folder of raw data, found none")
if raw or not stamp.exists():
    files = sorted(path for path in [folder, *folder.rglob("*")] if path.is_file()) if raw else []
    noted = ("flarecast-download.json", "flarecast-download.lock", ".part", ".part.json")
    kept = "sharp_cache"
    data = [path for path in files if not path.name.endswith(noted) and kept not in path.parts]
    lines = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in data]
    text = "\n".join([str(folder) if raw else "", *lines]) + "\n"
    content = text.encode(errors="surrogateescape")
    if not stamp.exists() or stamp.read_bytes() != content:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_bytes(content)

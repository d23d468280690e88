"""The table of docs/models.md: `flarecast study models` on its three data sets, one page of all.

Usage: models_table.py NOAA_TEXT AR_DAYS.csv NOAA_DAILY -o FOLDER [--workers N]. What is done stays done.
"""

import argparse
import subprocess
import sys
from pathlib import Path

CONFIGS = Path(__file__).parents[1] / "configs/studies"
PRESETS = ("regions", "ar-days", "disk")


def main() -> None:
    """Run the three studies one after the other and join their pages to FOLDER/models.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", nargs=3, type=Path, metavar="RAW")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--workers", default="1")
    given = parser.parse_args()
    pages = []
    for preset, raw in zip(PRESETS, given.raw, strict=True):
        folder = given.output / preset
        words = ["study", "models", raw, "-c", CONFIGS / f"models-{preset}.toml", "-o", folder]
        command = [sys.executable, "-m", "flarecast", *map(str, words), "--workers", given.workers]
        if subprocess.run(command, check=False).returncode:
            sys.exit(1)
        pages.append((folder / "models.md").read_text(encoding="utf-8"))
    (given.output / "models.md").write_text("\n".join(pages), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Which NOAA regions a HARP has: JSOC's list `all_harps_with_noaa_ars.txt` (definitive HARP numbers only).

HARPNUM NOAA_ARS
1 11067
49 11076,11080
"""

import re
from pathlib import Path

from flarecast.errors import FlarecastError
from flarecast.ingest.sharps.keywords import SERIES, Series

NAMES = ("all_harps_with_noaa_ars.txt", "harp_to_noaa.csv")
LARGEST = 10_000_000

_LINE = re.compile(r"\s*([1-9]\d{0,4})[\s,;]+([1-9]\d{4}(?:[,;\s]+[1-9]\d{4})*)[,;\s]*")
_MISFITS_SHOWN = 100


def read_map(raw: Path, series: Series) -> tuple[list[Path], dict[int, list[int]]]:
    """The list under a folder and NOAA numbers by HARP; nothing where there is none, or for the other series.

    Raises:
        FlarecastError: A file of that name holds something else.
    """
    if series is not SERIES["definitive"] or not raw.is_dir():
        return [], {}
    found = sorted(path for path in raw.rglob("*") if path.name in NAMES and path.is_file())
    if not found:
        return [], {}
    try:
        with found[0].open("rb") as file:
            text = file.read(LARGEST).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise FlarecastError(f"{found[0]}: cannot be read ({error.strerror or error})") from error
    return found[:1], parse_map(text, str(found[0]))


def parse_map(text: str, where: str) -> dict[int, list[int]]:
    """NOAA numbers by HARP.

    Raises:
        FlarecastError: A line but the first is none of `HARP NOAA[,NOAA...]`.
    """
    numbers: dict[int, list[int]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is not None:
            numbers[int(match[1])] = [int(part) for part in re.findall(r"\d+", match[2])]
        elif line.strip() and number > 1:
            raise FlarecastError(
                f"{where} line {number}: expected a HARP and its NOAA numbers like 49 11076,11080, got"
                f" {line.strip()[:_MISFITS_SHOWN]!r}; get JSOC's all_harps_with_noaa_ars.txt again"
            )
    return numbers

"""SHARP records, flares of their regions, and windows of both, for tests."""

import numpy as np

from flarecast.cycles import seconds
from flarecast.ingest.sharp import ingest_sharp

START = np.datetime64("2011-02-13T00:00:00")
STEP = np.timedelta64(720, "s")
"""Slots are TAI; in 2011 UTC is 34 s less."""

QUIET = ("2011-02-01T00:00Z", "C1.0", 11_100)
LAST = ("2011-03-01T00:00Z", "C1.0", 11_100)
"""Flares of a region that no HARP has: they say from when to when the list is complete."""


def t_rec(number, start=START):
    text = str(start + number * STEP)
    return f"{text[:10].replace('-', '.')}_{text[11:]}_TAI"


def record(number, harp=377, noaa="11158", start=START, **changed):
    """One record, 12 minutes a number after the start."""
    return {
        "HARPNUM": harp,
        "T_REC": t_rec(number, start),
        "QUALITY": "0x00000000",
        "OBS_VR": "1200.5",
        "LON_FWT": f"{-20 + 0.11 * number:.4f}",
        "LON_MIN": "-30",
        "LON_MAX": "-10",
        "CRVAL1": "30",
        "CRLN_OBS": "50",
        "NOAA_AR": noaa.split(",")[0] if noaa != "MISSING" else "0",
        "NOAA_ARS": noaa,
        "USFLUX": f"{(2 + harp / 1000) * 1e22:.6e}",
        "TOTUSJH": f"{1000 + number}",
        "TOTPOT": "1.5e+23",
        "R_VALUE": "4.5",
        "AREA_ACR": "500.25",
    } | changed


def write_table(path, records):
    names = list(records[0])
    lines = [",".join(names)]
    lines += [",".join(f'"{row[name]}"' if "," in str(row[name]) else str(row[name]) for name in names)
              for row in records]  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def write_flares(path, *flares):
    """A flare list: (peak, class, region), complete from the first to the last."""
    lines = ["Flare Class,Start Time,Peak Time,End Time,Active Region Number"]
    lines += [f"{cls},{peak},{peak},{peak},{region}" for peak, cls, region in flares]
    path.write_text("\n".join(lines) + "\n")
    return path


def two_days(**options):
    """Records of a HARP from the start on."""
    return [record(number, **options) for number in range(240)]


def put(raw, records, *flares):
    """A folder with those records, and a list with those flares where there are some."""
    write_table(raw / "records.csv", records)
    if flares:
        write_flares(raw / "flares.csv", QUIET, *flares, LAST)
    return raw


def ingest(raw, **options):
    return ingest_sharp(raw, np.random.default_rng(0), **options)


def window_at(windows, when, region="HARP 377"):
    """The window of a region that is issued then."""
    (found,) = np.flatnonzero(
        (windows["issue_time"].values == seconds(when)) & (windows["region"].values == region)
    )
    return windows.isel(window=found)

"""GOES X-rays as SWPC serves them: `xrays-6-hour.json`, `xrays-1-day.json`, `xrays-7-day.json`.

Two records a minute, one a channel. `flux` is corrected for electrons already; where the correction is too
large to be trusted the field that is spelled `electron_contaminaton` is true, and the record is left out.
"""

from pathlib import Path

import numpy as np

from flarecast import served
from flarecast.errors import FlarecastError
from flarecast.flares import clock
from flarecast.ingest.xrs.minutes import LARGEST_FLUX, Minutes, averaged
from flarecast.schema import NO_TIME

CHANNELS = {"0.05-0.4nm": 0, "0.1-0.8nm": 1}
CONTAMINATED = ("electron_contaminaton", "electron_contamination")
NO_MINUTE, NO_CHANNEL, NO_FLUX = "no time", "no channel", "no flux"


def read_live(path: Path, tally: served.Served) -> list[Minutes]:
    """Read one file: the minutes of each satellite in it.

    Args:
        path: The file.
        tally: Takes what became of its records.

    Raises:
        FlarecastError: It is no such file, or no record can be read.
    """
    samples: dict[int, list[tuple[float, float, float]]] = {}
    n_contaminated: dict[int, int] = {}
    records = served.read_records(path, "xrays", tally)
    for where, record, time in served.timed(records, _time, NO_TIME, tally):
        channel = CHANNELS.get(served.text(record, "energy"))
        flux = served.number(record, "flux", -1, LARGEST_FLUX)
        if time == NO_TIME:
            tally.skip(where, NO_MINUTE, "a time_tag like 2023-05-29T17:32:00Z", record.get("time_tag"))
        elif channel is None:
            tally.skip(where, NO_CHANNEL, f"an energy among {', '.join(CHANNELS)}", record.get("energy"))
        elif flux != flux:
            tally.skip(where, NO_FLUX, "a flux in W m-2", record.get("flux"))
        else:
            number = served.number(record, "satellite", 1, 99)
            satellite = int(number) if number == number else 0
            electrons = any(record.get(name) not in (False, None) for name in CONTAMINATED)
            n_contaminated[satellite] = n_contaminated.get(satellite, 0) + (electrons and channel == 1)
            value = np.nan if electrons else flux
            pair = (value, np.nan) if channel == 0 else (np.nan, value)
            samples.setdefault(satellite, []).append((float(time), *pair))
    if records and not samples:
        raise FlarecastError(f"{tally.first_bad}; no minute was read")
    pieces = []
    for satellite, rows in sorted(samples.items()):
        table = np.array(rows)
        minute, flux_by_minute = averaged(table[:, 0], table[:, 1:])
        n_samples = len(rows) // 2
        pieces.append(
            Minutes(minute, flux_by_minute, satellite, False, n_samples, 0, n_contaminated[satellite])
        )
    return pieces


def _time(record: served.Record) -> int:
    """Start of a record's minute; `NO_TIME` where it tells none."""
    return clock.moment(served.text(record, "time_tag"))

"""Damaged daily data, reports and forecast tables: rows and a count, or a FlarecastError; nothing else."""

import numpy as np
import pytest
from damaging import damage

from flarecast import schema
from flarecast.errors import FlarecastError
from flarecast.exchange import open_forecasts
from flarecast.exchange.swpc_rsga import read_swpc_rsga
from flarecast.ingest.noaa_disk import ingest_noaa_disk

DAY = "{}  151    108      810      0    -999      B5.8  12  1  0  9  1  0  0\n"
DAILY = """:Product: Daily Solar Data         2012_DSD.txt
:Issued: 0225 UT 20 Feb 2013
#  Prepared by the U.S. Dept. of Commerce, NOAA, Space Weather Prediction Center
#---------------------------------------------------------------------------
""" + "".join(DAY.format(f"2012 01 {day:02d}") for day in range(1, 32))
REPORT = """:Product: 0315RSGA.txt
:Issued: 2012 Mar 15 2200 UTC
Joint USAF/NOAA Report of Solar and Geophysical Activity
III.  Event Probabilities 16 Mar-18 Mar
Class M    30/30/25
Class X    05/05/01
Proton     05/05/01
PCAF       green
IV.   Penticton 10.7 cm Flux
"""
TABLE = "issue_time,valid_from,valid_to,region,event,probability,occurred\n" + "".join(
    f"{start},{start},2012-03-{day + 1:02d}T00:00:00Z,disk,M1.0,0.{day},1\n"
    for day in range(1, 29)
    for start in [f"2012-03-{day:02d}T00:00:00Z"]
)
CHARACTERS = b'0123456789,:;-./ TZ\t\n\r+eENnainf\x00\xff\xc3"'


READERS = {
    "daily data": ("2012_DSD.txt", DAILY, lambda folder, rng: ingest_noaa_disk(folder, rng, history_days=2)),
    "reports": ("20120315RSGA.txt", REPORT, lambda folder, _: read_swpc_rsga(folder)),
    "forecasts": ("f.csv", TABLE, lambda folder, _: open_forecasts(folder / "f.csv")),
}


@pytest.mark.parametrize("n_mutants", [700, pytest.param(7_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", READERS)
def test_a_damaged_text_gives_windows_or_one_sentence(tmp_path, kind, n_mutants):
    name, text, read = READERS[kind]
    rng, n_read, sentences = np.random.default_rng(2012), 0, []
    layout = schema.WINDOWS if kind == "daily data" else schema.FORECASTS
    for _ in range(n_mutants):
        (tmp_path / name).write_bytes(damage(text, CHARACTERS, rng))
        try:
            found = read(tmp_path, rng)
        except FlarecastError as error:
            sentences.append(str(error))
            continue
        schema.check(found, layout)
        n_read += 1
    assert n_read > n_mutants / 100  # forecasts are read strictly: a wrong cell refuses the table
    assert sentences
    assert all(len(sentence.splitlines()) == 1 for sentence in sentences)

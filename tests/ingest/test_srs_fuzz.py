"""Damaged region summaries and event reports: windows and a count, or a FlarecastError; nothing else."""

import numpy as np
import pytest
from damaging import damage

from flarecast import schema
from flarecast.errors import FlarecastError
from flarecast.flares.archives import Text
from flarecast.ingest.noaa_regions import ingest_noaa_regions
from flarecast.ingest.srs import SrsTally, parse_srs

SUMMARY = """:Product: 0308SRS.txt
:Issued: 2012 Mar 08 0030 UTC
# Prepared jointly by the U.S. Dept. of Commerce, NOAA,
Joint USAF/NOAA Solar Region Summary
SRS Number 68 Issued at 0030Z on 08 Mar 2012
I.  Regions with Sunspots.  Locations Valid at 07/2400Z
Nmbr Location  Lo  Area  Z   LL   NN Mag Type
1428 S17W05   319  0300 Dko  07   16 Beta
1429 N17E15   299  1270 Dkc  10   28 Beta-Gamma-Delta
1431 S24W64   019  0030 Dso  02   02 Beta
IA. H-alpha Plages without Spots.  Locations Valid at 07/2400Z Mar
Nmbr  Location  Lo
1427  N15W87   042
II. Regions Due to Return 08 Mar to 10 Mar
Nmbr Lat    Lo
1420 N11    216
"""
OLD_SUMMARY = """:Product: 19960106SRS.txt
:Issued: 1996 Jan 06 0030 UTC
SRS NUMBER 006 ISSUED AT 0030Z ON 06 JANUARY 1996
I. REGIONS WITH SUNSPOTS. LOCATIONS VALID AT 05/2400Z JANUARY
NMBR LOCATION  LO  AREA  Z   LL   NN MAG TYPE
7938  N12W41  187  0270 DSI  09  026 BETA
IA. H-ALPHA PLAGES WITHOUT SPOTS.  LOCATIONS VALID AT 05/2400Z
7935  N11W54   200
II. REGIONS DUE TO RETURN 06 JANUARY TO 08 JANUARY
NONE
"""
EVENTS = """:Date: 2012 03 08
#                            Edited Events for 2012 Mar 08
2160       0249   0253      0256  G15  5   XRA  1-8A      C7.2    1.5E-03   1428
"""
CHARACTERS = b"0123456789NSEW IA.XZ:-\t\n\r\x00\xff\xc3"


@pytest.mark.parametrize("n_mutants", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_summaries_give_regions_and_a_count(n_mutants):
    rng = np.random.default_rng(11429)
    n_regions = 0
    for number in range(n_mutants):
        text, name = ((SUMMARY, "20120308SRS.txt"), (OLD_SUMMARY, "19960106SRS.txt"))[number % 2]
        tally = SrsTally()
        summary = parse_srs(Text(name, name, damage(text, CHARACTERS, rng).decode("latin-1")), tally)
        assert summary is not None or tally.skipped
        for region in summary.regions if summary else ():
            n_regions += 1
            assert 0 < region.region < 100_000
            assert not abs(region.latitude) > 60
            assert not abs(region.longitude) > 180
            assert not region.area > 7000
    assert n_regions > 2 * n_mutants


@pytest.mark.parametrize("n_mutants", [150, pytest.param(1_500, marks=pytest.mark.slow)])
def test_damaged_folders_give_windows_or_one_sentence(tmp_path, n_mutants):
    rng = np.random.default_rng(8)
    names = {"20120308SRS.txt": SUMMARY, "19960106SRS.txt": OLD_SUMMARY, "20120308events.txt": EVENTS}
    n_windows = 0
    for _ in range(n_mutants):
        for name, text in names.items():
            (tmp_path / name).write_bytes(damage(text, CHARACTERS, rng))
        try:
            windows = ingest_noaa_regions(tmp_path, rng)
        except FlarecastError:
            continue
        schema.check(windows, schema.WINDOWS)
        n_windows += windows.sizes["window"]
    assert n_windows > n_mutants

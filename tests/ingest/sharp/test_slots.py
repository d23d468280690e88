"""T_REC: slots of 12 minutes of TAI."""

import numpy as np
import pytest

from flarecast import schema
from flarecast.cycles import iso
from flarecast.ingest.sharps import slots


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2011.02.15_00:00:00_TAI", "2011-02-14T23:59:26Z"),
        ("2012.06.30_23:48:00_TAI", "2012-06-30T23:47:26Z"),
        ("2012.07.01_00:12:00_TAI", "2012-07-01T00:11:25Z"),
        ("2015.07.01_12:00:00_TAI", "2015-07-01T11:59:24Z"),
        ("2017.01.01_12:00:00.000_TAI", "2017-01-01T11:59:23Z"),
        ("20250810_001200_TAI", "2025-08-10T00:11:23Z"),
        ("20250810_20250809_220000_TAI", "2025-08-09T21:59:23Z"),
        ("2010-05-01T00:00:00", "2010-04-30T23:59:26Z"),
        ("2010-05-01 00:00:00Z", "2010-04-30T23:59:26Z"),
    ],
)
def test_t_rec_is_tai_and_becomes_utc(text, utc):
    assert iso(slots.to_utc(np.array([slots.read_t_rec(text)]))[0]) == utc


@pytest.mark.parametrize(
    "text", ["", "2011.02.30_00:00:00_TAI", "2011.02.15_24:00:00_TAI", "MISSING", "1297"]
)
def test_what_is_no_t_rec_is_none(text):
    assert slots.read_t_rec(text) == schema.NO_TIME


def test_writing_a_t_rec_gives_what_was_read():
    assert slots.write_t_rec(slots.read_t_rec("2011.02.15_13:24:00_TAI")) == "2011.02.15_13:24:00_TAI"

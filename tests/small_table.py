"""A small table of rows, one of blocks, and their mappings, for the tests of tables."""

from copy import deepcopy

import numpy as np
import pytest

from flarecast.errors import FlarecastError
from flarecast.ingest.table import ingest_table

ROWS = """region,time,USFLUX,McIntosh,class
11429,2012-03-05T00:00:00Z,1.5,EKC,N
11429,2012-03-05T01:00:00Z,2.5,EKC,C1.5
11429,2012-03-05T02:00:00Z,,EKC,M
11430,2012-03-05T01:00:00Z,9e22,AXX,X5.4
"""
MAPPING = {
    "window": {"layout": "rows", "n_steps": 2, "cadence_minutes": 60.0, "sampling": "natural"},
    "region": {"column": "region"},
    "time": {"column": "time"},
    "features": {
        "USFLUX": "Mx",
        "zurich": {"column": "McIntosh", "unit": "1", "character": 1, "codes": {"A": 1, "E": 6}},
    },
    "outcome": {"class_column": "class", "quiet": ["N"]},
}


def read(tmp_path, text=ROWS, name="table.csv", **changes):
    """Ingest a text with the mapping, some keys of its sections changed."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    mapping = deepcopy(MAPPING)
    for section, keys in changes.items():
        replace = not isinstance(keys, dict) or section in ("features", "outcome")
        mapping[section] = keys if replace else mapping.get(section, {}) | keys
    return ingest_table(tmp_path / name, np.random.default_rng(0), **mapping)


def refused(tmp_path, text=ROWS, **changes):
    """Sentence with which a table or mapping is refused."""
    with pytest.raises(FlarecastError) as error:
        read(tmp_path, text, **changes)
    assert "\n" not in str(error.value)
    return str(error.value)


BLOCKS = "".join(
    f"{region},2012-03-0{day}T0{hour}:00:00Z,{hour},{letter}\n"
    for region, day, letter in ((11429, 5, "M"), (11430, 5, "N"), (11429, 6, "X"))
    for hour in range(3)
)
BLOCK_MAPPING = {
    "file": {"columns": ["region", "time", "USFLUX", "class"]},
    "window": {"layout": "blocks", "rows_per_block": 3, "n_steps": 3},
    "features": {"USFLUX": "Mx"},
}

OWN = """
[ingest]
source = "table"
options.max_bad_rows = 1

[ingest.options.window]
layout = "rows"
cadence_minutes = 60.0
sampling = "natural"

[ingest.options.region]
column = "region"

[ingest.options.time]
column = "time"

[ingest.options.features]
USFLUX = "Mx"

[ingest.options.outcome]
class_column = "class"
quiet = ["N"]
"""

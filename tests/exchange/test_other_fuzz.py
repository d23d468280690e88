"""Damaged files of other people's forecasts: forecasts and a count, or a FlarecastError; nothing else."""

import numpy as np
import pytest
from damaging import damage

from flarecast import schema
from flarecast.errors import FlarecastError
from flarecast.exchange import READERS
from flarecast.exchange.moswoc import METHODS

REGIONS = """{"_cached_at": "2025-10-24T20:00:00", "data": [
{"observed_date":"2025-10-24","region":4252,"latitude":-13,"longitude":20,"location":"S13E20",
"carrington_longitude":95,"area":100,"spot_class":"Hsx","status":"f","c_flare_probability":10,
"m_flare_probability":1,"x_flare_probability":0,"first_date":"2025-10-12T07:06:03"},
{"observed_date":"2025-10-23","region":4253,"latitude":17,"longitude":-104,"location":"N17W0*",
"carrington_longitude":null,"area":null,"spot_class":null,"status":"d","c_flare_probability":99,
"m_flare_probability":65,"x_flare_probability":15,"first_date":"2025-10-12T07:06:03"}]}
"""
DISK = """[{"date":"2025-10-24T00:00:00","c_class_1_day":99,"c_class_2_day":99,"c_class_3_day":99,
"m_class_1_day":10,"m_class_2_day":10,"m_class_3_day":10,"x_class_1_day":1,"x_class_2_day":1,
"x_class_3_day":1,"10mev_protons_1_day":1,"polar_cap_absorption":"green"},
{"date":"2025-10-23T00:00:00","c_class_1_day":95,"m_class_1_day":null,"x_class_1_day":1}]
"""
BOARD = """id,noaaID,lat,lon,model,prediction_window_start,prediction_window_end,issue_time,CPlus,MPlus,C,M,X
a,13180,19,-56.0,AMOS_v1,2023/1/1 0:00,2023/1/2 0:00,2023/1/1 0:30,0.253199995,0.0317,,,0.0012
b,13181,19,-56.0,AMOS_v1,2023/1/1 0:00,2023/1/2 0:00,2023/1/1 0:00,,1.2,0.495999992,0.223000005,0.101999998
"""
NETWORK = """T_REC,_modelType,CV0_prob,Nmbr,CV_average,Class,new_noaaid,predictday
20220218,LSTM,0.157,12946,0.192,N,12946,20220219
20220218,LSTM,0.14,12948,0.165,M,12948,20220219
"""
FILES = {
    "solar_regions.json": ("swpc-json", REGIONS),
    "solar_probabilities.json": ("swpc-json", DISK),
    "SWPC_fcast.txt": (
        "moswoc",
        "2014 01 01 00 00 60 60 60 15 15 15\n2014 01 02 00 00 70 70 70 30 30 30\n" * 3,
    ),
    "board.csv": ("scoreboard", BOARD),
    "network.csv": ("llmflarenet", NETWORK),
}
CHARACTERS = b"0123456789,:{}[]\"'.-+eE \t\n\rnulltrue\x00\xff\xc3\\"


@pytest.mark.parametrize("n_mutants", [700, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_files_give_forecasts_and_a_count_or_one_sentence(tmp_path, n_mutants):
    rng = np.random.default_rng(20251024)
    n_read = dict.fromkeys(FILES, 0)
    sentences = []
    for number in range(n_mutants):
        name = list(FILES)[number % len(FILES)]
        reader, text = FILES[name]
        path = tmp_path / name
        path.write_bytes(damage(text, CHARACTERS, rng))
        try:
            forecasts = READERS[reader](path)
        except FlarecastError as error:
            sentences.append(str(error))
            continue
        schema.check(forecasts, schema.FORECASTS)
        assert forecasts.sizes["window"] > 0
        assert (forecasts["valid_to"].values > forecasts["valid_from"].values).all()
        n_read[name] += 1
    assert not [sentence for sentence in sentences if "\n" in sentence or len(sentence) > 1000]
    n_each = n_mutants / len(FILES)
    for name, count in n_read.items():
        assert 0.02 * n_each < count < n_each, f"{name}: {count} of {n_each} mutants were read"


def test_the_undamaged_files_are_read(tmp_path):
    for name, (reader, text) in FILES.items():
        path = tmp_path / name
        path.write_text(text)
        assert READERS[reader](path).sizes["window"] > 0
    assert set(METHODS) == {"SWPC", "IFF"}

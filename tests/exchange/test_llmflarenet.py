"""Networks' daily forecasts of regions: what a line says, and what becomes of a bad one."""

from pathlib import Path

import numpy as np
import pytest

from flarecast import schema
from flarecast.cycles import seconds
from flarecast.errors import FlarecastError
from flarecast.exchange.llmflarenet import read_llmflarenet

DATA = Path(__file__).parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not (DATA / "operational").is_dir(), reason="../shared/data is not there")

NETWORKS = "T_REC,_modelType,JianceType,NOAA_ARS,Nmbr,CV_average,Class,new_noaaid,predictday"


def network(folder, *lines, name="LSTM"):
    (folder / f"{name}.csv").write_text("\n".join([NETWORKS, *lines]) + "\n")
    return folder


def network_line(p="0.2", cls="N", number="12946", day="20220219", model="LSTM"):
    return f"20220218,{model},TSS,12946,12946,{p},{cls},{number},{day}"


def test_a_network_forecasts_the_next_day_of_a_region_and_brings_its_class(tmp_path):
    lines = [
        network_line(cls=cls, day=f"202202{19 + nth}") for nth, cls in enumerate(("N", "C", "M", "X", ""))
    ]
    forecasts = read_llmflarenet(network(tmp_path, *lines))
    schema.check(forecasts, schema.FORECASTS)
    assert forecasts["occurred"].values.tolist() == [[0], [0], [1], [1], [-1]]
    assert forecasts["event"].values.tolist() == ["M1.0"]
    assert set(forecasts["region"].values) == {"NOAA 12946"}
    assert forecasts["issue_time"].values[0] == forecasts["valid_from"].values[0] == seconds("2022-02-19")
    assert forecasts["valid_to"].values[0] == seconds("2022-02-20")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (network_line(p="1.2"), "no probability"),
        (network_line(p=""), "no probability"),
        (network_line(p="nan"), "no probability"),
        (network_line(cls="Q"), "no class"),
        (network_line(number="x"), "no region"),
        (network_line(day="20220230"), "no day"),
        (network_line(day="2022-02"), "no day"),
    ],
)
def test_a_bad_line_of_a_network_is_counted_or_refused_where_it_is_the_only_one(tmp_path, bad, reason):
    assert read_llmflarenet(network(tmp_path, network_line(), bad)).attrs["skipped"] == f"{reason} 1"
    with pytest.raises(FlarecastError, match=rf"line 2: {reason} in"):
        read_llmflarenet(network(tmp_path, bad))


def test_of_several_networks_one_has_to_be_named(tmp_path):
    network(network(tmp_path, network_line()), network_line(p="0.7", model="GRU"), name="GRU")
    with pytest.raises(FlarecastError, match="one method among GRU, LSTM, got none named"):
        read_llmflarenet(tmp_path)
    assert read_llmflarenet(tmp_path, method="GRU")["probability"].values.tolist() == [[0.7]]


@needs_data
def test_the_networks_numbers_are_those_of_scikit_learn():
    forecasts = read_llmflarenet(DATA / "operational/ar_daily")
    occurred = forecasts["occurred"].values[:, 0] == 1
    probability = forecasts["probability"].values[:, 0]
    assert (occurred.size, occurred.sum(), forecasts.attrs["n_skipped"]) == (1944, 162, 0)
    assert np.mean((probability - occurred) ** 2) == pytest.approx(0.18053, abs=5e-6)

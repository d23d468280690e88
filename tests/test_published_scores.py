"""Other people's forecasts, read from CSV and scored, come out as published.

Expected values were computed with scikit-learn and numpy at decision threshold 0.5, Brier skill against the
sample's own base rate. Sources without times get consecutive ones, sources without regions blocks of rows.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flarecast.evaluate import evaluate
from flarecast.exchange.forecast_csv import read_csv

DATA = Path(__file__).parents[1] / "../shared/data"
SCORED = DATA / "scored"
OPERATIONAL = DATA / "operational"

needs_data = pytest.mark.skipif(not SCORED.is_dir(), reason="../shared/data is absent")


def solarflarenet() -> pd.DataFrame:
    """SolarFlareNet, C class, 24 h: no times and no regions in the file."""
    source = pd.read_csv(SCORED / "solarflarenet" / "C_24.csv")
    issue = pd.Timestamp("2010-05-01") + pd.to_timedelta(np.arange(len(source)), unit="h")
    region = [f"rows {nth // 100}" for nth in range(len(source))]
    return rows(issue, region, "C1.0", source["PredictionProbability"], source["FlareLabel"])


def full_disk_alexnet() -> pd.DataFrame:
    """Full-disk AlexNet, fold 1: hourly images named by their time."""
    source = pd.read_csv(SCORED / "fulldisk" / "fold1_alex.csv")
    stamp = source["timestamp"].str.extract(r"m(\d{4}\.\d\d\.\d\d_\d\d\.\d\d)")[0]
    issue = pd.to_datetime(stamp, format="%Y.%m.%d_%H.%M")
    return rows(issue, "disk", "M1.0", source["flare_prob"], source["target"])


def cnn_by_harp() -> pd.DataFrame:
    """CNN by HARP, test2: images named by HARP number and time."""
    source = pd.read_csv(SCORED / "cnn_harp" / "all_predictions.csv")
    source = source[source["dataset"] == "test2"]
    named = source["file_name"].str.extract(r"720s\.(\d+)\.(\d{8}_\d{6})_TAI")
    issue = pd.to_datetime(named[1], format="%Y%m%d_%H%M%S")
    return rows(issue, "HARP " + named[0], "M1.0", source["probability"], source["label"])


def daily_transformer() -> pd.DataFrame:
    """Daily forecasts of regions by a Transformer, mean of its ten folds; the class observed is a letter."""
    source = pd.read_csv(OPERATIONAL / "ar_daily" / "Transformer.csv")
    issue = pd.to_datetime(source["T_REC"].astype(str), format="%Y%m%d")
    occurred = source["Class"].str[0].isin(["M", "X"])
    return rows(issue, "NOAA " + source["NOAA_ARS"].astype(str), "M1.0", source["CV_average"], occurred)


def swpc(event: str, day: int) -> pd.DataFrame:
    """SWPC's forecast of a UTC day; the flare list dates a flare by the day on which it began."""
    folder = OPERATIONAL / "moswoc"
    source = pd.read_csv(folder / "SWPC_fcast.txt", sep=r"\s+", header=None)
    flares = pd.read_csv(folder / "MX_list.txt", sep=r"\s+", header=None, dtype=str)
    chosen = flares[flares[6].str[0].isin(["M", "X"] if event == "M1.0" else ["X"])]
    dates = set(pd.to_datetime(chosen[0] + chosen[1] + chosen[2], format="%Y%m%d"))
    issue = pd.to_datetime({"year": source[0], "month": source[1], "day": source[2]})
    valid_from = issue + pd.Timedelta(days=day - 1)
    percent = source[4 + day if event == "M1.0" else 7 + day]
    return rows(issue, "disk", event, percent / 100, valid_from.isin(dates), valid_from)


def rows(issue, region, event, probability, occurred, valid_from=None) -> pd.DataFrame:
    """Table with the columns of a forecast CSV, spans of a day."""
    issue = pd.Series(pd.to_datetime(issue)).reset_index(drop=True)
    start = issue if valid_from is None else valid_from.reset_index(drop=True)

    def iso(times):
        return times.dt.strftime("%Y-%m-%dT%H:%M:%SZ")

    return pd.DataFrame(
        {
            "issue_time": iso(issue),
            "valid_from": iso(start),
            "valid_to": iso(start + pd.Timedelta(days=1)),
            "region": region if isinstance(region, (str, list)) else region.to_numpy(),
            "event": event,
            "probability": np.asarray(probability, dtype=float),
            "occurred": np.asarray(occurred).astype(int),
        }
    )


def scored(table: pd.DataFrame, folder: Path) -> tuple[dict[str, float], dict]:
    """Values by score, and one whole record."""
    table.to_csv(folder / "forecasts.csv", index=False)
    content = evaluate(read_csv(folder / "forecasts.csv"), rng=np.random.default_rng(0), resamples=200)
    found = {one["score"]: one for one in content["records"] if one["subset"] == "all"}
    assert found["tss"]["decision_threshold"] == 0.5
    return {name: one["value"] for name, one in found.items()}, found["brier"]


@needs_data
@pytest.mark.parametrize(
    ("source", "n", "n_events", "expected"),
    [
        (solarflarenet, 42_827, 29_058, (-0.0614, 0.6542, 0.4693, 0.53044, -1.4317)),
        (daily_transformer, 1_944, 162, (0.6016, 0.4382, 0.8795, 0.18053, -1.3633)),
        (full_disk_alexnet, 14_788, 2_334, (0.5621, 0.5644, 0.8678, 0.12499, 0.0596)),
        (cnn_by_harp, 3_091, 1_552, (0.7623, 0.9296, 0.9439, 0.08916, 0.6434)),
    ],
)
def test_published_networks_come_out_to_four_digits(source, n, n_events, expected, tmp_path):
    values, record = scored(source(), tmp_path)
    assert (record["n"], record["n_events"]) == (n, n_events)
    names = ("tss", "average_precision", "roc_auc", "brier", "bss")
    for name, value in zip(names, expected, strict=True):
        assert values[name] == pytest.approx(value, abs=5.1e-5), name
    assert record["low"] < record["value"] < record["high"]


@needs_data
@pytest.mark.parametrize(
    ("event", "day", "n_events", "brier", "bss"),
    [
        ("M1.0", 1, 191, 0.1366, 0.168),
        ("M1.0", 2, 191, 0.1452, 0.116),
        ("M1.0", 3, 190, 0.1524, 0.068),
        ("X1.0", 1, 17, 0.0220, -0.217),
    ],
)
def test_swpc_2014_to_2016_comes_out_as_published(event, day, n_events, brier, bss, tmp_path):
    values, record = scored(swpc(event, day), tmp_path)
    assert (record["n"], record["n_events"]) == (923, n_events)
    assert values["brier"] == pytest.approx(brier, abs=5.1e-5)
    assert values["bss"] == pytest.approx(bss, abs=5.1e-4)
    assert 30 < record["n_blocks"] < 40

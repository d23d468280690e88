"""Bad input gets one sentence and exit 1 or 2, and nothing is half-written."""

import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from flarecast import schema
from flarecast.cli import main


def call(*words):
    """Run a command; a refusal must be one line without a traceback."""
    return CliRunner().invoke(main, [str(word) for word in words])


def assert_refused(result, *words, code=1):
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    lines = [line for line in result.output.splitlines() if line]
    if code == 1:
        assert len(lines) == 1, result.output
    for word in words:
        assert word in result.output


SMALL = (
    "--set",
    "ingest.options.n_regions=60",
    "--set",
    "split.strategy=by_region",
    "--set",
    "model.name=logistic",
)
SMALL += ("--set", "events=['C1.0']")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished small run; tests that damage it work on a copy."""
    folder = tmp_path_factory.mktemp("run")
    windows, out = folder / "windows.nc", folder / "run"
    result = call("run", *SMALL, "--windows", windows, "-o", out, "-q", "--set", "evaluate.resamples=100")
    assert result.exit_code == 0, result.output
    return windows, out


@pytest.mark.parametrize(
    "words",
    [
        ("ingest", "noaa-disk", "nowhere", "-o", "w.nc"),
        ("ingest", "simulated", "-c", "nowhere.toml", "-o", "w.nc"),
        ("read-forecasts", "swpc-rsga", "nowhere", "-o", "f.nc"),
        ("split", "nowhere.nc", "-o", "s.nc"),
        ("audit", "nowhere.nc", "nothing.nc"),
        ("audit", "nowhere"),
        ("train", "nowhere.nc", "nothing.nc", "-o", "model"),
        ("forecast", "nowhere.nc", "nothing", "-o", "f.nc"),
        ("calibrate", "nowhere.nc", "-o", "c.nc"),
        ("evaluate", "nowhere.nc"),
        ("evaluate", "nowhere.csv"),
        ("run", "-c", "nowhere.toml"),
    ],
)
def test_a_missing_file_is_named(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call(*words)
    assert_refused(result, "noth" if "nothing" in result.output else "nowhere")
    assert not list(tmp_path.iterdir())


def test_an_unknown_source_reader_or_part_lists_what_there_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sources = "noaa-disk, noaa-regions, sharp, simulated, swan-sf, table"
    assert_refused(call("ingest", "sdo", "-o", "w.nc"), sources, "'sdo'")
    assert_refused(call("read-forecasts", "met", ".", "-o", "f.nc"), "swpc-rsga", "'met'")
    for change, word in (
        ("model.name=oracle", "lstm"),
        ("split.strategy=random", "random_windows"),
        ("balance.name=rose", "smote, tomek_links, under_over, undersample"),
        ("balance.draw=always", "balance.draw"),
        ("balance={name='smote', options={neighbours='five'}}", "neighbours"),
        ("calibrate.name=gamma", "platt"),
        ("split.options.block=3", "known here"),
        ("train.epochs=many", "train.epochs"),
    ):
        assert_refused(call("ingest", "simulated", "--set", change, "-o", "w.nc"), word)
    assert_refused(
        call("run", "--set", "model.options.depth=3", "-o", "r", "--windows", "w.nc"), "known here"
    )
    assert_refused(call("run", "--set", "train.loss=wishes", "-o", "r", "--windows", "w.nc"), "cross_entropy")
    assert not list(tmp_path.iterdir())


def test_a_class_that_is_none_is_refused(tmp_path):
    assert_refused(call("ingest", "simulated", "--set", "events=['Z9']", "-o", tmp_path / "w.nc"), "'Z9'")


def test_usage_errors_exit_2():
    assert call("ingest").exit_code == 2
    assert call("nothing").exit_code == 2
    assert call("audit").exit_code == 2
    assert call("train", "w.nc", "s.nc", "-o", "m", "--device", "tpu").exit_code == 2
    assert call("audit", "w.nc", "s.nc", "--train", "a.csv", "--test", "b.csv").exit_code == 2
    assert call("audit", "--train", "a.csv").exit_code == 2


def test_every_command_explains_itself():
    from flarecast.cli import COMMANDS

    for name in COMMANDS:
        result = call(name, "-h")
        assert result.exit_code == 0
        assert "Usage:" in result.output


def test_an_output_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = call("ingest", "simulated", "-o", tmp_path / "file" / "w.nc")
    assert_refused(result, "cannot be written")
    for out in (tmp_path, "", "/dev/null"):
        assert_refused(call("ingest", "simulated", "-o", out), "cannot be written (it is there and no file)")
    for command in (("train", "w.nc", "s.nc"), ("record", "w.nc", "s.nc"), ("run",)):
        assert_refused(call(*command, "-o", tmp_path / "file"), "cannot be written")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_error_that_nobody_foresaw_is_one_line_and_a_traceback_with_v(tmp_path, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr("flarecast.chain.run_split", fail)
    result = call("split", "w.nc", "-o", tmp_path / "s.nc")
    assert_refused(result, "unexpected ZeroDivisionError: two lines; -v shows where")
    assert isinstance(call("split", "w.nc", "-o", tmp_path / "s.nc", "-v").exception, ZeroDivisionError)


def test_a_terminated_command_leaves_nothing_half_written(tmp_path):
    """SIGTERM while the file beside the output is written."""
    code = """
import os, pathlib, signal, sys
from flarecast.cli import main
def half(path, content):
    with open(path, "wb") as file:
        file.write(bytes(content)[:100])
    os.kill(os.getpid(), signal.SIGTERM)
pathlib.Path.write_bytes = half
main(["ingest", "simulated", "--set", "ingest.options.n_regions=5", "-o", sys.argv[1]])
"""
    result = subprocess.run([sys.executable, "-c", code, tmp_path / "w.nc"], capture_output=True, check=False)
    assert result.returncode == 128 + signal.SIGTERM, result.stderr
    assert not list(tmp_path.iterdir())


def test_a_reference_that_is_not_there_stops_a_run_before_it_starts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for names, word in (("['no.csv']", "'no.csv'"), ("['swpc']", "swpc-rsga"), ("['swpc-rsga']", "RAW")):
        assert_refused(call("run", "--set", f"evaluate.references={names}", "-o", "r"), word)
    assert not list(tmp_path.iterdir())


def test_windows_that_do_not_fit_themselves_are_refused_by_every_stage(run, tmp_path):
    windows, folder = run
    damaged = tmp_path / "damaged.nc"
    with xr.open_dataset(windows, engine="h5netcdf", decode_cf=False) as dataset:
        shifted = dataset.load().assign(first_row=dataset["first_row"] + 10**6)
    schema.save(shifted, damaged, schema.WINDOWS)
    for command in (
        ("split", damaged, "-o", tmp_path / "s.nc"),
        ("audit", damaged, folder / "split.nc"),
        ("train", damaged, folder / "split.nc", "-o", tmp_path / "m"),
        ("forecast", damaged, folder, "-o", tmp_path / "f.nc"),
        ("evaluate", folder / "calibrated.nc", "--truth", damaged),
    ):
        assert_refused(call(*command), "first_row and n_rows are not rows of one track")
    assert [path.name for path in tmp_path.iterdir()] == ["damaged.nc"]


def test_a_split_of_fewer_windows_or_no_fold_is_refused(run, tmp_path):
    windows, folder = run
    with xr.open_dataset(folder / "split.nc", engine="h5netcdf", decode_cf=False) as dataset:
        split = dataset.load()
    for name, part in (("few", split.isel(window=slice(0, 10))), ("none", split.isel(fold=slice(0, 0)))):
        schema.save(part, tmp_path / f"{name}.nc", schema.SPLIT)
        for command in (
            ("audit", windows),
            ("forecast", windows, folder, "-o", tmp_path / "f.nc", "--split"),
        ):
            assert_refused(call(*command, tmp_path / f"{name}.nc"), "split these windows again")
    assert not (tmp_path / "f.nc").exists()


def test_windows_without_a_value_are_not_forecast_and_counted(run, tmp_path):
    windows, folder = run
    with xr.open_dataset(windows, engine="h5netcdf", decode_cf=False) as dataset:
        silent = dataset.load().isel(window=slice(0, 7))
    silent["values"].values[:] = np.nan
    schema.save(silent, tmp_path / "silent.nc", schema.WINDOWS)
    result = call("forecast", tmp_path / "silent.nc", folder, "-o", tmp_path / "f.csv")
    assert "0 forecasts of C1.0" in result.stderr
    assert "7 windows hold no value and are not forecast" in result.stderr
    assert (tmp_path / "f.csv").read_text().splitlines()[1].endswith(",C1.0,,0")


def test_cuda_without_cuda_is_refused(run, tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    windows, folder = run
    result = call("train", windows, folder / "split.nc", *SMALL, "-o", tmp_path / "m", "--device", "cuda")
    assert_refused(result, "CUDA", "--device cpu")
    assert_refused(call("forecast", windows, folder, "-o", tmp_path / "f.nc", "--device", "cuda"), "CUDA")


def test_a_split_without_an_event_of_the_trained_class_is_refused(run, tmp_path):
    windows, folder = run
    result = call("train", windows, folder / "split.nc", "--set", "events=['X99.0']", "-o", tmp_path / "m")
    assert_refused(result, "X99.0", "train")
    assert not (tmp_path / "m").exists()


def test_a_split_of_other_windows_is_refused(run, tmp_path):
    _, folder = run
    other = tmp_path / "other.nc"
    assert call("ingest", "simulated", "--set", "ingest.options.n_regions=20", "-o", other).exit_code == 0
    assert_refused(call("train", other, folder / "split.nc", *SMALL, "-o", tmp_path / "m"), "windows")
    assert_refused(call("audit", other, folder / "split.nc"), "windows")


def test_a_damaged_model_is_refused(run, tmp_path):
    windows, folder = run
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    weights = copy / "model" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert_refused(call("forecast", windows, copy, "-o", tmp_path / "f.nc"), "model.safetensors")
    weights.write_bytes(data[:10])
    assert_refused(call("forecast", windows, copy, "-o", tmp_path / "f.nc"), "model.safetensors")
    (copy / "model" / "model.json").write_text("{", encoding="utf-8")
    assert_refused(call("forecast", windows, copy, "-o", tmp_path / "f.nc"), "model.json")
    assert not (tmp_path / "f.nc").exists()


def test_a_model_of_another_feature_set_or_window_is_refused(run, tmp_path):
    windows, folder = run
    other = tmp_path / "other.nc"
    made = call(
        "ingest",
        "simulated",
        "--set",
        "ingest.options.n_regions=20",
        "--set",
        "ingest.options.n_steps=30",
        "-o",
        other,
    )
    assert made.exit_code == 0, made.output
    assert_refused(call("forecast", other, folder, "-o", tmp_path / "f.nc"), "n_steps")
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    card = json.loads((copy / "model" / "model.json").read_text(encoding="utf-8"))
    card["features"][0] = "SOMETHING"
    (copy / "model" / "model.json").write_text(json.dumps(card), encoding="utf-8")
    assert_refused(call("forecast", windows, copy, "-o", tmp_path / "f.nc"), "SOMETHING")


def test_netcdf_of_another_kind_or_no_netcdf_is_refused(run, tmp_path):
    windows, folder = run
    assert_refused(call("split", folder / "split.nc", "-o", tmp_path / "s.nc"), "expected a windows file")
    assert_refused(call("evaluate", windows), "expected a forecasts file")
    (tmp_path / "text.nc").write_text("hello", encoding="utf-8")
    assert_refused(call("evaluate", tmp_path / "text.nc"), "no readable netCDF")
    cut = tmp_path / "cut.nc"
    cut.write_bytes(windows.read_bytes()[:5000])
    assert_refused(call("split", cut, "-o", tmp_path / "s.nc"), "no readable netCDF")


HEADER = "issue_time,valid_from,valid_to,region,event,probability,occurred\n"
ROW = "2012-03-07T00:00:00Z,2012-03-07T00:00:00Z,2012-03-08T00:00:00Z,disk,{},{},{}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEADER + ROW.format("M1.0", "1.203", "1"), "1.203"),
        (HEADER + ROW.format("M1.0", "60", "1"), "percent"),
        (HEADER + ROW.format("M1.0", "-0.1", "1"), "-0.1"),
        (HEADER + ROW.format("M1.0", "0", "0.6") + ROW.format("X1.0", "1", "0.2"), "swapped"),
        (HEADER + ROW.format("Z9", "0.6", "1"), "Z9"),
        (HEADER.replace("probability", "p") + ROW.format("M1.0", "0.6", "1"), "probability"),
        ("", "empty.csv"),
    ],
)
def test_a_csv_that_is_no_forecast_is_refused(text, words, tmp_path):
    path = tmp_path / ("empty.csv" if not text else "forecasts.csv")
    path.write_text(text, encoding="utf-8")
    assert_refused(call("evaluate", path, "-o", tmp_path / "scores.json"), words)
    assert not (tmp_path / "scores.json").exists()

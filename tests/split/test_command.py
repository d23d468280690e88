"""`flarecast split` says what each fold got, draws it, warns, and refuses in one sentence."""

import numpy as np
import pytest
from click.testing import CliRunner

from flarecast import schema
from flarecast.cli import main


@pytest.fixture(scope="module")
def windows(regions, tmp_path_factory):
    path = tmp_path_factory.mktemp("split") / "windows.nc"
    schema.save(regions, path, schema.WINDOWS)
    return path


def call(windows, out, *words):
    return CliRunner().invoke(main, ["split", str(windows), "-o", str(out), *map(str, words)])


def test_it_says_what_each_fold_got_and_draws_it(windows, tmp_path):
    words = ("--set", "split.strategy=k_fold_region", "--plot", tmp_path / "split.png")
    result = call(windows, tmp_path / "split.nc", *words)
    assert result.exit_code == 0, result.output
    assert "fold 4 (test part 5 of the regions) 0 unused, 1,800 train, " in result.stderr
    assert (tmp_path / "split.png").read_bytes().startswith(b"\x89PNG")


def test_out_of_fold_folds_are_made_where_the_configuration_asks(windows, tmp_path):
    words = ("--set", "calibrate.fit_on=out_of_fold", "--set", "calibrate.folds=3")
    assert call(windows, tmp_path / "split.nc", *words).exit_code == 0
    split = schema.open_file(tmp_path / "split.nc", schema.SPLIT)
    assert split["fold_use"].values.tolist() == [0, 1, 1, 1]


def test_it_warns_of_base_rates_that_differ(regions, tmp_path):
    flux = np.where(np.arange(3000) < 1500, 2e-5, 0.0)
    upper = np.where(flux > 0, flux, 9.9e-7)
    flaring = regions.assign(peak_flux=("window", flux), peak_flux_upper=("window", upper))
    schema.save(flaring, tmp_path / "windows.nc", schema.WINDOWS)
    words = ("--set", "split.strategy=by_time", "--set", "split.options.pattern=t")
    result = call(tmp_path / "windows.nc", tmp_path / "split.nc", *words)
    assert "warning: base rates of train and test differ by more than 2x: C1.0 0.71 and 0" in result.stderr


def test_it_refuses_in_one_sentence_before_it_writes(windows, tmp_path):
    cases = [
        (
            ("--set", "split.strategy=by_phase", "--set", "split.options.test=['25 rise']"),
            "25 rise, got none",
        ),
        (("--set", "split.returning=same"), 'choose "new"'),
        (("--plot", tmp_path / "split.gif"), ".png, .svg or .pdf"),
        (("--sunspots", tmp_path / "none.csv"), "--sunspots goes with --plot"),
    ]
    for words, message in cases:
        result = call(windows, tmp_path / "split.nc", *words)
        assert result.exit_code in (1, 2)
        assert message in result.stderr
        assert not (tmp_path / "split.nc").exists()

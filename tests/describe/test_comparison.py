"""Two windows files feature by feature: paired by region and time, or by NOAA number."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from made_windows import quiet_windows

from flarecast import cycles, schema
from flarecast.cli import main
from flarecast.describe import as_text, compare
from flarecast.errors import FlarecastError

START = cycles.seconds("2012-03-01")
STEP = 720
REGIONS = (("HARP 1449", "11429,11430"), ("HARP 377", "11158"))


@pytest.fixture
def save(tmp_path):
    """Write a file of regions with twenty rows each."""

    def write(name, values, regions=REGIONS, features=("USFLUX", "R_VALUE"), latency=12.0, shift=0):
        n_regions = len(regions)
        time = np.tile(START + STEP * np.arange(20), n_regions) + round(latency * 60) + shift
        track = np.repeat(np.arange(n_regions), 20)
        issue = time.reshape(n_regions, 20)[:, [9, 19]].ravel()
        window_track = np.repeat(np.arange(n_regions), 2)
        windows = quiet_windows(
            (values, time, track),
            (issue, window_track),
            n_steps=10,
            cadence_hours=0.2,
            feature=list(features),
            feature_unit=["Mx"] * len(features),
            region=np.repeat([region for region, _ in regions], 2),
            noaa_regions=np.repeat([noaa for _, noaa in regions], 2),
            peak_flux_upper=np.full(issue.size, np.inf),
            latency_minutes=latency,
        )
        schema.save(windows, tmp_path / name, schema.WINDOWS)
        return tmp_path / name

    return write


def rising():
    return np.stack([np.arange(1.0, 41.0), np.zeros(40)], axis=1)


def features_of(comparison):
    return {row["feature"]: row for row in comparison["tables"]["features"]}


def test_values_are_paired_by_region_and_time_of_observation(save):
    other = rising()
    other[:, 0] *= 1.5
    found = compare(save("a.nc", rising()), save("b.nc", other, latency=120.0))
    flux = features_of(found)["USFLUX"]
    assert flux["pairs"] == 40
    assert flux["median_ratio"] == 1.5
    assert flux["median_difference"] == 10.25
    assert flux["correlation"] == pytest.approx(1)
    assert (flux["first_only"], flux["second_only"]) == (0, 0)
    assert (flux["largest_difference"], flux["region"]) == (20, "HARP 377")
    assert flux["time"] == cycles.iso(START + 19 * STEP + 720)
    assert found["summary"]["pairs_of_rows"] == 40
    assert found["summary"]["paired_by_noaa_number"] == 0


def test_what_is_missing_in_one_only_is_told_and_what_is_undefined_is_none(save):
    values, others = rising(), rising()
    values[:4, 0], others[2:12, 0] = np.nan, np.nan
    found = features_of(compare(save("a.nc", values), save("b.nc", others)))
    assert found["USFLUX"]["pairs"] == 28
    assert found["USFLUX"]["first_only"] == 8 / 40
    assert found["USFLUX"]["second_only"] == 2 / 40
    assert found["R_VALUE"]["median_ratio"] is None, "nothing but zeros to divide by"
    assert found["R_VALUE"]["correlation"] is None
    assert found["R_VALUE"]["median_difference"] == 0
    others[:, 0] = np.nan
    nothing = features_of(compare(save("a.nc", values), save("c.nc", others)))["USFLUX"]
    assert (nothing["pairs"], nothing["median_difference"], nothing["region"]) == (0, None, "")


def test_harps_of_another_numbering_are_paired_by_noaa_number(save):
    others = np.concatenate([rising()[20:] + 100, rising()[:20] + 100])
    second = save("b.nc", others, (("NRT HARP 9", "11158"), ("NRT HARP 7", "11430,11431")), latency=120.0)
    found = compare(save("a.nc", rising()), second)
    assert found["summary"]["paired_by_noaa_number"] == 2
    assert features_of(found)["USFLUX"]["median_difference"] == 100
    pairs = {(row["region"], row["second"]) for row in found["tables"]["regions"]}
    assert pairs == {("HARP 1449", "NRT HARP 7"), ("HARP 377", "NRT HARP 9")}


@pytest.mark.parametrize(("shift", "n_pairs"), [(350, 40), (-350, 40), (720, 38)])
def test_times_pair_within_half_a_cadence_and_a_row_once(save, shift, n_pairs):
    found = compare(save("a.nc", rising()), save("b.nc", rising(), shift=shift))
    assert found["summary"]["pairs_of_rows"] == n_pairs


def test_large_values_do_not_overflow_the_correlation(save):
    values = rising()
    values[:, 0] *= 1e36
    assert features_of(compare(save("a.nc", values), save("b.nc", values)))["USFLUX"]["correlation"] == 1


def test_files_with_nothing_in_common_are_refused(save):
    first = save("a.nc", rising())
    with pytest.raises(FlarecastError, match="expected features in common"):
        compare(first, save("b.nc", rising(), features=("area", "extent")))
    with pytest.raises(FlarecastError, match="expected rows of one region"):
        compare(first, save("b.nc", rising(), (("HARP 1", ""), ("HARP 2", "11999"))))
    with pytest.raises(FlarecastError, match="expected rows of one region"):
        compare(first, save("b.nc", rising(), shift=864_000))


def test_the_command_prints_a_table_or_json(save):
    paths = [str(save(name, rising())) for name in ("a.nc", "b.nc")]
    shown = CliRunner().invoke(main, ["describe", "--compare", *paths])
    assert shown.exit_code == 0, shown.output
    assert "median_ratio" in shown.output
    as_json = json.loads(CliRunner().invoke(main, ["describe", "--json", "--compare", *paths]).output)
    assert as_json["kind"] == "comparison"
    assert as_text(as_json)
    assert CliRunner().invoke(main, ["describe", paths[0], "--compare", *paths]).exit_code == 2
    assert CliRunner().invoke(main, ["describe"]).exit_code == 2

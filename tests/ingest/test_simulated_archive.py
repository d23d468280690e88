"""The simulated Sun as SWAN-SF archives: what is written, and that reading it gives the same rows."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from flarecast import goes
from flarecast.errors import FlarecastError
from flarecast.ingest import simulated
from flarecast.ingest.sun import archive
from flarecast.ingest.swan.columns import COLUMNS
from flarecast.ingest.swan.names import parse_name
from flarecast.ingest.swan_sf import ingest_swan_sf
from flarecast.windows import gather

N_WINDOWS = 1_500


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The Sun that was simulated, and the folder of its archives."""
    folder = tmp_path_factory.mktemp("raw")
    suns = []

    def keep(*args, **options):
        suns.append(simulated.ingest_simulated(*args, **options))
        return suns[-1]

    patch = pytest.MonkeyPatch()
    patch.setattr(archive, "ingest_simulated", keep)
    written = archive.write_archives(
        folder,
        np.random.default_rng(5),
        windows=N_WINDOWS,
        first_date="2013-10",
        last_date="2013-12",
        shuffle=True,
    )
    patch.undo()
    return suns[-1], folder, written


def members(path):
    with tarfile.open(path) as packed:
        return [member.name for member in packed]


def test_there_are_five_archives_of_the_windows_asked_for(made):
    _, folder, written = made
    assert sorted(path.name for path in folder.iterdir()) == [
        f"partition{k}_instances.tar.gz" for k in range(1, 6)
    ]
    assert written.n_windows == sum(len(members(path)) for path in written.paths) == N_WINDOWS


def test_reading_gives_the_same_rows_and_windows(made):
    sun, folder, written = made
    windows = ingest_swan_sf(folder, np.random.default_rng(0))
    assert windows.sizes["window"] == N_WINDOWS
    assert windows.sizes["row"] == written.n_rows
    for count in ("n_conflicting_rows", "n_short_windows", "n_bad_rows", "n_skipped", "n_repeated_windows"):
        assert windows.attrs[count] == 0, count
    keys = zip(sun["region"].values, sun["issue_time"].values.tolist(), strict=True)
    of = {(region.replace("SIM", "HARP"), issue): k for k, (region, issue) in enumerate(keys)}
    keys = zip(windows["region"].values, windows["issue_time"].values.tolist(), strict=True)
    same = np.array([of[key] for key in keys])
    np.testing.assert_array_equal(gather(windows), gather(sun, same))
    first, row = windows["first_row"].values, sun["first_row"].values[same]
    for step in range(60):
        for name in ("time", "longitude"):
            np.testing.assert_array_equal(windows[name].values[first + step], sun[name].values[row + step])
    flux, expected = windows["peak_flux"].values, sun["peak_flux"].values[same]
    np.testing.assert_allclose(flux, expected, rtol=1e-12)
    numbers = [text.removeprefix("SIM-F") for text in sun["flare_id"].values[same]]
    assert list(windows["flare_id"].values) == numbers


def test_no_region_is_in_two_partitions_and_each_has_its_share(made):
    _, folder, _ = made
    windows = ingest_swan_sf(folder, np.random.default_rng(0))
    pairs = set(zip(windows["region"].values, windows["partition"].values.tolist(), strict=True))
    assert len(pairs) == len(set(windows["region"].values))
    assert {partition for _, partition in pairs} == {1, 2, 3, 4, 5}


def test_files_look_like_those_of_the_release(made):
    _, _, written = made
    with tarfile.open(written.paths[1]) as packed:
        for member in packed:
            folder, kind, name = member.name.split("/")
            instance = parse_name(name)
            assert folder == "partition2"
            assert kind == ("FL" if goes.at_least(instance.low, 1e-5) else "NF")
            assert instance.last - instance.first == 59 * 720
            lines = packed.extractfile(member).read().decode().split("\n")
            assert lines[0].split("\t") == list(COLUMNS)
            assert len(lines) == 62
            assert {line.count("\t") for line in lines[:61]} == {54}
    assert 600 < np.mean([len(line) for line in lines[1:61]]) < 800  # a real line has some 720 characters


def test_no_quiet_window_has_an_m_flare_without_region_ahead(made):
    sun, folder, _ = made
    windows = ingest_swan_sf(folder, np.random.default_rng(0))
    nameless = {
        (region.replace("SIM", "HARP"), issue)
        for region, issue, flux in zip(
            sun["region"].values, sun["issue_time"].values, sun["unassigned_peak_flux"].values, strict=True
        )
        if flux >= 1e-5
    }
    quiet = np.flatnonzero(goes.events(windows, "M1.0") == 0)
    keys = {(windows["region"].values[k], windows["issue_time"].values[k]) for k in quiet}
    assert nameless
    assert not nameless & keys


def test_the_same_seed_gives_the_same_bytes_and_order_is_by_name_unless_shuffled(tmp_path):
    for folder in ("one", "two"):
        archive.write_archives(tmp_path / folder, np.random.default_rng(3), windows=60)
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
        assert members(path) == sorted(members(path))


def test_too_few_windows_and_a_folder_that_cannot_be_are_said(tmp_path):
    with pytest.raises(FlarecastError, match=r"simulate\.windows: expected at least 5, got 4"):
        archive.write_archives(tmp_path, np.random.default_rng(0), windows=4)
    (tmp_path / "file").write_text("x")
    with pytest.raises(FlarecastError, match="cannot be written"):
        archive.write_archives(Path(tmp_path / "file"), np.random.default_rng(0), windows=10)

"""SWAN-SF read: what a window is, what its name says, lines stored once, from folders and archives."""

import gzip
import hashlib
import io
import shutil
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flarecast import goes, schema
from flarecast.errors import FlarecastError
from flarecast.ingest.swan import stream
from flarecast.ingest.swan.columns import COLUMNS, FEATURES
from flarecast.ingest.swan_sf import ingest_swan_sf
from flarecast.windows import gather

DATA = Path(__file__).parents[2] / "../shared/data/swan_sf"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/swan_sf is not there")

START = 1_330_953_840  # 2012-03-05 13:24
CADENCE = 720


def stamp(time, between=" "):
    return datetime.fromtimestamp(time, UTC).strftime(f"%Y-%m-%d{between}%H:%M:%S")


def line(time, value=None, columns=COLUMNS, **cells):
    """A line whose numbers follow from its time, so that lines of two windows agree."""
    value = (time - START) / CADENCE + 0.5 if value is None else value
    place = {"Timestamp": stamp(time), "LON_MIN": "-10.5", "LON_MAX": "20.0", "SPEI": "True"}
    place |= {name: repr(float(value + number)) for number, name in enumerate(FEATURES)} | cells
    return "\t".join(place.get(name, "None" if "LABEL" in name else "0.0") for name in columns)


def body(first=START, n_lines=60, columns=COLUMNS, end="\n", **cells):
    lines = ["\t".join(columns), *(line(first + k * CADENCE, None, columns, **cells) for k in range(n_lines))]
    return (end.join(lines) + end).encode()


def name(label="FQ", region=17, first=START, n_lines=60):
    last = first + (n_lines - 1) * CADENCE
    return f"{label}_ar{region}_s{stamp(first, 'T')}_e{stamp(last, 'T')}.csv"


def tar_of(files, path, mode="w:gz", **options):
    return tar_of_pairs(files.items(), path, mode, **options)


def tar_of_pairs(files, path, mode="w:gz", **options):
    with tarfile.open(path, mode, **options) as archive:
        for member, content in files:
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def hourly(n_windows=4, region=17, label="FQ", **options):
    """Files of windows that follow each other hourly."""
    starts = [START + 5 * CADENCE * k for k in range(n_windows)]
    return {name(label, region, first): body(first, **options) for first in starts}


def put(folder, files):
    for member, content in files.items():
        path = folder / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def read(raw, **options):
    windows = ingest_swan_sf(raw, np.random.default_rng(0), **options)
    schema.check(windows, schema.WINDOWS)
    return windows


def assert_same(one, two, but=()):
    assert list(one.variables) == list(two.variables)
    for variable in one.variables:
        if variable not in but:
            np.testing.assert_array_equal(one[variable].values, two[variable].values, err_msg=variable)


def test_a_window_is_its_sixty_lines_issued_at_the_last(tmp_path):
    windows = read(put(tmp_path, {name("M1.2@99:Primary"): body()}))
    assert windows.sizes == {"row": 60, "feature": 24, "window": 1}
    assert tuple(windows["feature"].values) == FEATURES
    assert windows["issue_time"].values[0] == START + 59 * CADENCE == windows["valid_from"].values[0]
    assert windows["valid_to"].values[0] - windows["valid_from"].values[0] == 86_400
    expected = np.arange(60)[:, None] + 0.5 + np.arange(24)
    np.testing.assert_array_equal(gather(windows)[0], expected.astype(np.float32))
    assert windows["region"].values[0] == "HARP 17"
    assert windows["flare_id"].values[0] == "99"
    np.testing.assert_array_equal(windows["longitude"].values, np.float32(4.75))
    assert windows.attrs["sampling"] == "filtered"
    assert windows.attrs["latency_minutes"] == 0


def test_nothing_that_holds_the_label_is_a_feature(tmp_path):
    windows = read(put(tmp_path, hourly()))
    told = [f for f in windows["feature"].values if "FLARE" in f or "LABEL" in f or "LOC" in f or "XR_" in f]
    assert not told
    other = read(put(tmp_path / "other", hourly(XR_MAX="9e-4", MFLARE="7", MFLARE_LABEL="M5.0@1:Primary")))
    np.testing.assert_array_equal(gather(windows), gather(other))


@pytest.mark.parametrize(
    ("label", "low", "high"),
    [
        ("X5.4@3386:Primary", 5.4e-4, 5.4e-4),
        ("M1.0@1:Secondary", 1e-5, 1e-5),
        ("X10.3@7:Primary", 1.03e-3, 1.03e-3),
        ("C1.0@2:Primary", 1e-6, 1e-6),
        ("B6.0@3:Primary", 6e-7, 6e-7),
        ("FQ", 0.0, 9.9e-8),
    ],
)
def test_the_class_in_the_name_is_the_peak_flux(tmp_path, label, low, high):
    for path, text in (("a", label), ("b", label.replace(":", "_"))):
        windows = read(put(tmp_path / path, {name(text): body()}))
        assert windows["peak_flux"].values[0] == pytest.approx(low)
        assert windows["peak_flux_upper"].values[0] == pytest.approx(high)
        assert (goes.events(windows, "M1.0") >= 0).all()


def test_the_floor_of_the_list_bounds_what_quiet_means(tmp_path):
    windows = read(put(tmp_path, hourly()), list_floor="C1.0")
    np.testing.assert_allclose(windows["peak_flux_upper"].values, 9.9e-7)
    assert (goes.events(windows, "C1.0") == 0).all()
    assert (goes.events(windows, "B5.0") == -1).all()


def test_names_of_the_toolkit_and_names_that_windows_allows_say_the_same(tmp_path):
    last = START + 59 * CADENCE
    toolkit = f"lab[M]1.2@99_id[17]_st[{stamp(START, 'T')}]_et[{stamp(last, 'T')}].csv"
    official = name("M1.2@99:Primary")
    names = [official, official.replace(":", "_"), toolkit, toolkit.replace(":", "_")]
    read_all = [read(put(tmp_path / str(k), {text: body()})) for k, text in enumerate(names)]
    for windows in read_all[1:]:
        assert_same(read_all[0], windows)
    quiet = f"lab[NF]_id[17]_st[{stamp(START, 'T')}]_et[{stamp(last, 'T')}].csv"
    assert read(put(tmp_path / "q", {quiet: body()}))["peak_flux"].values[0] == 0
    bare = f"lab[C]_id[17]_st[{stamp(START, 'T')}]_et[{stamp(last, 'T')}].csv"
    windows = read(put(tmp_path / "bare", {bare: body()}))
    assert (windows["peak_flux"].values[0], windows["peak_flux_upper"].values[0]) == (1e-6, 9.9e-6)


def test_a_line_is_stored_once_however_many_windows_share_it(tmp_path):
    windows = read(put(tmp_path, hourly(13)))
    assert windows.sizes["window"] == 13
    assert windows.sizes["row"] == 60 + 12 * 5
    assert windows.attrs["n_lines_read"] == 13 * 60
    assert windows.attrs["n_conflicting_rows"] == 0
    values = gather(windows)
    for k, first in enumerate(range(0, 65, 5)):
        np.testing.assert_array_equal(values[k, :, 0], np.arange(first, first + 60) + 0.5)


def test_the_order_of_files_changes_nothing(tmp_path):
    files = hourly(9) | hourly(7, region=4, label="C2.0@5:Primary")
    shuffled = dict(np.random.default_rng(1).permutation(np.array(list(files.items()), dtype=object)))
    one = read(tar_of(files, tmp_path / "a.tar.gz"))
    two = read(tar_of(shuffled, tmp_path / "b.tar.gz"))
    assert_same(one, two)
    assert list(one["region"].values) == ["HARP 4"] * 7 + ["HARP 17"] * 9


def test_folders_and_archives_of_any_kind_give_the_same(tmp_path):
    files = {
        f"partition2/FL/{member}": content for member, content in hourly(5, label="M1.0@1:Primary").items()
    }
    folder = read(put(tmp_path / "folder", files))
    assert set(folder["partition"].values) == {2}
    (tmp_path / "tar").mkdir()
    archives = {
        "a.tar.gz": {},
        "b.tgz": {"format": tarfile.GNU_FORMAT},
        "c.tar": {"mode": "w", "format": tarfile.USTAR_FORMAT},
        "d.tar.gz": {"format": tarfile.PAX_FORMAT},
    }
    for path, options in archives.items():
        assert_same(folder, read(tar_of(files, tmp_path / "tar" / path, **options)))
    long = {f"{'x' * 120}/{member}": content for member, content in files.items()}
    for kind in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        assert_same(folder, read(tar_of(long, tmp_path / "tar" / "long.tar.gz", format=kind)))
    with_folders = tmp_path / "tar" / "folders.tar.gz"
    with tarfile.open(with_folders, "w:gz") as archive:
        archive.add(tmp_path / "folder" / "partition2", "partition2")
    assert_same(folder, read(with_folders))


def test_an_archive_may_be_several_gzip_members_or_several_archives_in_a_row(tmp_path):
    files = hourly(5)
    whole = tar_of(files, tmp_path / "whole.tar", "w").read_bytes()
    cut = 33_333
    (tmp_path / "members.tar.gz").write_bytes(gzip.compress(whole[:cut]) + gzip.compress(whole[cut:]))
    assert_same(read(tmp_path / "whole.tar"), read(tmp_path / "members.tar.gz"))
    halves = [dict(list(files.items())[:2]), dict(list(files.items())[2:])]
    parts = [tar_of(half, tmp_path / f"{k}.tar.gz").read_bytes() for k, half in enumerate(halves)]
    (tmp_path / "row.tar.gz").write_bytes(b"".join(parts))
    assert_same(read(tmp_path / "whole.tar"), read(tmp_path / "row.tar.gz"))


@pytest.mark.parametrize("size", [499, 512, 33_333])
def test_how_a_stream_is_cut_into_pieces_changes_nothing(tmp_path, monkeypatch, size):
    files = hourly(3)
    last = list(files)[-1]
    files[last] = files[last].removesuffix(b"\n")
    for path, mode in (("a.tar", "w"), ("a.tar.gz", "w:gz")):
        tar_of(files, tmp_path / path, mode)
        whole = read(tmp_path / path)
        with monkeypatch.context() as patched:
            patched.setattr(stream, "_PIECE", size)
            assert_same(whole, read(tmp_path / path))


def test_the_archives_hash_is_that_of_its_bytes(tmp_path):
    path = tar_of(hourly(2) | {"other.bin": np.random.default_rng(0).bytes(3 << 20)}, tmp_path / "a.tar.gz")
    whole = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read(path).attrs["source_files"] == f"{whole} a.tar.gz"


def test_the_partition_is_the_innermost_part_of_the_path(tmp_path):
    tar_of(hourly(1, region=1), tmp_path / "partition3_instances.tar.gz")
    inside = {f"partition4/NF/{member}": content for member, content in hourly(1, region=2).items()}
    tar_of(inside, tmp_path / "partition5_instances.tar.gz")
    put(tmp_path / "apartition2", hourly(1, region=3))
    assert list(read(tmp_path)["partition"].values) == [3, 4, 0]


def test_a_region_in_two_archives_is_one_track(tmp_path):
    files = list(hourly(9).items())
    whole = read(tar_of(dict(files), tmp_path / "whole.tar.gz"))
    (tmp_path / "apart").mkdir()
    tar_of(dict(files[:5]) | hourly(2, region=3), tmp_path / "apart" / "1.tar.gz")
    tar_of(dict(files[3:]) | hourly(2, region=30), tmp_path / "apart" / "2.tar.gz")
    apart = read(tmp_path / "apart")
    assert apart.attrs["n_repeated_windows"] == 2
    mine = np.flatnonzero(apart["region"].values == "HARP 17")
    np.testing.assert_array_equal(gather(apart, mine), gather(whole))
    rows = apart["track"].values == apart["track"].values[apart["first_row"].values[mine[0]]]
    assert rows.sum() == whole.sizes["row"]
    assert len(apart.attrs["source_files"].splitlines()) == 2


@pytest.mark.parametrize("seed", range(4))
def test_archives_read_apart_give_what_one_archive_gives_even_where_they_contradict(tmp_path, seed):
    rng = np.random.default_rng(seed)
    files = []
    for first, region in zip(rng.integers(0, 90, 40).tolist(), rng.integers(1, 4, 40).tolist(), strict=True):
        begin = START + first * CADENCE
        lines = [line(begin + k * CADENCE) for k in range(60)]
        if rng.random() < 0.3:
            wrong = int(rng.integers(60))
            lines[wrong] = line(begin + wrong * CADENCE, value=float(rng.integers(3)))
        content = "\n".join(["\t".join(COLUMNS), *lines]).encode()
        files.append((name(region=region, first=begin), content))
    (tmp_path / "one").mkdir()
    (tmp_path / "apart").mkdir()
    # A tar keeps files of the same name, and reading goes in its order.
    cuts = [0, *sorted(rng.choice(np.arange(1, 40), 2, replace=False).tolist()), 40]
    for k in range(3):
        tar_of_pairs(files[cuts[k] : cuts[k + 1]], tmp_path / "apart" / f"{k}.tar.gz")
    tar_of_pairs(files, tmp_path / "one" / "0.tar.gz")
    one, apart = read(tmp_path / "one"), read(tmp_path / "apart")
    assert one.attrs["n_conflicting_rows"] > 0
    assert_same(one, apart)
    for count in ("n_conflicting_rows", "n_conflicting_windows", "n_repeated_windows", "n_truncated"):
        assert one.attrs[count] == apart.attrs[count], count


def test_missing_rows_and_cells_are_kept_as_missing(tmp_path):
    empty = dict.fromkeys(FEATURES, "") | {"LON_MIN": "", "LON_MAX": ""}
    cells = {3: empty, 7: {"TOTBSQ": "NA"}, 8: {"TOTUSJH": "NaN", "R_VALUE": "0.0"}, 59: {"R_VALUE": ""}}
    lines = [line(START + k * CADENCE, **cells.get(k, {})) for k in range(60)]
    content = "\n".join(["\t".join(COLUMNS), *lines]).encode()  # and no newline at the end
    windows = read(put(tmp_path, {name(): content}))
    values = gather(windows)[0]
    assert windows.sizes["row"] == 60
    assert windows.attrs["n_bad_rows"] == 0
    assert np.isnan(values[3]).all()
    assert np.isnan(windows["longitude"].values[3])
    assert np.isnan(values[7, FEATURES.index("TOTBSQ")])
    assert np.isnan(values[8, 0])
    assert values[8, -1] == 0
    assert np.isnan(values).sum() == 24 + 1 + 1 + 1


def test_columns_are_found_by_name_whatever_their_order_case_and_number(tmp_path):
    official = read(put(tmp_path / "a", hourly(3)))
    mixed = (*reversed(COLUMNS), "NOAA_AR")
    other = read(put(tmp_path / "b", hourly(3, columns=mixed, NOAA_AR="11884;1889;")))
    assert_same(official, other, but=("noaa_regions",))
    assert set(other["noaa_regions"].values) == {"11884,11889"}
    lower = {key: value.replace(b"TOTUSJH", b"totusjh") for key, value in hourly(3).items()}
    assert_same(official, read(put(tmp_path / "c", lower)))
    windows_ends = read(put(tmp_path / "d", hourly(3, end="\r\n")))
    assert_same(official, windows_ends)


def test_noaa_numbers_are_those_of_the_windows_own_rows(tmp_path):
    columns = (*COLUMNS, "NOAA_AR")
    first, later = [], []
    for k in range(65):
        text = line(START + k * CADENCE, None, columns, NOAA_AR="11884" if k < 60 else "11890;11884")
        (first if k < 60 else later).append(text)
    header = "\t".join(columns)
    files = {
        name(): "\n".join([header, *first]).encode(),
        name(first=START + 5 * CADENCE): "\n".join([header, *first[5:], *later]).encode(),
    }
    assert list(read(put(tmp_path, files))["noaa_regions"].values) == ["11884", "11884,11890"]


def test_values_that_contradict_get_a_track_of_their_own_and_are_counted(tmp_path):
    files = hourly(3)
    third = list(files)[2]
    lines = files[third].decode().split("\n")
    lines[11] = line(START + 20 * CADENCE, value=-5.0)
    files[third] = "\n".join(lines).encode()
    windows = read(put(tmp_path, files))
    assert windows.sizes["row"] == 65 + 60
    assert windows.attrs["n_conflicting_rows"] == 1
    assert windows.attrs["n_conflicting_windows"] == 1
    assert set(windows["region"].values) == {"HARP 17"}
    values = gather(windows)
    np.testing.assert_array_equal(values[:2, :, 0] - np.arange(60), [[0.5] * 60, [5.5] * 60])
    assert values[2, 10, 0] == -5.0
    assert values[2, 11, 0] == 21.5


def test_a_series_of_another_phase_is_a_track_of_its_own(tmp_path):
    shifted = START + 240
    windows = read(put(tmp_path, hourly(2) | {name(first=shifted): body(shifted)}))
    assert windows.sizes["row"] == 65 + 60
    assert len(np.unique(windows["track"].values)) == 2
    assert windows.attrs["n_conflicting_rows"] == 0


def test_windows_whose_label_saw_less_than_a_day_are_counted(tmp_path):
    windows = read(put(tmp_path, hourly(30)))
    last = windows["issue_time"].values.max()
    assert windows.attrs["n_truncated"] == (last - windows["issue_time"].values < 86_400).sum() == 24


def test_a_file_with_a_line_missing_is_a_window_with_a_step_missing(tmp_path):
    lines = body().decode().split("\n")
    del lines[31]
    windows = read(put(tmp_path, {name(): "\n".join(lines).encode()}))
    assert windows.attrs["n_short_windows"] == 1
    assert windows.sizes["row"] == 59
    values = gather(windows)[0, :, 0]
    assert np.flatnonzero(np.isnan(values)).tolist() == [30]
    both = read(put(tmp_path, hourly(2)))  # the second window has the line
    assert both.sizes["row"] == 65


def test_a_window_given_twice_counts_once_and_another_label_for_it_is_counted(tmp_path):
    put(tmp_path / "1", hourly(1, label="C1.0@8:Primary"))
    put(tmp_path / "2", hourly(1, label="M1.0@9:Primary"))
    windows = read(tmp_path)
    assert windows.sizes["window"] == 1
    assert windows["peak_flux"].values[0] == 1e-6
    assert windows.attrs["n_repeated_windows"] == windows.attrs["n_relabelled_windows"] == 1


def test_other_files_are_passed_over_and_counted(tmp_path):
    files = hourly(2) | {"README.txt": b"hello", "labels.csv": b"a,b\n1,2\n"}
    windows = read(tar_of(files, tmp_path / "partition1_instances.tar.gz"))
    assert windows.attrs["n_other_files"] == 2
    assert windows.attrs["n_files"] == windows.sizes["window"] == 2


def test_the_file_written_reads_back(tmp_path):
    windows = read(put(tmp_path / "raw", hourly(3)))
    schema.save(windows, tmp_path / "windows.nc", schema.WINDOWS)
    assert_same(windows, schema.open_file(tmp_path / "windows.nc", schema.WINDOWS))


@needs_data
def test_the_real_files_of_both_kinds_hold_what_pandas_finds_in_them():
    windows = read(DATA)
    assert windows.sizes["window"] == 20
    assert windows.attrs["n_bad_rows"] == windows.attrs["n_skipped"] == 0
    values = gather(windows)
    of = {
        (str(r), int(t)): k
        for k, (r, t) in enumerate(zip(windows["region"].values, windows["issue_time"].values, strict=True))
    }
    n_cells = 0
    for path in sorted(DATA.rglob("*.csv")):
        if path.name == "extracted_features.csv":
            continue
        table = pd.read_csv(path, sep="\t")
        region = (
            path.name.split("_ar")[1].split("_")[0]
            if "_ar" in path.name
            else path.name.split("id[")[1].split("]")[0]
        )
        last = int(pd.Timestamp(table["Timestamp"].iloc[-1]).timestamp())
        expected = table[list(FEATURES)].to_numpy(dtype=np.float64).astype(np.float32)
        np.testing.assert_array_equal(values[of[f"HARP {region}", last]], expected)
        n_cells += expected.size
    assert n_cells == 20 * 60 * 24


@needs_data
def test_the_real_files_share_their_lines_and_say_their_flares(tmp_path):
    windows = read(DATA / "official_instances")
    assert windows.sizes["row"] == 60 + 11 * 10  # twelve windows, two hours apart
    assert set(windows["flare_id"].values) == {"3386"}
    np.testing.assert_allclose(windows["peak_flux"].values, 5.4e-4)
    assert (np.abs(windows["longitude"].values) < 60).mean() > 0.9
    toolkit = read(DATA / "toolkit_instances")
    noaa = dict(zip(toolkit["region"].values, toolkit["noaa_regions"].values, strict=True))
    assert noaa["HARP 3321"] == "11884,11885"
    assert goes.events(toolkit, "M1.0").sum() == 3
    archive = tmp_path / "partition1_instances.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(DATA / "official_instances", "partition1")
    assert_same(windows, read(archive), but=("partition",))
    safe = tmp_path / "safe"
    for path in DATA.rglob("FL/*.csv"):
        safe.mkdir(exist_ok=True)
        shutil.copy(path, safe / path.name.replace(":", "_"))
    assert_same(windows, read(safe))


def test_nothing_to_read_is_said(tmp_path):
    with pytest.raises(FlarecastError, match="got none; name it as RAW"):
        read(None)
    with pytest.raises(FlarecastError, match="expected archives like partition1_instances"):
        read(tmp_path)
    with pytest.raises(FlarecastError, match="max_bad_rows: expected at least 0, got -1"):
        read(put(tmp_path, hourly(1)), max_bad_rows=-1)

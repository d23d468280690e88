"""SWAN-SF damaged, cut, mixed up or hostile: one sentence, or a counted skip; and seeded mutants of it."""

import gzip
import io
import lzma
import tarfile
import time
import tracemalloc
from datetime import UTC, datetime

import numpy as np
import pytest

from flarecast import schema
from flarecast.errors import FlarecastError
from flarecast.ingest.swan import archive
from flarecast.ingest.swan.columns import COLUMNS, FEATURES
from flarecast.ingest.swan_sf import ingest_swan_sf
from flarecast.windows import gather

START = 1_330_953_840  # 2012-03-05 13:24
CADENCE = 720
HEADER = "\t".join(COLUMNS)


def stamp(moment, between=" "):
    return datetime.fromtimestamp(moment, UTC).strftime(f"%Y-%m-%d{between}%H:%M:%S")


def line(moment, **cells):
    value = (moment - START) / CADENCE
    place = {"Timestamp": stamp(moment)} | {n: f"{value + k:.3f}" for k, n in enumerate(FEATURES)} | cells
    return "\t".join(place.get(column, "0.0") for column in COLUMNS)


def lines_of(first=START, n_lines=60):
    return [HEADER, *(line(first + k * CADENCE) for k in range(n_lines))]


def name(region=17, first=START, label="FQ"):
    return f"{label}_ar{region}_s{stamp(first, 'T')}_e{stamp(first + 59 * CADENCE, 'T')}.csv"


def text(lines):
    return ("\n".join(lines) + "\n").encode()


def good(region=99):
    return {name(region): text(lines_of())}


def tar_of(files, path, mode="w:gz", **options):
    with tarfile.open(path, mode, **options) as packed:
        for member, content in files.items():
            info = tarfile.TarInfo(member)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return path


def read(raw, **options):
    windows = ingest_swan_sf(raw, np.random.default_rng(0), **options)
    schema.check(windows, schema.WINDOWS)
    return windows


def read_files(tmp_path, files, **options):
    return read(tar_of(files, tmp_path / "partition1_instances.tar.gz"), **options)


def assert_skipped(windows, sentence):
    assert windows.attrs["n_skipped"] == 1
    assert sentence in windows.attrs["skipped"]
    assert list(windows["region"].values) == ["HARP 99"]


def noise(n_bytes):
    """What no compressor makes small, as lines of digits."""
    return np.random.default_rng(3).bytes(n_bytes).hex().encode()


@pytest.mark.parametrize("kept", [0.01, 0.3, 0.9, 0.999])
def test_an_archive_cut_short_is_said_so(tmp_path, kept):
    path = tar_of(good() | {"other.txt": noise(50_000)}, tmp_path / "a.tar.gz")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(FlarecastError, match=r"a\.tar\.gz: expected a whole archive.*get it again"):
        read(path)


def test_a_bare_tar_cut_short_is_said_so_even_between_files(tmp_path):
    path = tar_of(good(), tmp_path / "a.tar", "w")
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"\n") // 512 * 512 + 512])
    with pytest.raises(FlarecastError, match="no end mark"):
        read(path)


@pytest.mark.parametrize("place", [3, 125, 150, 156, 300])
def test_a_header_whose_sum_is_wrong_is_said_so(tmp_path, place):
    path = tar_of(good(), tmp_path / "a.tar", "w")
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(FlarecastError, match="expected a whole archive, got one damaged"):
        read(path)


@pytest.mark.parametrize(
    ("pack", "got"),
    [
        (lzma.compress, "xz"),
        (lambda content: b"BZh9" + content, "bzip2"),
        (lambda content: b"PK\x03\x04" + content, "zip"),
        (lambda content: b"<html>not found</html>", "a text"),
        (lambda content: b"", "an empty file"),
    ],
)
def test_an_archive_compressed_otherwise_is_said_so(tmp_path, pack, got):
    path = tar_of(good(), tmp_path / "a.tar", "w")
    path.rename(tmp_path / "a.tar.gz").write_bytes(pack(b"x" * 100))
    with pytest.raises(FlarecastError, match=f"expected a tar.gz archive, got {got}"):
        read(tmp_path)


def test_a_gzip_of_something_else_and_damaged_bytes_are_said_so(tmp_path):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(b"no tar at all" * 100))
    with pytest.raises(FlarecastError, match="expected a whole archive, got one damaged"):
        read(path)
    content = bytearray(tar_of(good() | {"other.txt": noise(50_000)}, path).read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(FlarecastError, match="expected a whole archive, got one damaged"):
        read(path)


@pytest.mark.parametrize("folder", ["..", "partition1/../../etc", "/etc"])
def test_a_path_that_climbs_is_left_out_and_counted(tmp_path, folder):
    windows = read_files(tmp_path, good() | {f"{folder}/{name()}": text(lines_of())})
    assert_skipped(windows, "got one that climbs out of it")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["partition1_instances.tar.gz"]


def test_links_and_devices_are_passed_over(tmp_path):
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(name())
            info.type, info.linkname = kind, "/etc/passwd"
            packed.addfile(info)
        for member, content in good().items():
            info = tarfile.TarInfo(member)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    assert read(path).sizes["window"] == 1


def test_a_bomb_is_bounded_in_memory_and_in_size(tmp_path, monkeypatch):
    path = tmp_path / "a.tar.gz"
    size = 300_000_000
    info = tarfile.TarInfo(name())
    info.size = size
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(info.tobuf())
        for _ in range(size // 10_000_000):
            packed.write(bytes(10_000_000))
        packed.write(bytes(-size % 512))
        member = tarfile.TarInfo(name(99))
        member.size = len(text(lines_of()))
        packed.write(member.tobuf() + text(lines_of()) + bytes(-member.size % 512) + bytes(1024))
    tracemalloc.start()
    try:
        windows = read(path)
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()
    assert_skipped(windows, "expected at most 1,000,000 bytes, got 300,000,000")
    monkeypatch.setattr(archive, "LARGEST_OTHER", 100_000_000)
    with pytest.raises(FlarecastError, match="expected an archive of instances, got more than"):
        read(path)


def test_text_in_a_number_leaves_its_row_missing_and_names_the_line(tmp_path):
    lines = lines_of()
    lines[17] = line(START + 16 * CADENCE, TOTPOT="soon")
    windows = read_files(tmp_path, {name(): text(lines)})
    assert windows.attrs["n_bad_rows"] == 1
    assert windows.attrs["skipped"] == (
        f"partition1_instances.tar.gz: {name()}, line 18: expected a number as TOTPOT, got 'soon'"
    )
    values = gather(windows)[0]
    assert np.flatnonzero(np.isnan(values).all(axis=1)).tolist() == [16]
    assert np.isnan(values).sum() == 24


@pytest.mark.parametrize(
    "cell", ["True", "None", "1_0", "0x10", "1,5", "1\x002", '"2"', "é", "--5", "2012-01-01"]
)
def test_what_is_no_number_is_not_taken_for_one(tmp_path, cell):
    lines = [HEADER, *(line(START + k * CADENCE, TOTFX=cell) for k in range(60))]
    windows = read_files(tmp_path, {name(): text(lines)})
    assert windows.attrs["n_bad_rows"] == 60
    assert np.isnan(windows["values"].values).all()


def test_infinite_and_huge_numbers_are_missing_and_counted(tmp_path):
    lines = lines_of()
    lines[5] = line(START + 4 * CADENCE, TOTPOT="inf", TOTFX="1e999", TOTFY="1e39")
    windows = read_files(tmp_path, {name(): text(lines)})
    assert windows.attrs["n_infinite"] == 3
    assert np.isnan(windows["values"].values).sum() == 3


@pytest.mark.parametrize("extra", ["\t1.0", None])
def test_a_line_with_too_many_or_too_few_cells_is_left_missing(tmp_path, extra):
    lines = lines_of()
    lines[9] = lines[9] + extra if extra else lines[9].rpartition("\t")[0]
    windows = read_files(tmp_path, {name(): text(lines)})
    assert f"line 10: expected 55 columns, got {56 if extra else 54}" in windows.attrs["skipped"]
    assert np.isnan(gather(windows)[0, 8]).all()


def test_a_time_stamp_that_is_none_leaves_its_step_out(tmp_path):
    lines = lines_of()
    lines[30] = "yesterday" + lines[30][10:]
    windows = read_files(tmp_path, {name(): text(lines)})
    assert windows.attrs["n_bad_rows"] == windows.attrs["n_short_windows"] == 1
    assert "line 31: expected a time stamp, got 'yesterday" in windows.attrs["skipped"]
    assert windows.sizes["row"] == 59


BROKEN = {
    "twice": (lambda lines: [*lines[:30], lines[29], *lines[30:-1]], "line 31: expected times that rise"),
    "backwards": (lambda lines: [lines[0], *reversed(lines[1:])], "expected times that rise"),
    "last line missing": (lambda lines: lines[:-1], "expected a last time stamp of 2012-03-06T01:12:00Z"),
    "header only": (lambda lines: lines[:1], "expected a last time stamp"),
    "empty": (lambda lines: [], "line 1: expected tab-separated column names"),
    "other day": (
        lambda lines: [lines[0], *(line(START + 86_400 + k * CADENCE) for k in range(60))],
        "line 2: expected times that rise from",
    ),
    "missing columns": (
        lambda lines: [lines[0].replace("TOTFX", "TOTFQ"), *lines[1:]],
        "line 1: expected tab-separated column names, got none called TOTFX",
    ),
    "commas": (lambda lines: [one.replace("\t", ",") for one in lines], "got none called TIMESTAMP"),
    "column twice": (
        lambda lines: [f"{one}\t1" if k else f"{one}\tTOTFX" for k, one in enumerate(lines)],
        "TOTFX twice",
    ),
    "endless": (lambda lines: [*lines, *lines * 30], "expected 60 lines, got"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_cannot_be_a_window_is_left_out_with_a_reason(tmp_path, kind):
    mangle, sentence = BROKEN[kind]
    windows = read_files(tmp_path, good() | {name(): text(mangle(lines_of()))})
    assert_skipped(windows, sentence)


@pytest.mark.parametrize(
    "bad",
    [
        name().replace("2012-03-05", "2012-13-05"),
        name().replace("T13:24", "T25:24"),
        name(label="Q1.0@5:Primary"),
        name(label="M@5:Primary"),
        name().replace("_ar17", "_ar"),
        name(region=10**12),
        "lab[MM]1.0@5_id[3]_st[2012-03-05T13:24:00]_et[2012-03-06T01:12:00].csv",
        "_ar.csv",
    ],
)
def test_a_name_that_says_nothing_is_counted(tmp_path, bad):
    assert_skipped(read_files(tmp_path, good() | {bad: text(lines_of())}), "expected a name like FQ_ar17")


def test_two_layouts_in_one_folder_are_each_read_by_their_own_header(tmp_path):
    order = np.random.default_rng(0).permutation(len(COLUMNS)).tolist()
    other = ["\t".join(one.split("\t")[k] for k in order) for one in lines_of()]
    windows = read_files(tmp_path, {name(1): text(lines_of()), name(2): text(other)})
    values = gather(windows)
    np.testing.assert_array_equal(values[0], values[1])


def test_more_that_is_broken_than_allowed_is_an_error_with_the_first_of_it(tmp_path):
    files = good() | {name(region): b"nothing" for region in range(1, 6)}
    assert read_files(tmp_path, files, max_bad_windows=5).attrs["n_skipped"] == 5
    with pytest.raises(
        FlarecastError, match=r"ar1_s.*line 1: .*; 5 windows cannot be read, more than max_bad_w"
    ):
        read_files(tmp_path, files, max_bad_windows=4)
    lines = [HEADER, *(line(START + k * CADENCE, TOTFX="?") for k in range(60))]
    with pytest.raises(
        FlarecastError, match=r"line 2: expected a number as TOTFX.*more than max_bad_rows = 59"
    ):
        read_files(tmp_path, {name(): text(lines)}, max_bad_rows=59)


def test_the_bounds_hold_over_all_archives_together(tmp_path):
    for k in range(3):
        tar_of(good(90 + k) | {name(k): b"nothing"}, tmp_path / f"{k}.tar.gz")
    assert read(tmp_path, max_bad_windows=3).attrs["n_skipped"] == 3
    with pytest.raises(FlarecastError, match="more than max_bad_windows = 2"):
        read(tmp_path, max_bad_windows=2)


def test_when_nothing_can_be_read_the_first_reason_is_given(tmp_path):
    with pytest.raises(
        FlarecastError, match=r"found none that can be read; .*line 1: expected tab-separated"
    ):
        read_files(tmp_path, {name(): b"nothing"})


def mutant(content, rng):
    """Bytes flipped, lines cut, doubled or dropped, fields widened or emptied, the tail cut off."""
    out = bytearray(content)
    kind = rng.integers(8)
    if kind == 0:
        for place in rng.integers(0, len(out), rng.integers(1, 30)):
            out[place] = rng.integers(256)
        return bytes(out)
    if kind == 1:
        return bytes(out[: rng.integers(len(out))])
    lines = content.split(b"\n")
    chosen = int(rng.integers(len(lines)))
    cells = lines[chosen].split(b"\t")
    cell = int(rng.integers(len(cells)))
    if kind == 2:
        del lines[chosen]
    elif kind == 3:
        lines.insert(int(rng.integers(len(lines))), lines[chosen])
    elif kind == 4:
        lines[chosen] = lines[chosen][: rng.integers(len(lines[chosen]) + 1)]
    elif kind == 5:
        cells[cell] = cells[cell] * int(rng.integers(2, 200))
    elif kind == 6:
        cells[cell] = rng.choice(
            [b"", b"\xff\xfe", b"1e999", b"-", b"\r", b"nan", b"9" * 400, b"\0", b"True"]
        )
    else:
        del cells[cell]
    if kind >= 5:
        lines[chosen] = b"\t".join(cells)
    return b"\n".join(lines)


def mutated_name(text, rng):
    letters = list(text)
    letters[int(rng.integers(len(letters)))] = chr(int(rng.integers(33, 127)))
    return "".join(letters).replace("/", "|")


def fuzz(tmp_path, n_mutants, seed):
    """Mutants in small archives; archives themselves mutated now and then. Returns how each ended."""
    rng = np.random.default_rng(seed)
    ended, sentences = {"windows": 0, "error": 0}, []
    template = {first: text(lines_of(START + first * CADENCE)) for first in range(0, 60, 5)}
    n_each = 25
    path = tmp_path / "a.tar.gz"
    for turn in range(n_mutants // n_each):
        files = {}
        for _ in range(n_each):
            first, region = int(rng.choice(list(template))), int(rng.integers(1, 6))
            called = name(region, START + first * CADENCE)
            called = mutated_name(called, rng) if rng.random() < 0.1 else called
            files[called] = mutant(template[first], rng)
        tar_of(files, path, "w:gz", compresslevel=1)
        if turn % 4 == 3:
            path.write_bytes(mutant(path.read_bytes(), rng))
        begin = time.perf_counter()
        try:
            windows = read(path, max_bad_rows=10**6, max_bad_windows=10**6)
        except FlarecastError as error:
            ended["error"] += 1
            sentences.append(str(error))
        else:
            ended["windows"] += 1
            assert windows.attrs["n_files"] >= windows.sizes["window"] > 0
            assert windows.sizes["row"] <= windows.attrs["n_lines_read"]
        assert time.perf_counter() - begin < 20
    assert not [sentence for sentence in sentences if "\n" in sentence]
    return ended


def test_mutants_end_in_windows_or_in_one_sentence(tmp_path):
    ended = fuzz(tmp_path, 2_000, seed=11)
    assert ended["windows"] > 40
    assert ended["error"] > 5


@pytest.mark.slow
def test_many_mutants_end_in_windows_or_in_one_sentence(tmp_path):
    ended = fuzz(tmp_path, 20_000, seed=12)
    assert min(ended.values()) > 50

"""`simulate`: the simulated Sun as SWAN-SF archives, `partitionN_instances.tar.gz` with official names.

Five partitions of whole regions in the order of time, each with folders `FL` (M and X) and `NF` (the rest),
each window a file of 60 lines and 55 columns. As in SWAN-SF, windows follow each other hourly, and a window
without a flare of class M or more is left out where one without a region peaked in the next 24 hours.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import xarray as xr
from isal import igzip
from numpy.typing import NDArray

from flarecast import files, goes
from flarecast.cycles import iso
from flarecast.errors import FlarecastError
from flarecast.ingest.simulated import ingest_simulated
from flarecast.ingest.swan.columns import COLUMNS, FEATURES
from flarecast.ingest.swan.names import official_name
from flarecast.ingest.swan.series import N_STEPS

IntArray = NDArray[np.int64]

N_PARTITIONS = 5

_WINDOWS_PER_REGION = 130
"""A first guess: regions are visible for some days."""

_HALF_WIDTH = 7.5
"""Half of a region's extent in longitude [degree]; a sum of powers of two, so that the middle is exact."""

_DIGITS = 2.0**-26
"""Digits beyond float32, which real files have, are made up within this part of a value."""

_CARRINGTON = 360 / (27.2753 * 86_400)
"""Rotation of the Sun under the Earth [degree s-1]."""

_LABELS = "\t".join(
    ["0.0", "None"] * 8  # eight pairs: flares of four letters and their labels, for the disk and the region
)


@dataclass(frozen=True)
class Written:
    """What was written."""

    paths: tuple[Path, ...]
    n_windows: int
    n_rows: int
    n_regions: int


def write_archives(
    folder: Path,
    rng: np.random.Generator,
    *,
    windows: int = 20_000,
    first_date: str = "2010-05",
    last_date: str = "2018-09",
    shuffle: bool = False,
) -> Written:
    """Simulate a Sun and write it as five SWAN-SF archives.

    Args:
        folder: Where `partition1_instances.tar.gz` to `partition5_instances.tar.gz` go.
        rng: Source of chance; the same generator gives the same bytes.
        windows: Files in all.
        first_date: Begin of the dates.
        last_date: End of the dates, exclusive.
        shuffle: Files of an archive in random order, else by name.

    Raises:
        FlarecastError: An option cannot be, or the folder cannot be written.
    """
    if windows < N_PARTITIONS:
        raise FlarecastError(f"simulate.windows: expected at least {N_PARTITIONS}, got {windows}")
    sun, chosen = _simulate(windows, first_date, last_date, rng)
    track = sun["track"].values[sun["first_row"].values[chosen]]
    _, regions = np.unique(track, return_inverse=True)
    # A region goes where its first window falls when all are dealt out evenly: none is in two partitions.
    begin = np.searchsorted(regions, regions, side="left")
    partition = begin * N_PARTITIONS // windows + 1
    paths, n_rows = [], 0
    for number in range(1, N_PARTITIONS + 1):
        path = folder / f"partition{number}_instances.tar.gz"
        n_rows += _write(path, sun, chosen[partition == number], shuffle, rng)
        paths.append(path)
    return Written(tuple(paths), windows, n_rows, int(regions.max()) + 1)


def _simulate(
    n_windows: int, first_date: str, last_date: str, rng: np.random.Generator
) -> tuple[xr.Dataset, IntArray]:
    """A Sun with enough windows, and those to write: complete, not filtered out, regions drawn by chance."""
    n_regions = n_windows // _WINDOWS_PER_REGION + 10
    while True:
        sun = ingest_simulated(
            None, rng, n_regions=n_regions, first_date=first_date, last_date=last_date, stride_hours=1
        )
        limit = goes.DECADES["M"]
        filtered = goes.at_least(sun["unassigned_peak_flux"].values, limit)
        filtered &= ~goes.at_least(sun["peak_flux"].values, limit)
        fine = np.flatnonzero((sun["n_rows"].values == N_STEPS) & ~filtered)
        if fine.size >= n_windows:
            break
        n_regions += n_regions // 2
    track = sun["track"].values[sun["first_row"].values[fine]]
    known, region = np.unique(track, return_inverse=True)
    order = np.argsort(rng.permutation(known.size)[region], kind="stable")
    return sun, np.sort(fine[order[:n_windows]])


def _write(path: Path, sun: xr.Dataset, chosen: IntArray, shuffle: bool, rng: np.random.Generator) -> int:
    """Write one archive; returns how many rows its windows have."""
    first, rows = sun["first_row"].values[chosen], np.zeros(sun.sizes["row"] + 1, dtype=np.int64)
    np.add.at(rows, first, 1)
    np.add.at(rows, first + N_STEPS, -1)
    used = np.flatnonzero(np.cumsum(rows[:-1]) > 0)
    line_of = np.zeros(rows.size, dtype=np.int64)
    line_of[used] = np.arange(used.size)
    lines = list(_lines(sun, used, rng))
    names = [_member_name(sun, window) for window in chosen.tolist()]
    by_name = np.argsort(np.array(names, dtype=object)) if names else np.empty(0, dtype=np.int64)
    order = rng.permutation(len(names)) if shuffle else by_name
    header = ("\t".join(COLUMNS) + "\n").encode()
    root = path.name.removesuffix("_instances.tar.gz")
    with (
        files.replacing(path) as aside,
        aside.open("wb") as raw,
        igzip.IGzipFile("", "wb", 2, raw, 0) as packed,  # type: ignore[no-untyped-call]
        tarfile.open(fileobj=packed, mode="w|", bufsize=1 << 20) as tar,
    ):
        for place in order.tolist():
            begin = line_of[first[place]]
            body = b"".join([header, *lines[begin : begin + N_STEPS]])
            member = tarfile.TarInfo(f"{root}/{names[place]}")
            member.size = len(body)
            tar.addfile(member, BytesIO(body))
    return int(used.size)


def _member_name(sun: xr.Dataset, window: int) -> str:
    """Folder and name of a window."""
    rows = slice(int(sun["first_row"].values[window]), int(sun["first_row"].values[window]) + N_STEPS)
    time, flux = sun["time"].values[rows], float(sun["peak_flux"].values[window])
    label = "FQ"
    if flux > 0:
        number = str(sun["flare_id"].values[window]).removeprefix("SIM-F")
        label = f"{goes.format_class(flux)}@{number}:Primary"
    region = int(str(sun["region"].values[window]).removeprefix("SIM "))
    first, last = (iso(int(moment)).removesuffix("Z") for moment in (time[0], time[-1]))
    folder = "FL" if label[0] in "MX" else "NF"
    return f"{folder}/{official_name(label, region, first, last)}"


def _lines(sun: xr.Dataset, rows: IntArray, rng: np.random.Generator) -> Iterator[bytes]:
    """The lines of some rows; their values read back are the same float32."""
    assert tuple(sun["feature"].values) == FEATURES
    n_chunk = 50_000
    for begin in range(0, rows.size, n_chunk):
        chunk = rows[begin : begin + n_chunk]
        values = sun["values"].values[chunk].astype(np.float64)
        values *= 1 + rng.uniform(-_DIGITS, _DIGITS, values.shape)
        time, longitude = sun["time"].values[chunk], sun["longitude"].values[chunk].astype(np.float64)
        observer = (347.7 - _CARRINGTON * (time - 1.33e9)) % 360
        xray = 10 ** rng.normal(-6.5, 0.3, chunk.size)
        columns = zip(
            time.tolist(), values.tolist(), longitude.tolist(), observer.tolist(), xray.tolist(), strict=True
        )
        for moment, numbers, degrees, centre, flux in columns:
            stamp = iso(moment)
            recorded = numbers[0] == numbers[0]
            shown = "\t".join(["" if number != number else repr(number) for number in numbers])
            place = (
                f"{(centre + degrees) % 360:.6f}\t{centre:.6f}\t0.0\t12.5\t{abs(degrees)!r}\t{recorded}\t9.5"
                f"\t{degrees - _HALF_WIDTH!r}\t15.5\t{degrees + _HALF_WIDTH!r}\t0.0"
            )
            text = f"{stamp[:10]} {stamp[11:19]}\t{shown}\t{place}\t{_LABELS}\t{flux:.5g}\t12\t{recorded}\n"
            yield text.encode()

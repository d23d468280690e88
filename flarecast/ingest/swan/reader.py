"""One archive or folder of instances, read into rows and windows: each line parsed once."""

from array import array
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from flarecast.cycles import iso
from flarecast.ingest.swan.archive import Member
from flarecast.ingest.swan.columns import FEATURES, Layout, read_header
from flarecast.ingest.swan.lines import BATCH, Float32Array, Lines, Tally, noaa_numbers
from flarecast.ingest.swan.names import Instance, looks_like_instance, parse_name, parse_time
from flarecast.ingest.swan.series import CADENCE, N_STEPS, IntArray, SeriesTable, hashes

_SPAN = (N_STEPS - 1) * CADENCE
_LONGEST = 20 * N_STEPS
"""Lines that a file may have; a release file has 60."""

_DAY = 86_400


@dataclass
class Part:
    """What was read: rows in the order they were met, windows likewise.

    Attributes:
        series_region, series_phase: HARP number and phase of the time grid [s] of each series, (series,).
        row_series, row_slot, row_time, row_hash: Series, slot, time stamp [s since 1970], hash, (row,).
        row_noaa: Index into `texts`, (row,).
        values, longitude: Features, (row, feature), and Stonyhurst longitude [degree], (row,).
        window_series, issue_time, low, high, partition: Of each window, (window,).
        flare: Index into `texts`, (window,).
        texts: Flare numbers and lists of NOAA numbers; the first is empty.
        counts: What else was counted.
        tally: What could not be read.
    """

    series_region: IntArray
    series_phase: IntArray
    row_series: IntArray
    row_slot: IntArray
    row_time: IntArray
    row_hash: IntArray
    row_noaa: IntArray
    values: Float32Array
    longitude: Float32Array
    window_series: IntArray
    issue_time: IntArray
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    partition: IntArray
    flare: IntArray
    texts: list[str]
    counts: dict[str, int]
    tally: Tally


class Reader:
    """Takes members one by one; `part` gives what they hold."""

    def __init__(self, where: str, tally: Tally) -> None:
        self._where = where
        self._tally = tally
        self._table = SeriesTable()
        self._layouts: dict[bytes, Layout | str] = {}
        self._waiting: Lines | None = None
        self._rows = {name: array("q") for name in ("series", "slot", "time", "hash", "noaa")}
        self._windows = {name: array("q") for name in ("series", "issue", "partition", "flare")}
        self._bounds = {name: array("d") for name in ("low", "high")}
        self._parsed: list[tuple[Float32Array, Float32Array]] = []
        self._texts = {"": 0}
        self._counts = dict.fromkeys(("n_files", "n_other_files", "n_lines_read", "n_short_windows"), 0)

    def read(self, member: Member, partition: int) -> None:
        """Read a file, unless it is no instance; count what is wrong with it.

        Raises:
            FlarecastError: More cannot be read than may be.
        """
        name = member.path.rpartition("/")[2]
        if not looks_like_instance(name):
            self._counts["n_other_files"] += 1
            return
        self._counts["n_files"] += 1
        problem = member.reason
        if not problem:
            instance = parse_name(name)
            if instance is None:
                problem = "expected a name like FQ_ar17_s2012-03-05T13:24:00_e2012-03-06T01:12:00.csv"
            else:
                problem = self._read_body(instance, member, partition)
        if problem:
            self._tally.window(f"{self._where}: {member.path}", problem)

    def part(self) -> Part:
        """All that was read, as arrays."""
        self._flush()
        rows = {name: np.frombuffer(values, np.int64) for name, values in self._rows.items()}
        windows = {name: np.frombuffer(values, np.int64) for name, values in self._windows.items()}
        values = [values for values, _ in self._parsed] or [np.empty((0, len(FEATURES)), np.float32)]
        longitude = [longitude for _, longitude in self._parsed] or [np.empty(0, np.float32)]
        return Part(
            series_region=np.array(self._table.regions, dtype=np.int64),
            series_phase=np.array(self._table.phases, dtype=np.int64),
            row_series=rows["series"],
            row_slot=rows["slot"],
            row_time=rows["time"],
            row_hash=rows["hash"],
            row_noaa=rows["noaa"],
            values=np.concatenate(values),
            longitude=np.concatenate(longitude),
            window_series=windows["series"],
            issue_time=windows["issue"],
            low=np.frombuffer(self._bounds["low"]),
            high=np.frombuffer(self._bounds["high"]),
            partition=windows["partition"],
            flare=windows["flare"],
            texts=list(self._texts),
            counts=self._counts,
            tally=self._tally,
        )

    def _read_body(self, instance: Instance, member: Member, partition: int) -> str:
        """Read the lines of a file, and keep its window; a sentence where that cannot be."""
        lines = _ended(member.lines)
        layout = self._layout(lines[0]) if lines else "line 1: expected column names, got an empty file"
        if isinstance(layout, str):
            return layout
        del lines[0]
        if len(lines) > _LONGEST:
            return f"expected {N_STEPS} lines, got {len(lines):,}"
        self._counts["n_lines_read"] += len(lines)
        regular = len(lines) == N_STEPS and instance.last - instance.first == _SPAN and not layout.time
        series: int | str | None = None
        if regular:
            series = self._place_regular(instance, layout, lines, member.path)
        if series is None:
            series = self._place_irregular(instance, layout, lines, member.path)
        if isinstance(series, str):
            return series
        windows = self._windows
        windows["series"].append(series)
        windows["issue"].append(instance.last)
        windows["partition"].append(partition)
        windows["flare"].append(self._text(instance.flare_id))
        self._bounds["low"].append(instance.low)
        self._bounds["high"].append(instance.high)
        return ""

    def _layout(self, header: bytes) -> Layout | str:
        """Where the columns are; of each header line found out once."""
        layout = self._layouts.get(header)
        if layout is None:
            layout = read_header(header)
            if len(self._layouts) < _LONGEST:
                self._layouts[header] = layout
        return layout

    def _place_regular(self, instance: Instance, layout: Layout, lines: list[bytes], path: str) -> int | None:
        """Series of a window whose lines are those of its grid, one a step; None if its new lines are not."""
        first = instance.first
        key, first_slot = (instance.region, first % CADENCE), first // CADENCE
        found = hashes(lines, N_STEPS)
        series, new = self._table.place(key, first_slot, found)
        if new is not None:
            numbers = new.tolist()
            stamps = _stamps(first)
            begins = map(bytes.startswith, map(lines.__getitem__, numbers), map(stamps.__getitem__, numbers))
            if not all(begins):
                return None
            self._table.keep(series, first_slot, found, new)
            self._add(series.number, first_slot + new, first + CADENCE * new, found[new])
            self._wait(layout, path, lines, numbers)
        return series.number

    def _place_irregular(
        self, instance: Instance, layout: Layout, lines: list[bytes], path: str
    ) -> int | str:
        """Series of a window whose lines have to be put on its grid by their time stamps; or a sentence."""
        phase = instance.last % CADENCE
        first_slot = instance.last // CADENCE - N_STEPS + 1
        found = np.zeros(N_STEPS, dtype=np.int64)
        line_of, times = [-1] * N_STEPS, [0] * N_STEPS
        last = instance.first - CADENCE // 2
        for number, line in enumerate(lines):
            time = _time_of(line, layout)
            if time is None:
                shown = line[:40].decode("latin-1")
                self._tally.row(
                    f"{self._where}: {path}, line {number + 2}", f"expected a time stamp, got {shown!r}"
                )
                continue
            slot = (time - phase + CADENCE // 2) // CADENCE - first_slot
            if time <= last or time > instance.last or (slot >= 0 and line_of[slot] >= 0):
                return (
                    f"line {number + 2}: expected times that rise from {iso(instance.first)} to"
                    f" {iso(instance.last)}, one in {CADENCE // 60} minutes, got {iso(time)}"
                )
            last = time
            if slot >= 0:
                line_of[slot], times[slot] = number, time
        if last != instance.last:
            return f"expected a last time stamp of {iso(instance.last)}, as its name says, got none"
        there = np.flatnonzero(np.array(line_of) >= 0)
        found[there] = hashes([lines[line_of[i]] for i in there], there.size)
        series, new = self._table.place((instance.region, phase), first_slot, found)
        if new is not None:
            self._table.keep(series, first_slot, found, new)
            self._add(series.number, first_slot + new, np.array(times)[new], found[new])
            self._wait(layout, path, lines, [line_of[i] for i in new.tolist()])
        self._counts["n_short_windows"] += there.size < N_STEPS
        return series.number

    def _add(self, series: int, slots: IntArray, times: IntArray, found: IntArray) -> None:
        """Give new lines their rows."""
        rows = self._rows
        rows["series"].extend([series] * slots.size)
        rows["slot"].frombytes(slots.tobytes())
        rows["time"].frombytes(times.tobytes())
        rows["hash"].frombytes(found.tobytes())

    def _wait(self, layout: Layout, path: str, lines: list[bytes], numbers: list[int]) -> None:
        """Put new lines, by their numbers in a file, with those that will be parsed together."""
        waiting = self._waiting
        if waiting is None or waiting.layout is not layout or len(waiting.content) >= BATCH:
            self._flush()
            waiting = self._waiting = Lines(layout)
        waiting.content += map(lines.__getitem__, numbers)
        waiting.where.append((path, numbers))
        if layout.noaa < 0:
            self._rows["noaa"].extend([0] * len(numbers))
        else:
            self._rows["noaa"].extend([self._text(noaa_numbers(lines[number], layout)) for number in numbers])

    def _flush(self) -> None:
        """Parse the lines that wait."""
        if self._waiting is not None:
            self._parsed.append(self._waiting.parse(self._tally, self._where))
            self._waiting = None

    def _text(self, text: str) -> int:
        """Number of a text, which is kept once."""
        return self._texts.setdefault(text, len(self._texts))


def _ended(lines: list[bytes]) -> list[bytes]:
    """The lines of a file, each ending with a newline whatever it ended with."""
    if lines and lines[0].endswith(b"\r\n"):
        lines = [line.removesuffix(b"\n").removesuffix(b"\r") + b"\n" for line in lines]
    elif lines and not lines[-1].endswith(b"\n"):
        lines[-1] += b"\n"
    return lines


def _stamps(first: int) -> list[bytes]:
    """How the lines of a window begin whose first is of that time."""
    day, second = divmod(first, _DAY)
    steps, phase = divmod(second, CADENCE)
    return (_stamps_of_day(day, phase) + _stamps_of_day(day + 1, phase))[steps : steps + N_STEPS]


@lru_cache(maxsize=1024)
def _stamps_of_day(day: int, phase: int) -> list[bytes]:
    """`2012-03-05 00:00:00` and a tab, and so on by the steps of a day since 1970."""
    date = iso(day * _DAY)[:10].encode() + b" "
    return [date + clock for clock in _clock(phase)]


@lru_cache(maxsize=CADENCE)
def _clock(phase: int) -> list[bytes]:
    """`00:00:00` and a tab, and so on by the steps of a day."""
    return [f"{iso(time)[11:19]}\t".encode() for time in range(phase, _DAY, CADENCE)]


def _time_of(line: bytes, layout: Layout) -> int | None:
    """The time stamp of a line [s since 1970]; None where it has none."""
    cells = line.split(b"\t", layout.time + 1)
    return parse_time(cells[layout.time].decode("latin-1").strip()) if len(cells) > layout.time else None

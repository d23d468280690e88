"""The declared mapping of `ingest table`: sections of TOML, read strictly.

[ingest.options.file]      separator, columns (where no header line), unnamed_first, pattern, missing
[ingest.options.window]    layout, n_steps, cadence_minutes, sampling, lead_hours, horizon_hours, ...
[ingest.options.region]    column, prefix, drop, unknown, noaa_column, longitude_column
[ingest.options.time]      column, format, scale, drop, shift_minutes, hours_before
[ingest.options.features]  NAME = "unit" or NAME = { unit, column, factor, codes, character, ... }
[ingest.options.outcome]   class_column, flux_column, counts or label_column, and what they mean
[ingest.options.event]     start_column, peak_column, id_column, format, scale, drop
"""

import math
import re
from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from flarecast import goes
from flarecast.errors import FlarecastError

Scale = Literal["UTC", "TAI"]
Sampling = Literal["natural", "filtered", "case-control"]


class Section(BaseModel):
    """A part of the mapping: frozen, unknown keys refused, no value converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class File(Section):
    """The file's form. `columns` names the columns of a file that has no header line.

    `unnamed_first`: lines have one cell more than the header, in front, as pandas writes its index; it and
    any column with an empty name is called `""`. `pattern`: names of the files to read where RAW is a folder.
    `missing`: cells that hold nothing.
    """

    separator: str = Field(",", min_length=1, max_length=1)
    columns: tuple[str, ...] = ()
    unnamed_first: bool = False
    pattern: str = "*"
    missing: tuple[str, ...] = ("nan", "NaN", "NA", "N/A", "None", "null")

    @field_validator("pattern")
    @classmethod
    def _name(cls, pattern: str) -> str:
        if not pattern or "/" in pattern or "**" in pattern:
            raise ValueError(f"expected a pattern of file names like *.csv, got {pattern!r}")
        return pattern

    @field_validator("separator")
    @classmethod
    def _no_quote(cls, separator: str) -> str:
        if separator in '"\r\n':
            raise ValueError("expected a character that parts cells, not a quote or the end of a line")
        return separator


class Window(Section):
    """How rows make windows.

    `rows`: every row is a step of its region's track and ends a window of `n_steps`. `blocks`: every
    `rows_per_block` lines, or the rows that share a value of `block_column`, are one window on a track of
    their own. `windows`: every row is a window of one step. Rows whose distance to the step before is a
    multiple of the cadence within `snap_seconds` (fractions of a second, leap seconds) are put on it.
    """

    layout: Literal["rows", "blocks", "windows"]
    sampling: Sampling
    cadence_minutes: float = Field(gt=0, le=1e6)
    n_steps: int = Field(1, ge=1, le=100_000)
    lead_hours: float = Field(0.0, ge=0, le=10_000)
    horizon_hours: float = Field(24.0, gt=0, le=10_000)
    latency_minutes: float = Field(0.0, ge=0, le=100_000)
    rows_per_block: int | None = Field(None, ge=1, le=100_000)
    block_column: str | None = None
    snap_seconds: float = Field(2.0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        blocked = (self.rows_per_block is not None) + (self.block_column is not None)
        if blocked != (self.layout == "blocks"):
            raise ValueError(
                f"layout {self.layout!r}: expected {'one' if self.layout == 'blocks' else 'none'} of"
                f" rows_per_block and block_column, got {blocked}"
            )
        if self.layout == "windows" and self.n_steps != 1:
            raise ValueError(
                f"layout 'windows' has one row a window: expected n_steps = 1, got {self.n_steps}"
            )
        if self.snap_seconds >= self.cadence_minutes * 30:
            raise ValueError(
                f"snap_seconds = {self.snap_seconds:g}: expected less than half of cadence_minutes ="
                f" {self.cadence_minutes:g}"
            )
        for name in ("cadence_minutes", "lead_hours", "horizon_hours", "latency_minutes"):
            if getattr(self, name) * (60 if "minutes" in name else 3600) % 1:
                raise ValueError(f"{name}: expected whole seconds, got {getattr(self, name)!r}")
        return self


class Region(Section):
    """Which region a row is of: the column's number after `prefix`; `drop` is taken out of the cells.

    NOAA numbers of four digits after June 2002 get their 10000. Cells in `unknown` mean that the region is
    not known: they are kept as one region of that name, so that a split by region keeps them together; not
    with the layout `rows`, whose tracks are regions. `noaa_column` holds NOAA numbers, parted by commas or
    semicolons, where the region is numbered otherwise.
    """

    column: str
    prefix: str = Field("NOAA", min_length=1)
    drop: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    noaa_column: str | None = None
    longitude_column: str | None = None


class Time(Section):
    """When a row was observed: `iso`, `unix` (seconds) or a format of strptime, in UTC or TAI.

    `drop` is taken out of the cells first. `shift_minutes` is added. `hours_before` is a pattern whose first
    group finds, in the file's name, how many hours before the time of its cells a file's rows were observed.
    """

    column: str
    format: str = "iso"
    scale: Scale = "UTC"
    drop: tuple[str, ...] = ()
    shift_minutes: float = 0.0
    hours_before: str | None = None

    @field_validator("format")
    @classmethod
    def _format(cls, form: str) -> str:
        return _checked_format(form)

    @field_validator("hours_before")
    @classmethod
    def _pattern(cls, pattern: str | None) -> str | None:
        try:
            if pattern is not None and re.compile(pattern).groups != 1:
                raise ValueError("expected a pattern with one group, like _(\\d+)h_")
        except re.error as error:
            raise ValueError(f"expected a regular expression, got {pattern!r} ({error})") from error
        return pattern


class Feature(Section):
    """A feature: its unit (`1` where it has none), and the column it is in if that has another name.

    `factor` is multiplied in, for numbers that a float32 cannot hold; the unit is that of the product.
    `codes` turns text into numbers, of one `character` (from 1) of it where that is given. `optional`: a file
    may lack the column.
    """

    unit: str = Field(min_length=1)
    column: str | None = None
    factor: float = 1.0
    codes: dict[str, float] | None = None
    character: int | None = Field(None, ge=1)
    memory_hours: float = Field(0.0, ge=0, le=1e9)
    optional: bool = False

    @field_validator("factor")
    @classmethod
    def _finite(cls, factor: float) -> float:
        if not math.isfinite(factor) or factor == 0:
            raise ValueError(f"expected a number other than 0, got {factor:g}")
        return factor


class Outcome(Section):
    """What happened in the valid span: one of class, flux, counts or label.

    `class_column`: a GOES class, a bare letter (then the flux is known to its decade), or one of `quiet`, in
    which case it is 0 to just below `floor`; a letter's number may be in `magnitude_column`. `flux_column`:
    a peak flux [W m-2] or its log10. `counts`: columns by letter with the number of flares of that class.
    `label_column`: cells in `positive` mean `event` or more, those in `negative` less; beside another column
    it is compared with it. An empty cell is an unknown outcome. `known_largest = false`: the class is that
    of one flare, and a larger one may have been in the span, so that the upper bound is infinite.
    """

    class_column: str | None = None
    magnitude_column: str | None = None
    quiet: tuple[str, ...] = ()
    floor: str = "C1.0"
    flux_column: str | None = None
    flux_form: Literal["linear", "log10"] = "linear"
    counts: dict[Literal["B", "C", "M", "X"], str] | None = None
    label_column: str | None = None
    positive: tuple[str, ...] = ("1",)
    negative: tuple[str, ...] = ("0",)
    event: str = "M1.0"
    known_largest: bool = True
    flux_scale: Literal["by_date", "operational", "true"] = "by_date"

    @field_validator("floor", "event")
    @classmethod
    def _class(cls, text: str) -> str:
        try:
            goes.parse_class(text)
        except FlarecastError as error:
            raise ValueError(str(error)) from error
        return text

    @model_validator(mode="after")
    def _one(self) -> Self:
        names = ("class_column", "flux_column", "counts")
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) > 1 or (not given and self.label_column is None):
            expected = "one of class_column, flux_column, counts and label_column"
            raise ValueError(f"expected {expected}, got {' and '.join(given) or 'none'}")
        if self.magnitude_column is not None and self.class_column is None:
            raise ValueError("magnitude_column: expected a class_column beside it, got none")
        return self


class Event(Section):
    """When the flare of the outcome started and peaked, and its identifier; empty cells are none."""

    start_column: str | None = None
    peak_column: str | None = None
    id_column: str | None = None
    format: str = "iso"
    scale: Scale = "UTC"
    drop: tuple[str, ...] = ()

    @field_validator("format")
    @classmethod
    def _format(cls, form: str) -> str:
        return _checked_format(form)


class Table(Section):
    """The whole mapping; without `outcome` every outcome is unknown."""

    file: File = File()
    window: Window
    region: Region
    time: Time
    features: dict[str, Feature] = Field(min_length=1)
    outcome: Outcome | None = None
    event: Event = Event()
    max_bad_rows: int = Field(20, ge=0)

    @model_validator(mode="after")
    def _regions_known(self) -> Self:
        if self.region.unknown and self.window.layout == "rows":
            raise ValueError("region.unknown: expected none with the layout 'rows', whose tracks are regions")
        return self


def _checked_format(form: str) -> str:
    """A format of times that strptime takes."""
    if form in ("iso", "unix"):
        return form
    try:
        now = datetime(2012, 3, 7, 0, 24, tzinfo=UTC)
        datetime.strptime(now.strftime(form), form)
    except (ValueError, re.error) as error:
        raise ValueError(f"expected iso, unix or a format like %Y-%m-%d %H:%M, got {form!r}") from error
    if not {"%Y", "%y", "%c", "%x", "%G", "%D", "%F"} & set(re.findall("%.", form)):
        raise ValueError(f"expected a format with a year, got {form!r}")
    return form

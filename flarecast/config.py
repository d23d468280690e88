"""One TOML file = one run: a section a stage, read strictly, with defaults only here.

A section names its part (`split.strategy`, `model.name` ...) and gives its `options`: the keyword arguments
of the part's function, checked against the function's signature by `check_options` before a stage starts.
"""

import json
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tomli_w
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from flarecast import goes
from flarecast.checking import check_options as check_options
from flarecast.checking import problems_of
from flarecast.errors import FlarecastError
from flarecast.files import replacing

Options = dict[str, Any]


class Section(BaseModel):
    """A part of the configuration: frozen, unknown keys refused, no value converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())


class Run(Section):
    """What holds for all stages."""

    seed: int = Field(0, ge=0)


class Simulate(Section):
    """The simulated Sun as SWAN-SF archives: how many windows, of which dates, in which order."""

    windows: int = Field(20_000, ge=5)
    first_date: str = "2010-05"
    last_date: str = "2018-09"
    shuffle: bool = False


class Download(Section):
    """Which raw data a run is made of, where they can be fetched: an entry of `download.SOURCES`."""

    source: str | None = None
    options: Options = {}


class Ingest(Section):
    """Where windows come from: an entry of `ingest.SOURCES`; `context` names entries of `CONTEXTS`."""

    source: str = "simulated"
    options: Options = {}
    context: tuple[str, ...] = ()
    context_options: dict[str, Options] = {}


class Split(Section):
    """Which windows play which role: an entry of `split.STRATEGIES`."""

    strategy: str = "by_cycle"
    embargo_hours: float | None = Field(None, ge=0)
    returning: Literal["new", "same"] = "new"
    options: Options = {}


class Scale(Section):
    """How rows are normalised, fitted on the rows of the train role: `standard`, `signed_log` or `none`."""

    name: str = "signed_log"


class Balance(Section):
    """What is done about rare events, in training only: an entry of `balance.BALANCERS`."""

    name: str = "none"
    event: str | None = None
    options: Options = {}


class Model(Section):
    """What is trained: an entry of `models.MODELS`, on some features or all."""

    name: str = "lstm"
    features: tuple[str, ...] | None = Field(None, min_length=1)
    options: Options = {}


class Train(Section):
    """How it is trained.

    One thread gives the same bits whatever the number of cores, is enough for models of this size, and does
    not suffer from neighbours; ask for more threads for a large network on a large CPU.
    """

    epochs: int = Field(30, ge=1)
    batch_size: int = Field(256, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-4, ge=0)
    patience: int = Field(8, ge=1)
    loss: str = "cross_entropy"
    averaging: str = "swa"
    averaging_start: float = Field(0.75, gt=0, lt=1)
    averaging_learning_rate: float = Field(5e-4, gt=0)
    threads: int = Field(1, ge=1, le=1024)
    allow_leaks: bool = False


OUT_OF_FOLD_BY_DEFAULT: frozenset[str] = frozenset()
"""Strategies whose calibrators are fitted on out-of-fold forecasts where `calibrate.fit_on` is not set."""


class Calibrate(Section):
    """How probabilities are mended: an entry of `calibrators.CALIBRATORS`, and what it is fitted on.

    `fit_on` is the calibration role, or out-of-fold forecasts of the whole training span in so many `folds`.
    """

    name: str = "platt"
    fit_on: Literal["calibration", "out_of_fold"] | None = None
    folds: int = Field(5, ge=2, le=100)
    options: Options = {}


class Evaluate(Section):
    """What the forecasts are compared with, and how intervals are made.

    `references` are files (netCDF or CSV), or names of `read-forecasts` readers for the same RAW.
    """

    references: tuple[str, ...] = ()
    resamples: int = Field(1000, ge=100)
    confidence: float = Field(0.95, gt=0, lt=1)


class Config(Section):
    """A whole run."""

    events: tuple[str, ...] = ("C1.0", "M1.0", "X1.0")
    unassigned: Literal["ignore", "mask"] = "ignore"
    run: Run = Run()
    simulate: Simulate = Simulate()
    download: Download = Download()
    ingest: Ingest = Ingest()
    split: Split = Split()
    scale: Scale = Scale()
    balance: Balance = Balance()
    model: Model = Model()
    train: Train = Train()
    calibrate: Calibrate = Calibrate()
    evaluate: Evaluate = Evaluate()

    @field_validator("events")
    @classmethod
    def _ascending_classes(cls, events: tuple[str, ...]) -> tuple[str, ...]:
        try:
            named = tuple(goes.spell_class(event) for event in events)
        except FlarecastError as error:
            raise ValueError(str(error)) from error
        if not named or not goes.ascending(named):
            raise ValueError(f"expected GOES classes that rise, got {', '.join(events) or 'none'}")
        return named

    @model_validator(mode="after")
    def _balanced_event_is_trained(self) -> "Config":
        if self.balance.event is not None and self.balance.event not in self.events:
            raise ValueError(
                f"balance.event {self.balance.event!r} is not among events {', '.join(self.events)}"
            )
        return self

    @property
    def balanced_event(self) -> str:
        """Event that counts as positive when balancing: the one asked for, else M1.0, else the first."""
        return self.balance.event or ("M1.0" if "M1.0" in self.events else self.events[0])

    @property
    def fit_on(self) -> Literal["calibration", "out_of_fold"]:
        """What calibrators are fitted on: what is asked for, else what suits the strategy of the split."""
        if self.calibrate.fit_on is not None:
            return self.calibrate.fit_on
        return "out_of_fold" if self.split.strategy in OUT_OF_FOLD_BY_DEFAULT else "calibration"

    def generator(self, stage: str) -> np.random.Generator:
        """Random generator of a stage, derived from (seed, stage) alone."""
        return np.random.default_rng([self.run.seed, zlib.crc32(stage.encode())])

    def resolved(self) -> dict[str, Any]:
        """All values, defaults included, as plain TOML types; what is None is left out."""
        return dict(self.model_dump(mode="json", exclude_none=True))


def load_config(path: Path | None, changes: Sequence[str] = ()) -> Config:
    """Read a configuration, change single keys, and check it.

    Args:
        path: TOML file; None for the defaults.
        changes: `section.key=value`; the value is read as TOML, else taken as text.

    Raises:
        FlarecastError: No such file, no TOML, or values that are not allowed; all problems are named.
    """
    content: dict[str, Any] = {}
    if path is not None:
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise FlarecastError(f"{path}: expected TOML, got something else ({error})") from error
    for change in changes:
        _apply(content, change)
    return parse_config(content, str(path) if path else "config")


def parse_config(content: Mapping[str, Any], where: str = "config") -> Config:
    """Check plain values (as from TOML) and make a `Config`.

    Raises:
        FlarecastError: Values that are not allowed; all problems are named.
    """
    try:
        # JSON mode is strict (no text or booleans for numbers) and still takes arrays for tuples.
        return Config.model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        raise FlarecastError(problems_of(where, error, Config)) from error


def write_config(config: Config, path: Path) -> None:
    """Write the resolved configuration as TOML."""
    with replacing(path) as aside:
        aside.write_text(tomli_w.dumps(config.resolved()), encoding="utf-8")


def _apply(content: dict[str, Any], change: str) -> None:
    """Set one key of nested tables from `section.key=value`."""
    key, equals, text = change.partition("=")
    if not equals or not key.strip():
        raise FlarecastError(f"--set: expected section.key=value, got {change!r}")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *sections, last = key.strip().split(".")
    table = content
    for name in sections:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise FlarecastError(f"--set: {key}: {name!r} is a value, not a section")
    table[last] = value

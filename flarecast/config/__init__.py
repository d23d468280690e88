"""One TOML file = one run: a section a stage, read strictly, with defaults only in `sections`.

A section names its part (`split.strategy`, `model.name` ...) and gives its `options`: the keyword arguments
of the part's function, checked against the function's signature by `check_options` before a stage starts.
"""

import json
import re
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tomli_w
from pydantic import Field, ValidationError, field_validator, model_validator

from flarecast import goes
from flarecast.config.checking import check_options as check_options
from flarecast.config.checking import problems_of
from flarecast.config.sections import (
    Balance,
    Calibrate,
    Download,
    Ensemble,
    Evaluate,
    Explain,
    Ingest,
    Model,
    Options,
    Pretrain,
    Run,
    Scale,
    Section,
    Simulate,
    Split,
    Study,
    Train,
)
from flarecast.errors import FlarecastError
from flarecast.files import replacing
from flarecast.references import REFERENCE_NAMES

RIVAL_NAME = r"[A-Za-z][A-Za-z0-9_-]*"
RIVAL_SECTIONS = ("scale", "balance", "model", "train", "ensemble")
MEMBER_STAGES = ("train", "balance", "bag")
"""Stages whose random numbers each member of an ensemble draws for itself."""

TAKEN = ("model", "raw", "truth", "truth_observed", "vote", "stack", *REFERENCE_NAMES)
"""Names of scores.json that no rival may have."""

OUT_OF_FOLD_BY_DEFAULT: frozenset[str] = frozenset({"by_cycle"})
"""Strategies whose calibrators are fitted on out-of-fold forecasts where `calibrate.fit_on` is not set."""


class Config(Section):
    """A whole run.

    `unassigned` says what flares without a region do to the outcomes that are scored (for those trained on
    see `Train`). A rival is trained and scored beside the model, on the same windows and roles: a table of
    the sections scale, balance, model, train and ensemble, what it leaves out being as for the model, but
    that it has no members where it does not ask for them.
    """

    events: tuple[str, ...] = ("C1.0", "M1.0", "X1.0")
    unassigned: Literal["ignore", "mask"] = "ignore"
    rivals: dict[str, dict[str, Options]] = Field(default_factory=dict)
    run: Run = Run()
    simulate: Simulate = Simulate()
    download: Download = Download()
    ingest: Ingest = Ingest()
    split: Split = Split()
    scale: Scale = Scale()
    balance: Balance = Balance()
    model: Model = Model()
    pretrain: Pretrain = Pretrain()
    train: Train = Train()
    ensemble: Ensemble = Ensemble()
    calibrate: Calibrate = Calibrate()
    evaluate: Evaluate = Evaluate()
    explain: Explain = Explain()
    study: Study = Study()

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
        if self.study.event is not None and self.study.event not in self.events:
            raise ValueError(f"study.event {self.study.event!r} is not among events {', '.join(self.events)}")
        return self

    @model_validator(mode="after")
    def _rivals_are_configurations(self) -> "Config":
        for name in self.rivals:
            if not re.fullmatch(RIVAL_NAME, name) or name in TAKEN:
                raise ValueError(
                    f"rivals.{name}: expected a name of letters, digits, - and _ that is not one of "
                    f"{', '.join(TAKEN)}"
                )
            try:
                self.of_rival(name)
            except FlarecastError as error:
                raise ValueError(str(error)) from error
        return self

    def of_rival(self, name: str) -> "Config":
        """The configuration of a run with a rival in the model's place.

        Raises:
            FlarecastError: The rival has a section that is not its own, or values that are not allowed.
        """
        changes = self.rivals[name]
        unknown = [section for section in changes if section not in RIVAL_SECTIONS]
        if unknown:
            raise FlarecastError(
                f"rivals.{name}: expected sections {', '.join(RIVAL_SECTIONS)}, got {', '.join(unknown)}"
            )
        content = self.resolved() | {"rivals": {}, "ensemble": {}}  # single unless it says otherwise
        content["calibrate"] |= {"combine": []}
        if "model" in changes:  # an encoder is of one network
            for key in ("init_from", "frozen"):
                content["train"].pop(key, None)
        for section, values in changes.items():
            before = {} if section in ("model", "balance") else content[section]
            of_others = {f"{part}_options" for part in values if values[part] != before.get(part)}
            content[section] = {key: before[key] for key in before if key not in of_others} | values
        return parse_config(content, f"rivals.{name}")

    def of_member(self, number: int) -> "Config":
        """The configuration of one member's training: all as it is, but for its own random numbers."""
        return self.model_copy(
            update={"rivals": {}, "ensemble": self.ensemble.model_copy(update={"member": number})}
        )

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
        """Random generator of a stage, derived from (seed, stage) alone; of a training also from its member.

        Members share what decides their features and scale, so that all see the same inputs.
        """
        seeds = [self.run.seed, zlib.crc32(stage.encode())]
        if self.ensemble.member is not None and stage.split()[0] in MEMBER_STAGES:
            seeds.append(self.ensemble.member)
        return np.random.default_rng(seeds)

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

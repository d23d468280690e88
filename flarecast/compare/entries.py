"""The forecasts that are compared: a run's folder, or a file of anybody's."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import exchange
from flarecast.errors import FlarecastError
from flarecast.evaluate.contenders import MODEL
from flarecast.exchange.forecast_csv import day_ahead
from flarecast.run_folder import RunFolder
from flarecast.schema import ROLES

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

OF_A_RUN = ("calibrated", "forecasts")
"""Stems of a run's files, which say nothing; its folder does."""


@dataclass(frozen=True)
class Entry:
    """One of the forecasts compared.

    Attributes:
        name: By which it is told from the others.
        path: File that it was read from.
        forecasts: All of its windows.
        reference: Whether others are held against it only, and it against no other reference.
        days_ahead: Days ahead that are compared; all if empty.
    """

    name: str
    path: Path
    forecasts: xr.Dataset
    reference: bool = False
    days_ahead: tuple[int, ...] = ()

    @property
    def role(self) -> str:
        """`test` where its file has such a role, else `all`."""
        return "test" if self._tested.any() else "all"

    @cached_property
    def rows(self) -> IntArray:
        """Windows that may be compared: of role test, or all where there is none, of those days ahead."""
        wanted = self._tested if self._tested.any() else np.ones(self._tested.size, dtype=bool)
        if self.days_ahead:
            ahead = day_ahead(self.forecasts["issue_time"].values, self.forecasts["valid_from"].values)
            wanted = wanted & np.isin(ahead, self.days_ahead)
        return np.flatnonzero(wanted)

    @cached_property
    def scored(self) -> xr.Dataset:
        """The forecasts of those windows."""
        return self.forecasts.isel(window=self.rows)

    @property
    def calibrates(self) -> bool:
        """Whether it has windows on which decision thresholds may be chosen."""
        return bool((self.forecasts["role"].values == ROLES.index("calibration")).any())

    @property
    def _tested(self) -> BoolArray:
        return np.asarray(self.forecasts["role"].values == ROLES.index("test"))


def open_entries(
    paths: Sequence[Path],
    references: Sequence[Path] = (),
    *,
    baselines: Sequence[str] = (),
    days_ahead: Sequence[int] = (),
) -> list[Entry]:
    """Read runs and files, each under a name of its own: the file's own, else that of file or folder.

    Args:
        paths: RUN_DIR (its calibrated forecasts are read) or forecasts (.nc or .csv).
        references: The same, to be held against these.
        baselines: Names of reference forecasts inside a file that are compared as well.
        days_ahead: Days ahead to compare; all if empty.

    Raises:
        FlarecastError: Fewer than two, one is missing or no such file, or two have one name.
    """
    n = len(paths) + len(references) + len(baselines)
    if n < 2:
        raise FlarecastError(f"compare: expected two or more forecasts, got {n}; name another")
    files = [_file(path) for path in [*paths, *references]]
    opened = [exchange.open_forecasts(file) for file in files]
    entries = []
    for nth, (name, forecasts) in enumerate(zip(_names(files, opened), opened, strict=True)):
        entry = Entry(name, files[nth], forecasts, nth >= len(paths), tuple(days_ahead))
        if not entry.rows.size:
            days = f" {', '.join(map(str, days_ahead))} days ahead" if days_ahead else ""
            raise FlarecastError(
                f"{files[nth]}: expected forecasts{days} to compare, got none; name other ones"
            )
        entries.append(entry)
    return entries


def _file(path: Path) -> Path:
    """File of forecasts of a run, or the file named."""
    if not path.is_dir():
        return path
    run = RunFolder(path)
    for file in (run.calibrated, run.forecasts):
        if file.is_file():
            return file
    raise FlarecastError(
        f"{path}: expected a run's folder with calibrated.nc or forecasts.nc, found neither; forecast first"
    )


def _names(files: Sequence[Path], opened: Sequence[xr.Dataset]) -> list[str]:
    """Name that each file gives itself, or where that is `model` or another's the one of its run or stem."""
    own = [str(forecasts.attrs.get("forecast_name", "")) for forecasts in opened]
    named = [file.resolve().parent.name if file.stem in OF_A_RUN else file.stem for file in files]
    names = [
        one if one not in ("", MODEL) and own.count(one) == 1 else other
        for one, other in zip(own, named, strict=True)
    ]
    twice = [nth for nth, name in enumerate(names) if name in names[:nth]]
    if twice:
        file, name = files[twice[0]], names[twice[0]]
        raise FlarecastError(f"{file}: expected a name of its own, got a second {name}; rename the file")
    return names

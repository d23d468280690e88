"""What a report is made of: the files of a run, those that are there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.config import Config, load_config
from flarecast.describe.sunspots import Sunspots, find_sunspots
from flarecast.errors import FlarecastError
from flarecast.evaluate import pair
from flarecast.evaluate.contenders import reference_names
from flarecast.exchange import open_forecasts
from flarecast.exchange.netcdf import open_netcdf
from flarecast.files import read_json
from flarecast.model_file import DESCRIPTION
from flarecast.report.curves import Curves, count_curves
from flarecast.report.explanation import read_explanation
from flarecast.run_folder import RunFolder
from flarecast.schema import ROLES, SPLIT, open_file
from flarecast.windows import open_windows

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Record = Mapping[str, Any]

MODEL = "model"
MAIN_EVENT = "M1.0"
SEED = 20


@dataclass(frozen=True)
class Content:
    """A run, read once.

    Attributes:
        name: Of the run.
        forecasts: Calibrated forecasts, or raw ones where nothing was calibrated.
        scores: Content of scores.json.
        audit: Content of audit.json; empty where there is none, as are those below.
        environment: Content of environment.json.
        model: Content of model.json.
        history: Lines of history.jsonl.
        importance: Content of importance.json.
        attributions: Content of attributions.json.
        config: The configuration.
        windows: The windows, None where they are gone.
        split: Their split, None where it is gone.
        given: Probabilities of the references that the run was evaluated with, (window, event), by name.
        sunspots: Monthly numbers, of the file named or of the windows.
        missing: What is absent, by name: why.
    """

    name: str
    forecasts: xr.Dataset
    scores: dict[str, Any]
    audit: dict[str, Any]
    environment: dict[str, Any]
    model: dict[str, Any]
    history: list[dict[str, Any]]
    importance: dict[str, Any]
    attributions: dict[str, Any]
    config: Config | None
    windows: xr.Dataset | None
    split: xr.Dataset | None
    given: dict[str, FloatArray] = field(default_factory=dict)
    sunspots: Sunspots | None = None
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def events(self) -> list[str]:
        """GOES classes, ascending."""
        return [str(event) for event in self.forecasts["event"].values]

    @property
    def main_event(self) -> str:
        """The event that the report leads with: M1.0, else the first."""
        return MAIN_EVENT if MAIN_EVENT in self.events else self.events[0]

    @property
    def n_members(self) -> int:
        """Members whose mean the model's forecasts are; 0 where it is alone."""
        return int(self.forecasts.sizes["realization"]) if "member" in self.forecasts else 0

    @cached_property
    def scored(self) -> BoolArray:
        """Windows of the test role, or all where there is none, shape (window,)."""
        test = np.asarray(self.forecasts["role"].values == ROLES.index("test"))
        return test if test.any() else np.ones(test.size, dtype=bool)

    def rows_of(self, event: str) -> BoolArray:
        """Windows scored whose outcome is known and that were forecast, shape (window,)."""
        column = self.events.index(event)
        known = self.forecasts["occurred"].values[:, column] >= 0
        said = ~np.isnan(self.forecasts["probability"].values[:, column])
        return np.asarray(self.scored & known & said)

    def probability(self, event: str, name: str = MODEL) -> FloatArray | None:
        """Somebody's probabilities of an event, shape (window,); None where there are none."""
        column, forecasts = self.events.index(event), self.forecasts
        own = {MODEL: "probability", "raw": "probability_raw", **{t: t for t in ("truth", "truth_observed")}}
        if own.get(name, "") in forecasts:
            return np.asarray(forecasts[own[name]].values[:, column])
        for dim, variable in (("rival", "rival_probability"), ("forecast", "reference")):
            names = [str(one) for one in forecasts[dim].values] if variable in forecasts else []
            if name in names:
                return np.asarray(forecasts[variable].values[:, column, names.index(name)])
        if name in self.given:
            return self.given[name][:, column]
        return None

    def occurred(self, event: str) -> BoolArray:
        """Whether an event occurred, shape (window,); unknown outcomes count as no."""
        return np.asarray(self.forecasts["occurred"].values[:, self.events.index(event)] == 1)

    def both(self, event: str) -> str:
        """Why nothing can be drawn of an event: no events, or nothing else; empty where all is well."""
        occurred = self.occurred(event)[self.rows_of(event)]
        if not occurred.size:
            return f"no window with a known outcome was forecast for {event}"
        if not occurred.any():
            return f"no event of {event} or more in the {occurred.size:,} windows scored"
        return "" if not occurred.all() else f"every one of the {occurred.size:,} windows has an event"

    def curves(self, event: str, name: str = MODEL) -> Curves | None:
        """Events and non-events of the scored windows counted by probability, whole and resampled.

        None where nobody said anything of an event or of anything else.
        """
        key = (event, name)
        if key not in self._curves:
            probability = self.probability(event, name)
            self._curves[key] = None
            rows = self.rows_of(event) & ~np.isnan(np.nan if probability is None else probability)
            occurred = self.occurred(event)[rows]
            if probability is not None and occurred.any() and not occurred.all():
                self._curves[key] = count_curves(
                    self.forecasts, self.events.index(event), probability, rows, np.random.default_rng(SEED)
                )
        return self._curves[key]

    @cached_property
    def _curves(self) -> dict[tuple[str, str], Curves | None]:
        return {}

    @cached_property
    def _records(self) -> dict[tuple[str, str, str, str], Record]:
        found: dict[tuple[str, str, str, str], Record] = {}
        for record in self.scores.get("records", ()):
            if record["role"] == self.scores.get("role"):
                key = (record["event"], record["forecast"], record["score"], record["subset"])
                found.setdefault(key, record)
        return found

    @cached_property
    def names(self) -> list[str]:
        """All forecasts that were scored for any event, in the order of scores.json."""
        return list(dict.fromkeys(forecast for _, forecast, _, _ in self._records))

    @property
    def beside(self) -> list[str]:
        """References worth drawing beside the model, the most telling first."""
        rivals = [str(name) for name in self.forecasts["rival"].values] if "rival" in self.forecasts else []
        return [*self.given, "truth_observed", *rivals, "history_decay", "recent_27"]

    def record(
        self, event: str, forecast: str, score: str, subset: str = "all", rule: str = ""
    ) -> Record | None:
        """First record of scores.json of that kind, at the main decision threshold or that of a rule."""
        found = self._records.get((event, forecast, score, subset))
        ruled = self._ruled.get((event, forecast, score, rule)) if rule and subset == "all" else None
        return ruled or found

    @cached_property
    def _ruled(self) -> dict[tuple[str, str, str, str], Record]:
        return {
            (record["event"], record["forecast"], record["score"], record["decision_rule"]): record
            for record in self.scores.get("records", ())
            if record.get("decision_rule")
            and (record["subset"], record["role"]) == ("all", self.scores["role"])
        }

    def subsets(self, event: str, score: str, start: str) -> dict[str, Record]:
        """Records of the model's score in all subsets whose name starts so, by the rest of the name."""
        return {
            subset.removeprefix(start): record
            for (of, forecast, name, subset), record in self._records.items()
            if (of, forecast, name) == (event, MODEL, score) and subset.startswith(start)
        }

    def compared(self, event: str) -> list[str]:
        """All forecasts that were scored, in the order of scores.json."""
        return list(dict.fromkeys(forecast for of, forecast, _, _ in self._records if of == event))


def read_content(run: RunFolder, sunspots: Path | None = None) -> Content:
    """Read a run; what is optional and absent is named, not missed.

    Args:
        run: With scores.json and calibrated.nc (or forecasts.nc) at least.
        sunspots: SILSO's daily or monthly file.

    Raises:
        FlarecastError: There are no scores or no forecasts, or a file is damaged.
    """
    if not run.scores.is_file():
        raise FlarecastError(f"{run.scores}: expected the scores of a run, found none; evaluate it first")
    forecasts = run.calibrated if run.calibrated.is_file() else run.forecasts
    if not forecasts.is_file():
        raise FlarecastError(f"{run.calibrated}: expected forecasts, found none; forecast first")
    missing: dict[str, str] = {}
    environment = _optional(run.environment, missing)
    windows = _windows(environment, missing)
    if not run.split.is_file():
        missing["split"] = f"{run.split.name} is not in the run's folder"
    if not run.config.is_file():
        missing["config"] = f"{run.config.name} is not in the run's folder"
    scores = _checked(run.scores)
    config = load_config(run.config) if run.config.is_file() else None
    opened = open_netcdf(forecasts)
    return Content(
        name=str(scores["run"] or run.folder.resolve().name),
        forecasts=opened,
        scores=scores,
        audit=_optional(run.audit, missing),
        environment=environment,
        model=_optional(run.model / DESCRIPTION, missing),
        history=_lines(run.model / "history.jsonl", missing),
        importance=read_explanation(run.importance, missing),
        attributions=read_explanation(run.attributions, missing),
        config=config,
        windows=windows,
        split=open_file(run.split, SPLIT) if run.split.is_file() else None,
        given={} if config is None else _given(run, config, opened, missing),
        sunspots=find_sunspots(sunspots, windows),
        missing=missing,
    )


def _checked(path: Path) -> dict[str, Any]:
    """Content of scores.json."""
    content = read_json(path)
    if not isinstance(content, dict) or not {"run", "role", "records"} <= set(content):
        raise FlarecastError(f"{path}: expected scores with run, role and records, got none; evaluate anew")
    return content


def _optional(path: Path, missing: dict[str, str]) -> dict[str, Any]:
    """Content of a JSON file; empty where it is absent."""
    if path.is_file():
        return dict(read_json(path))
    missing[path.stem] = f"{path.name} is not in the run's folder"
    return {}


def _lines(path: Path, missing: dict[str, str]) -> list[dict[str, Any]]:
    """Lines of a JSON-lines file; a last line that was cut short is left out."""
    if not path.is_file():
        missing[path.stem] = f"{path.name} is not in the run's folder"
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(dict(json.loads(line)))
        except ValueError:
            continue
    return found


def _given(
    run: RunFolder, config: Config, forecasts: xr.Dataset, missing: dict[str, str]
) -> dict[str, FloatArray]:
    """References that the configuration names, laid beside the forecasts, by their names in scores.json."""
    found: dict[str, xr.Dataset] = {}
    for name in config.evaluate.references:
        path = next((one for one in (run.folder / f"{name}.nc", Path(name)) if one.is_file()), None)
        if path is None:
            missing[name] = f"the forecasts of {name} are not where they were"
        else:
            found[path.stem] = open_forecasts(path)
    names = reference_names(forecasts, found)
    return {names[key]: pair(forecasts, other).probability for key, other in found.items()}


def _windows(environment: Mapping[str, Any], missing: dict[str, str]) -> xr.Dataset | None:
    """The windows that environment.json names."""
    try:
        return open_windows(Path(environment["inputs"]["windows"]["path"]))
    except (KeyError, TypeError):
        missing["windows"] = "environment.json does not say which windows the run was made of"
    except FlarecastError as error:
        missing["windows"] = str(error)
    return None

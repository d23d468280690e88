"""Scores of every contender under every way to calibrate, all resampled alike."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import skill
from flarecast.config import Config
from flarecast.skill.calibration_test import calibration_p_value
from flarecast.study.scoring import Draw, bounds, decision_threshold, difference, draw_blocks, sample_of

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Estimates = dict[str, tuple[skill.Estimate, ...]]

SCORES = ("bss", "log_loss", "ece", "calibration_slope", "calibration_intercept")
MODEL = "model"
SHIFTS = ("platt", "em", "black_box")
FOLLOWED = ("prior", "platt", "sequential")
"""Ways to calibrate that are looked at year by year."""

BINS = np.array([0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
"""Borders of the bins of reliability; narrow where rare events have their forecasts."""

FEWEST_IN_BIN = 10


@dataclass(frozen=True)
class Bench:
    """Test windows under every way to calibrate.

    Attributes:
        forecasts: Forecasts of the test role by way.
        draw: Blocks that everything is resampled by.
        confidence: Of the intervals.
    """

    forecasts: Mapping[str, xr.Dataset]
    draw: Draw
    confidence: float

    @classmethod
    def of(cls, forecasts: Mapping[str, xr.Dataset], config: Config, rng: np.random.Generator) -> "Bench":
        """A bench, its blocks drawn."""
        draw = draw_blocks(next(iter(forecasts.values())), config.evaluate.resamples, rng)
        return cls(forecasts, draw, config.evaluate.confidence)

    @property
    def anyone(self) -> xr.Dataset:
        """Forecasts of which only what all have in common is read."""
        return next(iter(self.forecasts.values()))

    @property
    def events(self) -> list[str]:
        """Their names."""
        return [str(event) for event in self.anyone["event"].values]

    @property
    def contenders(self) -> list[str]:
        """The model and its rivals."""
        return names_of(MODEL, self.anyone["rival"].values if "rival" in self.anyone else ())

    def probability(self, way: str, contender: str) -> FloatArray:
        """Of all events, shape (window, event)."""
        forecasts = self.forecasts[way]
        if contender == MODEL:
            return np.asarray(forecasts["probability"].values, dtype=np.float64)
        nth = list(map(str, forecasts["rival"].values)).index(contender)
        return np.asarray(forecasts["rival_probability"].values[:, :, nth], dtype=np.float64)

    def known(self, event: int) -> BoolArray:
        """Windows with an outcome that all contenders forecast, shape (window,)."""
        rows = self.anyone["occurred"].values[:, event] >= 0
        for contender in self.contenders:
            rows &= ~np.isnan(self.probability(next(iter(self.forecasts)), contender)[:, event])
        return np.asarray(rows, dtype=np.bool_)

    def estimates(self, way: str, contender: str, event: int) -> Estimates:
        """Scores of probabilities, one estimate for each way of drawing."""
        rows = self.known(event)
        occurred = self.anyone["occurred"].values[rows, event] == 1
        probability = self.probability(way, contender)[rows, event]
        found: list[dict[str, skill.Estimate]] = []
        for code, counts in zip(self.draw.codes, self.draw.counts, strict=True):
            sample = sample_of(occurred, code[rows], counts)
            one = skill.estimate_probability(sample, probability)
            found.append(one | skill.estimate_calibration(sample, probability))
        return {name: tuple(one[name] for one in found) for name in SCORES}

    def told(self, estimates: tuple[skill.Estimate, ...]) -> dict[str, float | None]:
        """Value and interval, null where undefined."""
        low, high = bounds(estimates, self.confidence)
        numbers = {"value": estimates[0].value, "low": low, "high": high}
        return {key: None if np.isnan(value) else float(value) for key, value in numbers.items()}

    def all_scores(self) -> Iterator[dict[str, Any]]:
        """A row for each contender, event and way: scores, what calibration changed, and a test of it."""
        for contender in self.contenders:
            for event, name in enumerate(self.events):
                rows = self.known(event)
                truth = self.anyone["occurred"].values[rows, event] == 1
                raw = self.estimates("raw", contender, event)
                for way in self.forecasts:
                    found = raw if way == "raw" else self.estimates(way, contender, event)
                    probability = self.probability(way, contender)[rows, event]
                    p_value = calibration_p_value(probability, truth, self.draw.codes[0][rows])
                    yield {
                        "contender": contender,
                        "event": name,
                        "way": way,
                        "n": int(rows.sum()),
                        "n_events": int(truth.sum()),
                        **{score: self.told(found[score]) for score in SCORES},
                        "bss_minus_raw": self.told(difference(found["bss"], raw["bss"])),
                        "p_value": None if np.isnan(p_value) else p_value,
                    }

    def weighting(self, pairs: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """A row for each balanced contender and event: what balancing took, what calibration gives back."""
        for weighted, plain in pairs.items():
            for event, name in enumerate(self.events):
                natural = self.estimates("raw", plain, event)["bss"]
                raw, mended = (self.estimates(way, weighted, event)["bss"] for way in ("raw", "platt"))
                yield {
                    "contender": weighted,
                    "against": plain,
                    "event": name,
                    "bss_natural": self.told(natural),
                    "bss_raw": self.told(raw),
                    "bss_calibrated": self.told(mended),
                    "difference": self.told(difference(mended, natural)),
                }

    def nesting(self) -> Iterator[dict[str, Any]]:
        """A row for each contender and event but the first: conditional curves minus the running minimum."""
        for contender in self.contenders:
            for event, name in list(enumerate(self.events))[1:]:
                found = {way: self.estimates(way, contender, event) for way in ("platt", "conditional")}
                changes = {
                    score: self.told(difference(found["conditional"][score], found["platt"][score]))
                    for score in ("bss", "log_loss")
                }
                yield {"contender": contender, "event": name, **changes}

    def shift(self, event: int) -> Iterator[dict[str, Any]]:
        """A row for each contender and estimate of an unknown rate: what it changed."""
        rows = self.known(event)
        rate = float((self.anyone["occurred"].values[rows, event] == 1).mean())
        for contender in self.contenders:
            fixed = self.estimates("platt", contender, event)["bss"]
            for way in SHIFTS:
                found = self.estimates(way, contender, event)["bss"]
                yield {
                    "contender": contender,
                    "way": way,
                    "rate": rate,
                    "mean_probability": float(self.probability(way, contender)[rows, event].mean()),
                    "bss": self.told(found),
                    "difference": self.told(difference(found, fixed)),
                }

    def years(self, event: int) -> Iterator[dict[str, Any]]:
        """A row for each year of the test: how often it came, and what each way said and lost."""
        rows = self.known(event)
        year = self.anyone["valid_from"].values.astype("datetime64[s]").astype("datetime64[Y]").astype(int)
        for one in np.unique(year[rows]):
            mine = rows & (year == one)
            occurred = self.anyone["occurred"].values[mine, event] == 1
            said = {way: self.probability(way, MODEL)[mine, event] for way in FOLLOWED}
            yield {
                "year": int(one) + 1970,
                "n": int(mine.sum()),
                "n_events": int(occurred.sum()),
                "rate": float(occurred.mean()),
                "mean_probability": {way: float(p.mean()) for way, p in said.items()},
                "brier": {way: float(((p - occurred) ** 2).mean()) for way, p in said.items()},
            }

    def thresholds(self) -> Iterator[dict[str, Any]]:
        """A row for each event: the TSS at calibration's threshold and the best on test, of the model."""
        for event, name in enumerate(self.events):
            rows = self.known(event)
            occurred = self.anyone["occurred"].values[rows, event] == 1
            probability = self.probability("platt", MODEL)[rows, event]
            cut = decision_threshold(self.forecasts["platt"], event)
            found = []
            for code, counts in zip(self.draw.codes, self.draw.counts, strict=True):
                sample = sample_of(occurred, code[rows], counts)
                reached = skill.estimate_contingency(sample, probability, cut)["tss"]
                found.append((skill.estimate_ranking(sample, probability)["tss_max"], reached))
            best, tss = (tuple(one[nth] for one in found) for nth in (0, 1))
            lost = self.told(difference(best, tss))
            told = {"tss": self.told(tss), "tss_max": self.told(best), "lost": lost}
            yield {"event": name, "threshold": cut, **told}

    def reliability(self, event: int, pairs: Mapping[str, str]) -> dict[str, list[dict[str, float]]]:
        """Points of reliability with bands: a balanced contender raw and calibrated, and the plain one."""
        weighted = next(iter(pairs), MODEL)
        shown = {
            f"{weighted}, raw": ("raw", weighted),
            f"{weighted}, calibrated": ("platt", weighted),
            f"{pairs.get(weighted, MODEL)}, raw": ("raw", pairs.get(weighted, MODEL)),
        }
        return {label: list(self._points(*what, event)) for label, what in shown.items()}

    def _points(self, way: str, contender: str, event: int) -> Iterator[dict[str, float]]:
        """Mean forecast, frequency and its band in each filled bin."""
        rows = self.known(event)
        occurred = self.anyone["occurred"].values[rows, event] == 1
        probability = self.probability(way, contender)[rows, event]
        bins = np.clip(np.searchsorted(BINS, probability, side="right") - 1, 0, BINS.size - 2)
        code, counts = self.draw.codes[0][rows], self.draw.counts[0].astype(np.float64)
        for one in range(BINS.size - 1):
            mine = bins == one
            if mine.sum() < FEWEST_IN_BIN:
                continue
            n, came = (
                counts @ np.bincount(code[mask], minlength=counts.shape[1])
                for mask in (mine, mine & occurred)
            )
            rate = came[n > 0] / n[n > 0]
            tail = (1 - self.confidence) / 2
            low, high = np.quantile(rate, [tail, 1 - tail])
            frequency = float(occurred[mine].mean())
            point = {"forecast": float(probability[mine].mean()), "frequency": frequency}
            yield point | {"low": float(low), "high": float(high), "n": int(mine.sum())}


def names_of(model: str, rivals: Iterable[Any]) -> list[str]:
    """The model and its rivals by name."""
    return [model, *map(str, rivals)]

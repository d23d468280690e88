"""What is said of a variable, and of a kind of file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

TIME_UNIT = "seconds since 1970-01-01T00:00:00"
YEARS = (-62_135_596_800, 253_402_300_799)
"""First and last second that has a date: the years 1 to 9999 [s since 1970]."""

NO_TIME = int(np.iinfo(np.int64).min)
"""Value of a time that is absent."""


@dataclass(frozen=True)
class Variable:
    """One variable of a file: dimensions, type (`text` or a numpy name), CF unit, meaning."""

    dims: tuple[str, ...]
    dtype: str
    unit: str
    meaning: str
    required: bool = True
    flags: tuple[tuple[str, int], ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """CF attributes of the variable."""
        attributes: dict[str, Any] = {"long_name": self.meaning}
        if self.unit:
            attributes["units"] = self.unit
        if self.unit == TIME_UNIT:
            attributes |= {
                "standard_name": "time",
                "calendar": "standard",
                "units_metadata": "leap_seconds: none",
            }
        if self.flags:
            attributes["flag_values"] = np.array([value for _, value in self.flags], dtype=self.dtype)
            attributes["flag_meanings"] = " ".join(name for name, _ in self.flags)
        if self.low is not None and self.high is not None:
            attributes["valid_range"] = np.array([self.low, self.high], dtype=self.dtype)
        return attributes


@dataclass(frozen=True)
class FileSchema:
    """A kind of file: its name in messages, its variables, the attributes it must carry."""

    name: str
    variables: Mapping[str, Variable]
    attributes: tuple[str, ...]

"""One line of a flare list, and what became of all lines."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from flarecast import goes
from flarecast.errors import FlarecastError
from flarecast.schema import NO_TIME

NO_CLASS, NO_WHEN, BROKEN = "no class", "no time", "broken line"


class Entry(NamedTuple):
    """A flare as a list gives it.

    Times are UTC [s since 1970], `NO_TIME` = unknown. The flux [W m-2] is the smallest that the class can
    mean, `flux_upper` the largest: they differ for a bare letter only. `satellite` is a GOES number, 0 = not
    told; `scale` an index into `goes.FLUX_SCALES`, -1 = not told; `accuracy` says to how many seconds the
    times hold.
    """

    start: int
    peak: int
    end: int
    flux: float
    flux_upper: float
    region: int
    satellite: int = 0
    scale: int = -1
    accuracy: int = 60
    source: str = ""

    @property
    def when(self) -> int:
        """Its peak, else its start, else its end."""
        return next((time for time in (self.peak, self.start, self.end) if time != NO_TIME), NO_TIME)


@dataclass
class Tally:
    """What became of the lines: each is read or skipped for a reason."""

    n_lines: int = 0
    n_read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    first_bad: str = ""

    @property
    def n_bad(self) -> int:
        """Lines skipped although they should hold a flare; HEK lists flares without a GOES class, too."""
        return sum(count for reason, count in self.skipped.items() if reason != NO_CLASS)

    def skip(self, where: str, reason: str, expected: str, line: str) -> None:
        """Count a line that is not read, and remember the first bad one as a sentence."""
        self.skipped[reason] += 1
        if reason != NO_CLASS and not self.first_bad:
            self.first_bad = f"{where}: expected {expected}, got {line.strip()[:100]!r}"

    def reasons(self) -> str:
        """Counts as text: `broken line 3, no class 1`; empty where nothing was skipped."""
        return ", ".join(f"{name} {count}" for name, count in sorted(self.skipped.items()) if count)


def class_fluxes(text: str) -> tuple[float, float] | None:
    """Smallest and largest flux that a class can mean: `M1.0` twice 1e-5, `C` 1e-6 and 9.9e-6; else None.

    Larger than X100 is a misprint, for the largest flare observed saturated at X28.
    """
    text = text.strip().upper()
    if text in goes.DECADES:
        return goes.class_bounds(text)
    try:
        flux = goes.parse_class(text)
    except FlarecastError:
        return None
    return (flux, flux) if flux < 100 * goes.DECADES["X"] else None

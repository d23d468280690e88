"""What is wrong with the cells of a forecast CSV, gathered over its pieces and said in one sentence."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class _Wrong:
    """The first wrong cell of a kind, and how many there are."""

    line: int
    got: str
    count: int

    @property
    def where(self) -> str:
        """`line 5`, or `line 5 and 3 more`."""
        more = f" and {self.count - 1:,} more" if self.count > 1 else ""
        return f"line {self.line}{more}"


@dataclass
class Problems:
    """Wrong cells by column and kind, in the order in which they were met."""

    unread: dict[str, _Wrong] = field(default_factory=dict)
    no_number: dict[str, _Wrong] = field(default_factory=dict)
    wrong: dict[str, _Wrong] = field(default_factory=dict)
    largest: float = 0.0
    all_certain: bool = True
    some_stated: bool = False
    fractions: bool = False

    def note(self, name: str, line: int, reason: str, count: int) -> None:
        """Distinct texts of a column that cannot be read."""
        _add(self.unread, name, _Wrong(line, reason, count))

    def note_number(self, name: str, text: str, line: int, count: int) -> None:
        """Cells of a column that are no numbers."""
        _add(self.no_number, name, _Wrong(line, repr(text[:50]), count))

    def check(
        self,
        probability: NDArray[np.float64],
        outcome: NDArray[np.float64],
        backwards: NDArray[np.bool_],
        line: NDArray[Any],
    ) -> None:
        """Look at the numbers of a piece: fractions, outcomes, and spans that end before they start."""
        stated = probability[~np.isnan(probability)]
        self.some_stated |= bool(stated.size)
        self.all_certain &= bool(np.isin(stated, (0, 1)).all())
        self.fractions |= bool(((outcome > 0) & (outcome < 1)).any())
        self.largest = max(self.largest, float(stated.max(initial=0)))
        odd = ~np.isnan(outcome) & ~np.isin(outcome, (0, 1))
        for name, wrong, values in (
            ("probability", (probability < 0) | (probability > 1), probability),
            ("occurred", odd, outcome),
            ("valid_to", backwards, outcome),
        ):
            place = np.flatnonzero(wrong)
            if place.size:
                first = place[0]
                _add(self.wrong, name, _Wrong(int(line[first]), f"{values[first]:g}", place.size))

    def sentences(self) -> list[str]:
        """All problems; numbers that are out of range only where every cell could be read."""
        found = [
            f"{name} in line {one.line}: {one.got}"
            + (f" and {one.count - 1:,} more like it" if one.count > 1 else "")
            for name, one in self.unread.items()
        ]
        for name, one in self.no_number.items():
            what = "0, 1 or an empty cell" if name == "occurred" else "a number or an empty cell"
            found.append(f"{name}: expected {what}, got {one.got} in {one.where}")
        return found or self._out_of_range()

    def _out_of_range(self) -> list[str]:
        if self.some_stated and self.all_certain and self.fractions:
            return [
                "probability and occurred: expected fractions and then 0 or 1, got only 0 and 1 as "
                "probability and fractions as occurred; the two columns look swapped"
            ]
        hint = "; they look like percent, divide by 100" if 2 < self.largest <= 100 else ""
        texts = {
            "probability": ("expected fractions in [0, 1], got {} in ", hint),
            "occurred": ("expected 1, 0 or empty where unknown, got {} in ", ""),
            "valid_to": ("expected a time after valid_from, got none in ", ""),
        }
        return [
            f"{name}: {texts[name][0].format(self.wrong[name].got)}{self.wrong[name].where}{texts[name][1]}"
            for name in texts
            if name in self.wrong
        ]


def _add(table: dict[str, _Wrong], name: str, one: _Wrong) -> None:
    """Remember the first of a kind, and count the others."""
    if name in table:
        table[name].count += one.count
    else:
        table[name] = one

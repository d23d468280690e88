"""What an audit finds, in words and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        kind: `shared row`, `shared region`, `overlapping history or outcome`, `base rate` ...
        level: A leak makes scores worthless; a warning makes them hard to read.
        message: One sentence with counts, examples and what to do.
        count: How many rows, regions, windows or blocks.
        examples: A few of them.
        roles: The roles concerned.
        fold: Fold of the split, from 0.
    """

    kind: str
    level: Literal["leak", "warning"]
    message: str
    count: int
    examples: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    fold: int = 0


@dataclass(frozen=True)
class Audit:
    """All that an audit found.

    Attributes:
        findings: Leaks first.
        counts: One entry a fold and role: windows, regions, and by event the known windows, the events, the
            base rate and the event blocks.
        notes: What could not be checked.
    """

    findings: tuple[Finding, ...]
    counts: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """Findings that make scores worthless."""
        return tuple(finding for finding in self.findings if finding.level == "leak")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that make scores hard to read."""
        return tuple(finding for finding in self.findings if finding.level == "warning")

    def sentences(self) -> list[str]:
        """The audit for a terminal, a line a finding."""
        lines = [f"{finding.level}: {finding.message}" for finding in self.findings]
        lines += [f"note: {note}" for note in self.notes]
        return lines if self.leaks else ["no leak found", *lines]

    def as_json(self) -> dict[str, Any]:
        """The audit as plain values."""
        return {
            "n_leaks": len(self.leaks),
            "n_warnings": len(self.warnings),
            "findings": [asdict(finding) for finding in self.findings],
            "counts": list(self.counts),
            "notes": list(self.notes),
        }


def and_so_on(examples: Sequence[str]) -> str:
    """Up to three examples in a message: `, e.g. HARP 377, HARP 1449`."""
    return f", e.g. {', '.join(examples[:3])}" if examples else ""


def counted(n: int, noun: str) -> str:
    """A number with its noun: `1 region`, `1,204 windows`."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")

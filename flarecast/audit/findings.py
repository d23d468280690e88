"""What an audit finds, in words and as JSON."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["leak", "warning", "note"]
LEVELS: tuple[Level, ...] = ("leak", "warning", "note")


FEW_BLOCKS = "few event blocks"
EVENT_BLOCKS = 20
"""Independent blocks with an event below which an interval says little."""


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        kind: `shared row`, `shared region`, `overlapping history or outcome`, `base rate` ...; docs/audit.md
            lists them all.
        level: A leak makes scores worthless, a warning makes them hard to read, a note says what could not be
            checked.
        message: One sentence with counts, examples and what to do.
        count: How many rows, regions, windows or blocks.
        examples: A few of them.
        roles: The roles concerned.
        fold: Fold of the split, from 0.
    """

    kind: str
    level: Level
    message: str
    count: int
    examples: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    fold: int = 0


@dataclass(frozen=True)
class Audit:
    """All that an audit found.

    Attributes:
        findings: Leaks first, then warnings, then notes.
        counts: One entry a fold and role: windows, regions, and by event the known windows, the events, the
            base rate and the event blocks.
    """

    findings: tuple[Finding, ...]
    counts: tuple[dict[str, Any], ...] = ()

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """Findings that make scores worthless."""
        return self._of("leak")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that make scores hard to read."""
        return self._of("warning")

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be checked, in words."""
        return tuple(finding.message for finding in self._of("note"))

    def _of(self, level: Level) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.level == level)

    def sentences(self) -> list[str]:
        """The audit for a terminal, a line a finding; what is so in several folds is said once."""
        folds = defaultdict(set)
        for finding in self.findings:
            folds[_alike(finding)].add(finding.fold)
        once = [one for one in self.findings if one.fold == min(folds[_alike(one)])]
        few = [finding for finding in once if finding.kind == FEW_BLOCKS]
        lines = []
        for finding in once:
            if finding.kind != FEW_BLOCKS:
                likewise = _likewise(sorted(folds[_alike(finding)]))
                lines.append(f"{finding.level}: {finding.message}{likewise}")
            elif finding is few[0]:
                lines.append(_few_blocks(few))
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


def collect(findings: Sequence[Finding], counts: Sequence[dict[str, Any]] = ()) -> Audit:
    """An audit of findings in any order: leaks first, and each once."""
    unique = dict.fromkeys(findings)
    return Audit(tuple(sorted(unique, key=lambda one: LEVELS.index(one.level))), tuple(counts))


def note(kind: str, message: str) -> Finding:
    """Something that could not be checked."""
    return Finding(kind, "note", message, 0)


def and_so_on(examples: Sequence[str]) -> str:
    """Up to three examples in a message: `, e.g. HARP 377, HARP 1449`."""
    return f", e.g. {', '.join(examples[:3])}" if examples else ""


def counted(n: int, noun: str) -> str:
    """A number with its noun: `1 region`, `1,204 windows`."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def share(part: int, whole: int) -> str:
    """A share in words: `12 %`, `0.3 %`."""
    percent = 100 * part / whole if whole else 0.0
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.2g} %"


def _few_blocks(findings: Sequence[Finding]) -> str:
    """All roles with few event blocks in one line."""
    roles = dict.fromkeys(finding.roles[0] for finding in findings)
    words = [
        f"{role} {', '.join(f'{one.examples[0]} {one.count}' for one in findings if one.roles[0] == role)}"
        for role in roles
    ]
    return (
        f"{findings[0].level}: fewer than {EVENT_BLOCKS} regions (rotations of the disk) with an event: "
        f"{'; '.join(words)}; intervals will be wide"
    )


def _alike(finding: Finding) -> tuple[str, str, tuple[str, ...]]:
    """What findings of several folds that say the same have in common: the kind, and the roles of a leak."""
    return finding.level, finding.kind, finding.roles if finding.level == "leak" else ()


def _likewise(folds: Sequence[int]) -> str:
    """Other folds with the same finding, in words."""
    if len(folds) < 2:
        return ""
    others = ", ".join(map(str, folds[1:6])) + (" ..." if len(folds) > 6 else "")
    return f" (likewise in fold{'s' * (len(folds) > 2)} {others})"

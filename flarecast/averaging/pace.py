"""When weights are collected after the descent, in epochs since averaging began."""

from dataclasses import dataclass

ROUNDING = 1e-6
"""Shares of an epoch are this near to what they would be if they were not rounded."""


@dataclass(frozen=True)
class Pace:
    """At what learning rate averaging runs and when it collects weights.

    Attributes:
        cycle: Epochs of a cycle, in which the rate falls straight, and at whose end weights are collected; 0
            for a constant rate.
        final: Rate at the end of a cycle as a share of that at its start.
        anneal: Epochs in which the rate goes straight from the last one of the descent to that of averaging,
            before anything is collected.
        per_epoch: How often an epoch weights are collected at a constant rate.
        least: Collected weights without which there is no average.
    """

    cycle: int = 0
    final: float = 1.0
    anneal: int = 0
    per_epoch: int = 1
    least: int = 1

    def is_due(self, before: float, after: float) -> bool:
        """Whether weights are to be collected after a step, by the epochs done before and after it."""
        return self.collected(after) > self.collected(before)

    def collected(self, done: float) -> int:
        """How many weights are collected in so many epochs of averaging."""
        settled = max(done - self.anneal, 0.0)
        return int(settled // self.cycle) if self.cycle else int(settled * self.per_epoch + ROUNDING)

"""The figures of a report: entries of `OF_RUN` and `OF_EVENT`, a small file each."""

from collections.abc import Callable, Iterator

from flarecast.report.canvas import Panel
from flarecast.report.content import Content
from flarecast.report.figures.attributions import draw_attributions
from flarecast.report.figures.calendar import draw_calendar
from flarecast.report.figures.classes import draw_classes
from flarecast.report.figures.comparison import draw_comparison
from flarecast.report.figures.decision import draw_decision
from flarecast.report.figures.importance import draw_importance
from flarecast.report.figures.members import draw_doubt, draw_ranges
from flarecast.report.figures.misses import draw_misses
from flarecast.report.figures.over_time import draw_over_time
from flarecast.report.figures.ranking import draw_precision_recall, draw_roc
from flarecast.report.figures.reliability import draw_reliability
from flarecast.report.figures.split import draw_split_panel
from flarecast.report.figures.subsets import draw_subsets
from flarecast.report.figures.training import draw_training
from flarecast.report.figures.value import draw_value

OF_EVENT: tuple[Callable[[Content, str], Panel], ...] = (
    draw_comparison,
    draw_reliability,
    draw_roc,
    draw_precision_recall,
    draw_decision,
    draw_value,
    draw_over_time,
    draw_subsets,
)
"""Drawn for every event."""

OF_MAIN_EVENT: tuple[Callable[[Content, str], Panel], ...] = (draw_calendar, draw_misses)
"""Drawn for the main event."""

OF_MEMBERS: tuple[Callable[[Content, str], Panel], ...] = (draw_ranges, draw_doubt)
"""Drawn for the main event where the model has members; nothing is missing where it has none."""

OF_RUN: tuple[Callable[[Content], Panel], ...] = (
    draw_split_panel,
    draw_classes,
    draw_training,
    draw_importance,
    draw_attributions,
)
"""Drawn once."""


def draw_all(content: Content) -> Iterator[Panel]:
    """Every figure of a report, drawn or missing with a reason, one at a time."""
    for draw in OF_RUN:
        yield draw(content)
    for event in content.events:
        for draw_event in OF_EVENT:
            yield draw_event(content, event)
    for draw_event in (*(OF_MEMBERS if content.n_members else ()), *OF_MAIN_EVENT):
        yield draw_event(content, content.main_event)

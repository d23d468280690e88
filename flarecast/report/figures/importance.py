"""What the model looks at: loss of skill when a feature, a group or a span of steps is another region's."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flarecast.report.canvas import FAINT, Panel, draw_grid, paper, style_of
from flarecast.report.content import MODEL, Content

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCORES = {"bss": "Brier skill", "roc_auc": "ROC AUC"}
"""The first that is defined is drawn."""

KINDS = {"feature": "features", "group": "groups of features", "span": "time before issue"}
MOST = {"feature": 16, "group": 12, "span": 24}
TITLE = "Importance of features, groups and time steps"
CAPTION = (
    "Skill lost when the series of a feature, of a group of features or of a span of time steps are "
    "exchanged between whole regions or rotations, with 95 % intervals; the features and groups that matter "
    "most, each part on its own scale. Features that say the same share their importance, so that each of "
    "them looks unimportant: see their group."
)
COLUMNS = ("kind", "unit", "score", "drop", "low", "high", "spread")


def draw_importance(content: Content) -> Panel:
    """Loss of skill with its interval for what matters most."""
    event = content.main_event
    records = [
        one
        for one in content.importance.get("records", ())
        if one["event"] == event and one["kind"] in KINDS and one["drop"] is not None
    ]
    score = next((name for name in SCORES if any(one["score"] == name for one in records)), "")
    found = {kind: _chosen([one for one in records if one["score"] == score], kind) for kind in KINDS}
    found = {kind: rows for kind, rows in found.items() if rows}
    if not found:
        none = f"explain/importance.json has nothing of {event}"
        return Panel("importance", TITLE, CAPTION, missing=content.missing.get("importance", none))
    heights = [0.55 + 0.2 * len(rows) for rows in found.values()]
    figure = paper(0.4 + sum(heights))
    panels = figure.subplots(len(found), squeeze=False, height_ratios=heights)[:, 0]
    for axes, (kind, rows) in zip(panels, found.items(), strict=True):
        axes.set_title(KINDS[kind], loc="left")
        _draw_losses(axes, rows)
    panels[-1].set_xlabel(f"{SCORES[score]} of {event} lost, role {content.importance.get('role')}")
    everything = [one for rows in found.values() for one in rows]
    table = {name: [one[name] for one in everything] for name in COLUMNS}
    return Panel("importance", TITLE, CAPTION, figure, table)


def _chosen(records: list[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """Records of one kind, the largest loss first; spans stay in time."""
    rows = [one for one in records if one["kind"] == kind]
    return (rows if kind == "span" else sorted(rows, key=lambda one: -one["drop"]))[: MOST[kind]]


def _draw_losses(axes: "Axes", rows: list[Mapping[str, Any]]) -> None:
    """A point a unit, its interval through it where there is one."""
    colour = style_of(MODEL)["color"]
    for place, one in enumerate(rows):
        if one["low"] is not None:
            axes.plot([one["low"], one["high"]], [place, place], color=colour, solid_capstyle="round")
        axes.plot(one["drop"], place, "o", ms=4, color=colour)
    axes.axvline(0, color=FAINT, lw=0.8)
    axes.set_yticks(range(len(rows)), [str(one["unit"]) for one in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=5)
    draw_grid(axes, "x")

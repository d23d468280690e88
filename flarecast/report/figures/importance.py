"""What the model looks at: loss of skill when a feature is taken from another region."""

from flarecast.report.canvas import FAINT, Panel, draw_grid, paper, style_of
from flarecast.report.content import MODEL, Content

SCORE, KIND, MOST = "bss", "feature", 16
TITLE = "Importance of features"
CAPTION = (
    "Brier skill lost when the series of a feature are exchanged between whole regions or rotations, with "
    "95 % intervals; the features that matter most. Features that say the same share their importance, so "
    "that each of them looks unimportant."
)
COLUMNS = ("unit", "drop", "low", "high", "spread")


def draw_importance(content: Content) -> Panel:
    """Loss of Brier skill with its interval for the features that matter most."""
    event = content.main_event
    found = [
        one
        for one in content.importance.get("records", ())
        if (one["event"], one["score"], one["kind"]) == (event, SCORE, KIND) and one["drop"] is not None
    ]
    if not found:
        none = f"explain/importance.json has no {KIND} of {event}"
        return Panel("importance", TITLE, CAPTION, missing=content.missing.get("importance", none))
    found = sorted(found, key=lambda one: -one["drop"])[:MOST]
    figure = paper(0.9 + 0.2 * len(found))
    axes = figure.subplots()
    colour = style_of(MODEL)["color"]
    for place, one in enumerate(found):
        if one["low"] is not None:
            axes.plot([one["low"], one["high"]], [place, place], color=colour, solid_capstyle="round")
        axes.plot(one["drop"], place, "o", ms=4, color=colour)
    axes.axvline(0, color=FAINT, lw=0.8)
    axes.set_yticks(range(len(found)), [str(one["unit"]) for one in found])
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"Brier skill of {event} lost, role {content.importance.get('role')}")
    draw_grid(axes, "x")
    table = {name: [one[name] for one in found] for name in COLUMNS}
    return Panel("importance", TITLE, CAPTION, figure, table)

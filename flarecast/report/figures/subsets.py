"""The model's skill in parts of the windows: phase, longitude, history, cycle."""

from flarecast.report.canvas import FAINT, Panel, draw_grid, paper, style_of
from flarecast.report.content import MODEL, Content

SCORE = "bss"
STARTS = {"cycle_": "cycle", "phase_": "phase", "longitude_": "longitude", "history_": "history"}
"""Start of a subset's name in scores.json: what it is a part by."""

TITLE = "In parts"
CAPTION = (
    "Brier skill of the model among the windows of one cycle, phase, longitude or history alone, against the "
    "base rate of that part. A score of all windows together may hide that they differ, or come from it."
)


def draw_subsets(content: Content, event: str) -> Panel:
    """Brier skill score with its interval, a line for each part."""
    lines = [
        (f"{what} {name}", record)
        for start, what in STARTS.items()
        for name, record in content.subsets(event, SCORE, start).items()
        if record["value"] is not None
    ]
    if not lines:
        why = content.both(event) or "scores.json has no parts of these windows with a score"
        return Panel("subsets", TITLE, CAPTION, missing=why, event=event)
    whole = content.record(event, MODEL, SCORE)
    if whole is not None and whole["value"] is not None:
        lines.insert(0, ("all windows", whole))
    figure = paper(0.8 + 0.22 * len(lines))
    axes = figure.subplots()
    colour = style_of(MODEL)["color"]
    for place, (_, record) in enumerate(lines):
        if record["low"] is not None:
            axes.plot([record["low"], record["high"]], [place, place], color=colour, solid_capstyle="round")
        axes.plot(record["value"], place, "o", ms=5, color=colour)
    axes.axvline(0, color=FAINT, lw=0.8)
    values = [
        record[key] for _, record in lines for key in ("value", "low", "high") if record[key] is not None
    ]
    axes.set_xlim(max(-0.6, min(0.0, *values)) - 0.02, min(1.0, max(values) + 0.05))
    labels = [f"{name.replace('_', ' ')}  ({record['n_events']:,} events)" for name, record in lines]
    axes.set_yticks(range(len(lines)), labels)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("Brier skill score")
    draw_grid(axes, "x")
    table = {"part": [name for name, _ in lines]}
    keys = ("value", "low", "high", "n", "n_events")
    table |= {key: [record[key] for _, record in lines] for key in keys}
    return Panel("subsets", TITLE, CAPTION, figure, table, event=event)

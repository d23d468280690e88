"""The model beside its references: one score each, with intervals."""

from flarecast.report.canvas import FAINT, Panel, draw_grid, paper, style_of
from flarecast.report.content import MODEL, Content
from flarecast.report.names import label_of

SCORES = ("bss", "average_precision", "tss")
NAMES = {"bss": "BSS", "average_precision": "AP", "tss": "TSS"}
TITLE = "Beside the references"
CAPTION = (
    "Brier skill score (BSS), average precision (AP) and TSS, all on the same windows, with 95 % intervals "
    "from drawing regions or rotations. The intervals overlap more than the differences do, since all "
    "forecasts share their windows: the table of differences decides."
)


def draw_comparison(content: Content, event: str) -> Panel:
    """Brier skill, average precision and TSS of the model, its references, and the best possible."""
    from matplotlib.ticker import MaxNLocator

    names = content.compared(event)
    found = {
        score: {name: content.record(event, name, score) for name in names if name != "raw"}
        for score in SCORES
    }
    known = [name for name in found["bss"] if any(_value(found[score][name]) is not None for score in SCORES)]
    if not known:
        return Panel("comparison", TITLE, CAPTION, missing=_why(content, event), event=event)
    figure = paper(0.9 + 0.23 * len(known))
    panels = figure.subplots(1, len(SCORES), sharey=True)
    table: dict[str, list[object]] = {name: [] for name in ("forecast", "score", "value", "low", "high")}
    for axes, score in zip(panels, SCORES, strict=True):
        for place, name in enumerate(known):
            record = found[score][name]
            value = _value(record)
            if record is None or value is None:
                continue
            style = {"color": style_of(name, content.names)["color"], "lw": 2.2 if name == MODEL else 1.4}
            shown = [value if record[side] is None else record[side] for side in ("low", "high")]
            axes.plot(shown, [place, place], solid_capstyle="round", **style)
            axes.plot(value, place, "o", ms=6 if name == MODEL else 4, color=style["color"])
            cells = (name, score, value, record["low"], record["high"])
            for column, cell in zip(table, cells, strict=True):
                table[column].append(cell)
        axes.axvline(0, color=FAINT, lw=0.8)
        axes.set_title(NAMES[score], loc="left")
        axes.set_xlim(*_limits(table, score))
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.xaxis.set_major_formatter("{x:g}")
        draw_grid(axes, "x")
    panels[0].set_yticks(range(len(known)), [label_of(name) for name in known])
    panels[0].set_ylim(len(known) - 0.5, -0.5)
    for axes in panels:
        axes.tick_params(axis="y", length=0)
    return Panel("comparison", TITLE, CAPTION, figure, table, event=event)


def _value(record: object) -> float | None:
    """Value of a record, None where there is none."""
    return record["value"] if isinstance(record, dict) else None


def _limits(table: dict[str, list[object]], score: str) -> tuple[float, float]:
    """Span of the axis: what is worse than -0.5 leaves it."""
    ends = [
        float(value)  # type: ignore[arg-type]
        for one, *values in zip(table["score"], table["value"], table["low"], table["high"], strict=True)
        for value in values
        if one == score and value is not None
    ]
    low, high = min([0.0, *ends]), max([0.1, *ends])
    return max(low, -0.5) - 0.03, high + 0.05 * (high - max(low, -0.5))


def _why(content: Content, event: str) -> str:
    """Why no score has a value."""
    record = content.record(event, MODEL, "bss")
    return str(record["reason"]) if record else f"scores.json has no scores of {event}"

"""How training went: loss of the last and of the averaged weights, epoch by epoch."""

from flarecast.report.canvas import FAINT, Panel, draw_grid, paper, style_of
from flarecast.report.content import Content

TITLE = "Training"
CAPTION = (
    "Loss per window after each epoch. Options and the weights that are kept are chosen on validation "
    "windows, never on the test."
)
KEPT = {
    "best": "The dashed line is the epoch whose weights were kept.",
    "averaged": "The dashed line is the epoch whose average was kept.",
    "averaged later": (
        "The dashed line is the epoch whose weights were best in the descent; training went on from them, "
        "and the average of what came then was kept."
    ),
}
LINES = {
    "train_loss": ("training windows", "other_2"),
    "validation_loss": ("validation windows", "model"),
    "validation_loss_averaged": ("validation windows, averaged weights", "swpc"),
}


def draw_training(content: Content) -> Panel:
    """Training and validation loss over the epochs."""
    from matplotlib.ticker import MaxNLocator

    epochs = [line for line in content.history if "epoch" in line]
    if not epochs:
        why = content.missing.get("history") or "the model was fitted directly, without epochs"
        return Panel("training", TITLE, CAPTION, missing=why)
    figure = paper(3.2)
    axes = figure.subplots()
    table = {"epoch": [line["epoch"] for line in epochs]}
    for key, (label, style) in LINES.items():
        if any(line.get(key) is not None for line in epochs):
            table[key] = [line.get(key) for line in epochs]
            known = [(line["epoch"], line[key]) for line in epochs if line.get(key) is not None]
            axes.plot(*zip(*known, strict=True), marker="o", ms=3, label=label, **style_of(style))
    last = content.history[-1]
    if last.get("best_epoch") is not None:
        axes.axvline(last["best_epoch"], color=FAINT, lw=0.9, ls="--")
    axes.set(xlabel="epoch", ylabel="loss [nat per window]")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    draw_grid(axes)
    return Panel("training", TITLE, f"{CAPTION} {_kept(content)}".strip(), figure, table)


def _kept(content: Content) -> str:
    """What was kept, in words."""
    kept = content.history[-1].get("kept", "")
    later = kept == "averaged" and any(line.get("phase") == "averaging" for line in content.history)
    return KEPT.get(f"{kept} later" if later else kept, "")

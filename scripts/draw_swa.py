"""Draw how flat the minima of SGD and SWA are: draw_swa.py results.json OUT.png, of what bench_swa.py wrote.

A panel for each data: mean loss over random directions against the distance from the weights, of two roles.
Source: Izmailov et al. (2018), arXiv 1803.05407, figure 4.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

COLOURS = {"sgd": "#0077bb", "swa": "#ee7733"}


def draw_flatness(rows: list[dict[str, Any]], path: Path) -> None:
    """Write the picture; shades are the standard deviation over directions."""
    steps = sorted({row["step"] for row in rows})
    names = list(dict.fromkeys(row["data"] for row in rows))
    figure = Figure(figsize=(3.6 * len(names), 3.5), layout="constrained", dpi=110)
    for axes, name in zip(np.atleast_1d(figure.subplots(1, len(names))), names, strict=True):
        for arm, colour in COLOURS.items():
            for part, style in (("validation", "-"), ("train", "--")):
                lines = np.array(
                    [
                        [
                            row[part]
                            for row in rows
                            if (row["data"], row["arm"], row["step"]) == (name, arm, step)
                        ]
                        for step in steps
                    ]
                )
                mean, spread = lines.mean(axis=1), lines.std(axis=1)
                axes.plot(steps, mean, style, color=colour, label=f"{arm.upper()}, {part}")
                if part == "validation":
                    axes.fill_between(
                        steps, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0
                    )
        axes.set_title(name)
        axes.set_xlabel("distance along a random direction\n[length of the weights of SGD]")
        axes.set_ylabel("negative log likelihood [nat]")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
    figure.savefig(path)


if __name__ == "__main__":
    draw_flatness(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["flatness"], Path(sys.argv[2]))

"""Paper and ink of a report's figures: one size, one type, colours that keep their meaning.

A figure is drawn for a narrow column, so that it can be read on a phone; a wide page sets two side by side.
On the page its colours become CSS variables, which are others in the dark.
"""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flarecast.describe.colours import CLASS_COLOURS, FORECAST_COLOURS, FORECAST_LINES, ROLE_COLOURS
from flarecast.describe.picture import METADATA, make_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 4.6
INK, FAINT, PAPER = "#1c2330", "#6b7280", "#fdfdfc"
GRID = "#e3e4e6"
BAND = 0.18
"""Opacity of bands."""

SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.0,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": PAPER,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 2.6,
    "lines.linewidth": 1.6,
    "savefig.facecolor": "auto",
    "svg.fonttype": "none",
    "svg.hashsalt": "flarecast",
    "text.color": INK,
    "xtick.color": FAINT,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": FAINT,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
}

_VARIABLES: dict[str, str] = {
    **{INK: "ink", FAINT: "faint", PAPER: "paper", GRID: "grid"},
    **{colour: f"role-{name}" for name, colour in ROLE_COLOURS.items()},
    **{colour: f"class-{name}" for name, colour in CLASS_COLOURS.items()},
    **{colour: f"forecast-{number}" for number, colour in enumerate(FORECAST_COLOURS.values())},
}
_VARIABLES |= {"#555555": "faint", "#111111": "ink", "#f1efe6": "shade", "#d2d2d2": "sun"}
LINE_STYLES = ("-", "--", "-.", ":")
"""Of lines that are no forecasts, in their order."""


@dataclass(frozen=True)
class Panel:
    """One figure of a report with its numbers, or why there is none.

    Attributes:
        key: Name of its files.
        title: Above it.
        caption: Below it: how to read it.
        figure: None where it is missing.
        table: Its numbers, columns of one length by name.
        missing: Why there is none.
        event: GOES class that it is of; empty for the run as a whole.
    """

    key: str
    title: str
    caption: str
    figure: "Figure | None" = None
    table: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    missing: str = ""
    event: str = ""

    @property
    def name(self) -> str:
        """Name of its files, without a suffix."""
        return f"{self.key}_{self.event}" if self.event else self.key


def paper(height: float) -> "Figure":
    """An empty figure of the report's width [inch]."""
    return make_figure(WIDTH, height)


def draw_grid(axes: "Axes", which: str = "both") -> None:
    """Faint lines behind everything."""
    axes.grid(True, axis=which)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def style_of(name: str, names: Iterable[str] = ()) -> dict[str, Any]:
    """Colour and line of a forecast, the same in every figure; one without a name of its own by its place.

    Sixteen without a name differ, of more the colours and lines come again.
    """
    if name in FORECAST_COLOURS:
        return {"color": FORECAST_COLOURS[name], "linestyle": FORECAST_LINES[name]}
    others = [one for one in names if one not in FORECAST_COLOURS]
    place = others.index(name) if name in others else 0
    free = [key for key in FORECAST_COLOURS if key.startswith("other_")]
    colour, line = place % len(free), (place + place // len(free)) % len(free)
    return {"color": FORECAST_COLOURS[free[colour]], "linestyle": FORECAST_LINES[free[line]]}


def as_bytes(figure: "Figure", kind: str) -> bytes:
    """A figure as svg, pdf or png; the same bytes for the same figure."""
    out = io.BytesIO()
    figure.savefig(out, format=kind, metadata=METADATA[kind])
    return out.getvalue()


def inlined(svg: bytes, name: str, title: str, themed: bool = True) -> str:
    """An SVG for a page: its own identifiers, colours as CSS variables, a title for those who cannot see it.

    Args:
        svg: As `as_bytes` gives it.
        name: Unique on the page, of letters, digits and `_`.
        title: Plain text.
        themed: Whether its colours become variables of the page.
    """
    text = svg.decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{name}-", text)
    for colour, variable in _VARIABLES.items() if themed else ():
        text = text.replace(colour, f"var(--{variable})")
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    safe = title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return re.sub(r"<svg ", f'<svg role="img" aria-label="{safe}" ', text, count=1)


def variables() -> dict[str, str]:
    """CSS variables of the light page, by name."""
    return {name: colour for colour, name in _VARIABLES.items()}

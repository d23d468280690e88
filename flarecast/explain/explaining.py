"""A run, or windows and a model -> tables and pictures of what its forecasts hang on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flarecast.config import Config
from flarecast.explain.attributions import explain_windows
from flarecast.explain.importance import explain_importance
from flarecast.explain.parts import Explained
from flarecast.explain.pictures import draw_attributions, draw_importance
from flarecast.explain.tables import write_attributions, write_importance
from flarecast.seen import record_look

Say = Callable[[str], object]


def write_explanation(
    explained: Explained,
    config: Config,
    out: Path,
    event: str = "",
    named: tuple[str, ...] = (),
    top: int = 0,
) -> dict[str, Any]:
    """Explain and write: importance, or where windows are named or asked for, shares of their log odds.

    Writes importance.csv, .json and a picture an event, importance-M1.0.svg; or attributions.csv, .json
    and .svg. A look at a run's test role is recorded in its evaluations.jsonl, where the audit finds it.

    Args:
        explained: Windows and models.
        config: Sections run, explain and evaluate are used.
        out: Folder to write to.
        event: GOES class whose log odds are shared out; empty takes `config.balanced_event`.
        named: Windows by number or `REGION@TIME`.
        top: So many more of the likeliest.

    Returns:
        Content of importance.json or attributions.json.

    Raises:
        FlarecastError: As `explain_importance` and `explain_windows`, or the folder cannot be written.
    """
    if explained.run is not None:
        record_look(explained.run, [part.forecasts for part in explained.parts])
    if named or top:
        attributions = explain_windows(explained, event or _usual_event(explained), named, top)
        draw_attributions(attributions, out / "attributions.svg")
        return write_attributions(attributions, explained, out)
    content = explain_importance(explained, config)
    for name in explained.parts[0].model.events:
        draw_importance(content, name, out / f"importance-{name}.svg")
    write_importance(content, out)
    return content


def _usual_event(explained: Explained) -> str:
    """M1.0 where it is among the model's events, else the first."""
    events = explained.parts[0].model.events
    return "M1.0" if "M1.0" in events else events[0]

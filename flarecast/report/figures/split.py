"""The split over time: roles, events, sunspot number."""

from flarecast.describe.split_picture import draw_split
from flarecast.report.canvas import WIDTH, Panel
from flarecast.report.content import Content

TITLE = "The split"
CAPTION = (
    "Which windows were trained on, chosen by, calibrated on and tested, over time, with the events of each. "
    "Between roles there is an embargo as long as a window's memory and span."
)


def draw_split_panel(content: Content) -> Panel:
    """Roles over time of the final fold, or of every fold where there are several."""
    if content.windows is None or content.split is None:
        why = content.missing.get("split") or content.missing.get("windows", "")
        return Panel("split", TITLE, CAPTION, missing=why)
    figure = draw_split(content.windows, content.split, content.main_event, content.sunspots, WIDTH)
    return Panel("split", TITLE, CAPTION, figure)

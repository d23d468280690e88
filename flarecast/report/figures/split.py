"""The split over time: roles, events, sunspot number."""

import numpy as np
import xarray as xr

from flarecast import goes
from flarecast.cycles import DAY, ROTATION_DAYS, iso
from flarecast.describe.split_picture import draw_split
from flarecast.report.canvas import WIDTH, Panel
from flarecast.report.content import Content
from flarecast.schema import ROLES

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
    table = _counts(content.windows, content.split, content.main_event)
    return Panel("split", TITLE, CAPTION, figure, table)


def _counts(windows: xr.Dataset, split: xr.Dataset, event: str) -> dict[str, list[object]]:
    """Windows and events of each role in each fold and span of 27 days, those that have any."""
    time = windows["issue_time"].values
    span = (time - time.min()) // (ROTATION_DAYS * DAY)
    occurred = goes.occurred_table(windows, (event,))[:, 0] == 1
    table: dict[str, list[object]] = {name: [] for name in ("fold", "from", "role", "windows", "events")}
    for fold, role in enumerate(split["role"].values):
        code = span * len(ROLES) + role
        counts, events = np.bincount(code), np.bincount(code[occurred], minlength=int(code.max()) + 1)
        for cell in np.flatnonzero(counts):
            start = iso(int(time.min()) + int(cell // len(ROLES)) * ROTATION_DAYS * DAY)[:10]
            told = (fold, start, ROLES[cell % len(ROLES)], int(counts[cell]), int(events[cell]))
            for column, value in zip(table, told, strict=True):
                table[column].append(value)
    return table

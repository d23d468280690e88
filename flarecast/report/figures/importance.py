"""What the model looks at: loss of skill when a feature is taken from another region."""

from flarecast.report.canvas import Panel
from flarecast.report.content import Content

TITLE = "Importance of features"
CAPTION = (
    "How much skill is lost when the series of a feature are exchanged between whole regions. Features that "
    "say the same share their importance, so that each of them looks unimportant."
)


def draw_importance(content: Content) -> Panel:
    """Loss of skill with its interval for the features that matter most."""
    why = content.missing.get("importance", "")
    return Panel("importance", TITLE, CAPTION, missing=why)

"""Windows and trained models -> forecasts."""

from flarecast.forecast.probabilities import (
    BATCH,
    class_probabilities,
    class_probability,
    class_to_event,
    event_probability,
    place_windows,
    seeing_alike,
)
from flarecast.forecast.stage import forecast

__all__ = [
    "BATCH",
    "class_probabilities",
    "class_probability",
    "class_to_event",
    "event_probability",
    "forecast",
    "place_windows",
    "seeing_alike",
]

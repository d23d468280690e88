"""Studies: many trainings on the same windows, compared with paired intervals, told in words and pictures."""

from collections.abc import Callable
from typing import Any

from flarecast.study.temporal_coherence import temporal_coherence

STUDIES: dict[str, Callable[..., dict[str, Any]]] = {"temporal-coherence": temporal_coherence}
"""Name of the command line: function of (config, windows, folder, resources, say)."""

__all__ = ["STUDIES"]

"""Studies: many trainings on the same windows, compared with paired intervals, told in words and pictures."""

from collections.abc import Callable

from flarecast.study.calibration import calibration
from flarecast.study.model_table import model_table
from flarecast.study.swpc_verification import swpc_verification
from flarecast.study.temporal_coherence import temporal_coherence
from flarecast.study.told import Told
from flarecast.study.uncertainty import uncertainty

STUDIES: dict[str, Callable[..., Told]] = {
    "temporal-coherence": temporal_coherence,
    "calibration": calibration,
    "models": model_table,
    "swpc-verification": swpc_verification,
    "uncertainty": uncertainty,
}
"""Name of the command line: function of (config, sources, folder, resources, say)."""

__all__ = ["STUDIES"]

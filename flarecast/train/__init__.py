"""Training: all that is fitted to the train role of a split.

From the outside in: `trainings` are all trainings of a run, `stage` one of them, `prepare` puts its windows
on the device as a `task`, `epochs` descends, `passes` go through the windows, `gradient` takes one step.
"""

from flarecast.train.stage import check_parts, train

__all__ = ["check_parts", "train"]

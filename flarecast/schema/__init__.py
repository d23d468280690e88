"""The three netCDF files of flarecast: every variable's dimensions, type, unit and meaning, once.

`WINDOWS`, `SPLIT` and `FORECASTS` are tables. `build` makes a Dataset from plain arrays by them, `check`
says all that is wrong with one, `save` and `open_file` write and read them (netCDF-4, CF-1.11). Times are
int64 UTC seconds since 1970, never decoded; text is an array of `str`.
"""

from flarecast.schema.checking import build, check
from flarecast.schema.storing import open_file, save
from flarecast.schema.tables import FORECASTS, ROLES, SAMPLINGS, SPLIT, WINDOWS
from flarecast.schema.variables import NO_TIME, TIME_UNIT, YEARS, FileSchema, Variable

__all__ = [
    "FORECASTS",
    "NO_TIME",
    "ROLES",
    "SAMPLINGS",
    "SPLIT",
    "TIME_UNIT",
    "WINDOWS",
    "YEARS",
    "FileSchema",
    "Variable",
    "build",
    "check",
    "open_file",
    "save",
]

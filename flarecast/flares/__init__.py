"""Flare lists and NOAA event reports, for whoever needs flares: their times, peaks, regions and scales."""

from flarecast.flares.reading import COLUMNS, as_table, read_flares
from flarecast.flares.writing import write_flares

__all__ = ["COLUMNS", "as_table", "read_flares", "write_flares"]

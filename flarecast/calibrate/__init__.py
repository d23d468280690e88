"""Calibration: fitted to forecasts of the calibration role, applied, updated; what is decided from it."""

from flarecast.calibrate.stage import calibrate, remarks

__all__ = ["calibrate", "remarks"]

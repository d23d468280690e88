"""flarecast: from raw archives to calibrated solar-flare probabilities whose skill can be believed."""

__version__ = "0.1.0"

"""What is in a file: windows, a split, forecasts or a list of flares, as plain tables of counts.

`describe` gives a dictionary that JSON can hold: `summary`, then `tables`, each a list of rows. `as_text`
lays it out, `plot` draws windows or flares over time by class.
"""

from flarecast.describe.content import describe, kind_of
from flarecast.describe.picture import plot
from flarecast.describe.text import as_text

__all__ = ["as_text", "describe", "kind_of", "plot"]

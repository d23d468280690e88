"""What is in a file: windows, a split, forecasts or a list of flares, as plain tables of counts.

`describe` gives a dictionary that JSON can hold: `summary`, then `tables`, each a list of rows. `compare`
does the same for what differs between two windows files. `as_text` lays them out, `plot` draws windows or
flares over time by class.
"""

from flarecast.describe.comparison import compare
from flarecast.describe.content import describe, kind_of
from flarecast.describe.picture import plot
from flarecast.describe.text import as_text

__all__ = ["as_text", "compare", "describe", "kind_of", "plot"]

"""What is in a file: windows, a split, forecasts or a list of flares, as plain tables of counts.

`describe` gives a dictionary that JSON can hold: `summary`, then `tables`, each a list of rows. `compare`
does the same for what differs between two windows files. `as_text` lays them out, `plot` draws windows or
flares over time by class, `plot_split` the roles of a split.
"""

from flarecast.describe.comparison import compare
from flarecast.describe.content import describe, kind_of
from flarecast.describe.picture import check_name, plot
from flarecast.describe.split_picture import plot_split
from flarecast.describe.text import as_text

__all__ = ["as_text", "check_name", "compare", "describe", "kind_of", "plot", "plot_split"]

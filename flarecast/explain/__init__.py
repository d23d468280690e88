"""What a model's forecasts hang on: permutation importance for any model, integrated gradients for networks.

`explain_importance` swaps the series of whole regions and asks how much worse the forecasts become;
`explain_windows` shares the log odds of single forecasts out among features and steps.
"""

from flarecast.explain.attributions import explain_windows
from flarecast.explain.importance import explain_importance
from flarecast.explain.parts import Explained, open_explained

__all__ = ["Explained", "explain_importance", "explain_windows", "open_explained"]

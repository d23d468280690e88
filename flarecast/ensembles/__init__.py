"""Ensembles: how several members come about, and where they are found; `train` makes them."""

from flarecast.ensembles.recipes import (
    ENSEMBLES,
    SWAG,
    Recipe,
    as_trained,
    check_ensemble,
    recipe_of,
    skeleton,
)

__all__ = ["ENSEMBLES", "SWAG", "Recipe", "as_trained", "check_ensemble", "recipe_of", "skeleton"]

"""Ensembles: how several members come about, entries of `ENSEMBLES`.

Each is a function of the options of section `ensemble` that gives a `Recipe`. A member is a model folder of
its own, `members/K` in the folder of its model (a fold's in the fold's folder), so that whoever finds members
there can forecast with them; the thinned networks of Monte Carlo dropout alone are made when they are needed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from flarecast.config import Config
from flarecast.config.checking import check_options
from flarecast.errors import FlarecastError, choose

if TYPE_CHECKING:
    from torch import nn

Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Stacked = Literal["auto", "always", "never"]

SWAG = "swag"
"""Entry of `train.averaging` that writes members, too."""


@dataclass(frozen=True)
class Recipe:
    """How the members of an ensemble come about; the numbers say how many.

    Attributes:
        trained: Trainings beside that of the model, from other random numbers or other windows.
        with_model: Whether the model itself is a member, too.
        snapshots: Members kept on the way of the one training, at the end of each cycle.
        drawn: Members with a last layer drawn from a posterior.
        posterior: That posterior, an entry of `bayes.POSTERIORS`.
        posterior_options: Its options.
        thinned: Members made of the model by leaving out for good what dropout leaves out at random.
        by_gradient: Whether only networks that are trained by gradient can be its members.
        stacked: Whether its trainings go through their epochs as one network: where it is worth it, always,
            or never.
    """

    trained: int = 0
    with_model: bool = False
    snapshots: int = 0
    drawn: int = 0
    posterior: str = ""
    posterior_options: Mapping[str, Any] | None = None
    thinned: int = 0
    by_gradient: bool = True
    stacked: Stacked = "never"

    @property
    def in_folders(self) -> range:
        """Numbers of the members that have folders."""
        return range(1, self.trained + self.snapshots + self.drawn + 1)


def without() -> Recipe:
    """No ensemble, or the members that `train.averaging` leaves."""
    return Recipe(by_gradient=False)


def deep(*, members: Count = 5, stacked: Stacked = "auto") -> Recipe:
    """The model and others trained alike from other random numbers; small ones stacked.

    Source: Lakshminarayanan et al. (2017), arXiv 1612.01474.
    """
    return Recipe(trained=_several(members) - 1, with_model=True, stacked=stacked)


def snapshot(*, members: Count = 5) -> Recipe:
    """Networks kept at the end of each cycle of one training, whose rate falls along a cosine each time.

    Source: Huang et al. (2017), arXiv 1704.00109.
    """
    return Recipe(snapshots=_several(members))


def bagging(*, members: Count = 10) -> Recipe:
    """Models each trained on as many regions as there are, drawn with replacement; for any model.

    Source: Breiman (1996), Machine Learning 24, 123, with regions (of the disk: rotations) for samples.
    """
    return Recipe(trained=_several(members), by_gradient=False)


def mc_dropout(*, members: Count = 20) -> Recipe:
    """The model with what dropout leaves out drawn once a member and left out for good.

    Source: Gal & Ghahramani (2016), arXiv 1506.02142; one mask for all windows and steps is a draw of the
        weights there.
    """
    return Recipe(thinned=_several(members))


def laplace(
    *, members: Count = 20, prior_precision: Positive | None = None, independent: Share = 1.0
) -> Recipe:
    """Last layers drawn from the Gaussian that the likelihood's curvature gives; see `bayes.laplace`."""
    options = {"prior_precision": prior_precision, "independent": independent}
    return Recipe(drawn=_several(members), posterior="laplace", posterior_options=options)


def variational(
    *,
    members: Count = 20,
    prior_scale: Positive = 1.0,
    epochs: Count = 50,
    warm_up: Annotated[float, Field(ge=0, le=1)] = 0.5,
    learning_rate: Positive = 0.01,
    independent: Share = 1.0,
) -> Recipe:
    """Last layers drawn from the independent Gaussians of the best ELBO; see `bayes.variational`."""
    options = {
        "prior_scale": prior_scale,
        "epochs": epochs,
        "warm_up": warm_up,
        "learning_rate": learning_rate,
        "independent": independent,
    }
    return Recipe(drawn=_several(members), posterior="variational", posterior_options=options)


def gp(
    *, members: Count = 20, epochs: Count = 30, learning_rate: Positive = 0.02, independent: Share = 1.0
) -> Recipe:
    """Functions of the embedding drawn from a sparse Gaussian process; see `bayes.gaussian_process`."""
    options = {"epochs": epochs, "learning_rate": learning_rate, "independent": independent}
    return Recipe(drawn=_several(members), posterior="gp", posterior_options=options)


ENSEMBLES: dict[str, Callable[..., Recipe]] = {
    "none": without,
    "deep": deep,
    "snapshot": snapshot,
    "bagging": bagging,
    "mc_dropout": mc_dropout,
    "laplace": laplace,
    "variational": variational,
    "gp": gp,
}
"""Name in `ensemble.name`: the function of `ensemble.options`."""


def recipe_of(config: Config) -> Recipe:
    """What section `ensemble` asks for.

    Raises:
        FlarecastError: An unknown name or option, or an ensemble of one.
    """
    make = choose("ensemble.name", config.ensemble.name, ENSEMBLES)
    return make(**check_options(make, config.ensemble.options, "ensemble.options"))


def check_ensemble(config: Config) -> None:
    """Make sure that the members that a configuration asks for can be had.

    Raises:
        FlarecastError: The model is not of the kind, has no dropout, or the cycles do not fit the epochs; an
            extra is missing; or averaging writes members, too.
    """
    recipe, name = recipe_of(config), config.ensemble.name
    if recipe.by_gradient and hasattr(module := skeleton(config), "fit_directly"):
        raise FlarecastError(
            f"ensemble.name {name}: expected a model trained by gradient, got {config.model.name}; "
            "use bagging, or another model"
        )
    if recipe.thinned:
        from flarecast.ensembles.bayes.dropout import has_dropout

        if not has_dropout(module):
            raise FlarecastError(
                f"ensemble.name {name}: expected a model with dropout above 0, got {config.model.name} "
                "with 0; set dropout in model.options"
            )
    if recipe.stacked == "always" and (why_not := not_stacked(config)):
        raise FlarecastError(
            f"ensemble.options: expected networks that can be trained stacked, got {why_not}; set stacked to "
            "auto"
        )
    if recipe.snapshots:
        _check_cycles(config, recipe.snapshots)
    if recipe.posterior == "gp" and find_spec("gpytorch") is None:
        raise FlarecastError(
            "ensemble.name gp: expected gpytorch, found none; install it by pip install 'flarecast[gp]'"
        )
    if recipe.in_folders and config.train.averaging == SWAG:
        raise FlarecastError(
            f"ensemble.name {name}: expected another train.averaging than {SWAG}, which has members of its "
            "own; choose one of the two"
        )


STACKABLE = ("cnn", "resnet", "inception_time")
"""Networks that `torch.func` computes for the weights of several at once; recurrent ones it cannot."""


def not_stacked(config: Config) -> str:
    """Why trainings cannot go through their epochs as one network; empty where they can."""
    settings = config.train
    if config.model.name not in STACKABLE:
        return f"model.name {config.model.name} (not one of {', '.join(STACKABLE)})"
    if settings.accumulate > 1:
        return f"train.accumulate {settings.accumulate}"
    if settings.compile:
        return "train.compile true"
    return "train.self_training" if settings.self_training.rounds else ""


def as_trained(config: Config) -> Config:
    """The configuration that a training runs by: that of a snapshot ensemble has cycles and no early stop."""
    cycles = recipe_of(config).snapshots
    if not cycles:
        return config
    cyclic = {
        "schedule": "cyclic_cosine",
        "schedule_options": {"cycles": cycles},
        "averaging": "none",
        "averaging_options": {},
        "patience": config.train.epochs,
    }
    return config.model_copy(update={"train": config.train.model_copy(update=cyclic)})


def _several(members: int) -> int:
    """A number of members that is one."""
    if members < 2:
        raise FlarecastError(
            f"ensemble.options: expected at least 2 members, got {members}; for the model alone set "
            "ensemble.name none"
        )
    return members


def _check_cycles(config: Config, cycles: int) -> None:
    """Make sure that every cycle ends with an epoch of the run, and that nothing else sets the rate."""
    if config.train.epochs % cycles:
        raise FlarecastError(
            f"ensemble.name snapshot: expected train.epochs that {cycles} cycles share evenly, got "
            f"{config.train.epochs}; set it to {cycles * (config.train.epochs // cycles + 1)}, or "
            "ensemble.options.members to another number"
        )
    if config.train.schedule not in ("constant", "cyclic_cosine"):
        raise FlarecastError(
            "ensemble.name snapshot: expected to set train.schedule itself, to cyclic_cosine, got "
            f"{config.train.schedule}; leave it out"
        )


def skeleton(config: Config) -> "nn.Module":
    """The model without weights, of a shape that every model can have."""
    import torch

    from flarecast.models import load_builder
    from flarecast.models.shape import Shape

    build = load_builder(config.model.name)
    options = check_options(build, config.model.options, "model.options")
    with torch.device("meta"):
        return build(Shape(3, 8, len(config.events) + 1), **options)

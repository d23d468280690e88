"""The names and options of all parts of a run, checked before any stage starts."""

from flarecast import balance, calibrators, models
from flarecast import split as splitting
from flarecast.chain.sources import source_of
from flarecast.config import Config, check_options
from flarecast.ensembles import recipe_of
from flarecast.errors import FlarecastError, choose
from flarecast.scale import SCALES


def check_parts(config: Config, deep: bool = False) -> None:
    """Check the name and options of every part of a run before any stage starts.

    Args:
        config: The configuration.
        deep: Also check the options of the model, the loss and the averaging, which imports torch.

    Raises:
        FlarecastError: An unknown part or option.
    """
    source_of(config)
    strategy = choose("split.strategy", config.split.strategy, splitting.STRATEGIES)
    check_options(strategy, config.split.options, "split.options", ("embargo_hours",))
    balancer = choose("balance.name", config.balance.name, balance.BALANCERS)
    check_options(balancer, config.balance.options, "balance.options")
    if config.balance.name in balance.NEVER_ANALYTIC and config.calibrate.name in ("none", "prior"):
        raise FlarecastError(
            f"balance.name {config.balance.name} moves probabilities in a way that no prior undoes: expected "
            f"a fitted calibrator, got calibrate.name {config.calibrate.name}; use platt"
        )
    calibrator = choose("calibrate.name", config.calibrate.name, calibrators.CALIBRATORS)
    check_options(calibrator, config.calibrate.options, "calibrate.options", ("group",))
    update = choose("calibrate.update", config.calibrate.update, calibrators.updates.UPDATES)
    check_options(update, config.calibrate.update_options, "calibrate.update_options")
    choose("model.name", config.model.name, models.MODELS)
    recipe_of(config)
    choose("scale.name", config.scale.name, SCALES)
    if deep:
        from flarecast.train import check_parts as check_training_parts

        check_training_parts(config)
    if config.calibrate.combine and not config.rivals:
        raise FlarecastError(
            "calibrate.combine: expected rivals to combine the model with, got none; add a section "
            "[rivals.NAME]"
        )
    for name in config.rivals:
        try:
            check_parts(config.of_rival(name), deep)
        except FlarecastError as error:
            raise FlarecastError(f"rivals.{name}: {error}") from error

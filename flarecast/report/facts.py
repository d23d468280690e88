"""How a run was made: data, split, model, calibration, environment, as terms and texts."""

from typing import Any

from flarecast.config import Config
from flarecast.report.content import Content


def facts_of(content: Content) -> dict[str, str]:
    """Data, split, model and environment in words; what nobody knows is left out."""
    found = {"data": str(content.forecasts.attrs.get("source", "unknown"))}
    if content.windows is not None:
        attributes = content.windows.attrs
        found["windows"] = (
            f"{content.windows.sizes['window']:,}, each {int(attributes['n_steps'])} steps of "
            f"{float(attributes['cadence_minutes']):g} min and {content.windows.sizes['feature']} features"
        )
        found["sampling"] = str(attributes["sampling"])
        found["cited as"] = str(attributes.get("citations", "")).replace("\n", "; ")
        files = [line for line in str(attributes["source_files"]).splitlines() if line]
        found["files read"] = f"{len(files):,}" if files else ""
    else:
        found["windows"] = content.missing.get("windows", "")
    if content.config is not None:
        found |= _of_config(content.config)
        found["ensemble"] = _ensemble(content.config, content.n_members)
    if content.model:
        found["model"] = f"{content.model['model_name']} {_options(content.model['model_options'])}".strip()
        found["weights kept"] = str(content.model["training"].get("kept", ""))
        found["features"] = ", ".join(map(str, content.model["features"]))
    return {term: text for term, text in found.items() if text}


def environment_of(content: Content) -> dict[str, str]:
    """Versions, device and hashes."""
    known = content.environment
    names = ("flarecast", "commit", "python", "device", "threads", "seed")
    found = {name: str(known[name]) for name in names if known.get(name) is not None}
    packages = known.get("packages", {})
    found["packages"] = ", ".join(f"{name} {version}" for name, version in packages.items())
    for name, one in known.get("inputs", {}).items():
        found[f"{name} sha256"] = str(one.get("sha256", ""))
    return {term: text for term, text in found.items() if text}


def _of_config(config: Config) -> dict[str, str]:
    """Split, balance, training and calibration as configured."""
    embargo = "" if config.split.embargo_hours is None else f", embargo {config.split.embargo_hours:g} h"
    calibrated = f"{config.calibrate.name}, fitted on {config.fit_on.replace('_', '-')} forecasts"
    return {
        "split": f"{config.split.strategy} {_options(config.split.options)}{embargo}",
        "balance": config.balance.name,
        "calibration": calibrated if config.calibrate.name != "none" else "none",
        "unassigned flares": config.unassigned,
    }


def _ensemble(config: Config, n_members: int) -> str:
    """How the members came about, empty without any; those of an average of weights are told by its name."""
    name = config.ensemble.name if config.ensemble.name != "none" else config.train.averaging
    return (
        f"{name} {_options(config.ensemble.options)}".strip() + f", {n_members} members" if n_members else ""
    )


def _options(options: dict[str, Any]) -> str:
    """`(hidden 32, layers 2)`."""
    return f"({', '.join(f'{name} {value}' for name, value in options.items())})" if options else ""

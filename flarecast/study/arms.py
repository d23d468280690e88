"""The trainings that a study compares: what each does differently."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from flarecast.balance import BALANCERS
from flarecast.config import Config, parse_config
from flarecast.config.sections import Options
from flarecast.errors import FlarecastError
from flarecast.models import MODELS

Values = Literal["as_measured", "scaled_on_all", "scaled_per_role"]
Roles = Literal["coherent", "random", "inner_random"]

NONE = "none"
"""Name of the arm that all others are compared with: the split of the run, nothing balanced."""

CONTRASTS: dict[str, str] = {
    "random_split": "Windows dealt out at random, or whole regions and times?",
    "inner_validation": "Options chosen on windows held out at random, or on whole regions and times?",
    "normalisation": "Scaled by all windows, or each role by itself, or by the train role alone?",
    "resampled_test": "Scored on a test set that was balanced, or on nature's?",
    "threshold": "Decision threshold from the test set, or from the calibration role?",
    "remedies": "What does each remedy for rare events do?",
}
"""Name in `study.contrasts`: the question."""

MODELS_BY_DEFAULT: dict[str, dict[str, Any]] = {
    "svm": {"name": "svm", "options": {"max_windows": 4000}},
    "logistic": {"name": "logistic"},
    "lstm": {"name": "lstm", "options": {"hidden": 16, "layers": 1}},
}
REMEDIES_BY_DEFAULT: dict[str, dict[str, Any]] = {
    "undersample": {"name": "undersample"},
    "under, sub-classes equal": {"name": "undersample_classes", "options": {"rule": "sub_classes_equal"}},
    "under, all equal": {"name": "undersample_classes", "options": {"rule": "all_equal"}},
    "under, coherent": {"name": "undersample_coherent"},
    "tomek links": {"name": "tomek_links"},
    "edited neighbours": {"name": "edited_neighbours"},
    "oversample": {"name": "oversample"},
    "over, sub-classes equal": {"name": "oversample_classes", "options": {"rule": "sub_classes_equal"}},
    "over, noisy": {"name": "oversample_noisy"},
    "smote": {"name": "smote"},
    "under and over": {"name": "under_over"},
    "regions alike": {"name": "region_balance"},
    "class weights": {"name": "class_weights"},
    "effective number": {"name": "effective_number"},
    "logit adjustment": {"name": "logit_adjustment"},
}
TRIES_BY_DEFAULT: dict[str, tuple[Options, ...]] = {
    "svm": (
        {"gamma": 0.001},
        {"gamma": 0.01},
        {"gamma": 0.1, "inverse_penalty": 10.0},
        {"gamma": 1.0, "inverse_penalty": 100.0},
    ),
    "logistic": ({"inverse_penalty": 1e-4}, {"inverse_penalty": 1e-2}, {"inverse_penalty": 100.0}),
}
"""Options from which inner validation chooses, from stiff to supple, by model."""


@dataclass(frozen=True)
class Arm:
    """One training.

    Attributes:
        model: Name of the model in the study.
        name: What it does differently; `NONE` nothing.
        config: The whole configuration.
        values: Which rows the values are scaled by before anything else, if at all.
        scaling: How they are scaled then, entry of `scale.SCALES`.
        roles: How roles are dealt out.
    """

    model: str
    name: str
    config: Config
    values: Values = "as_measured"
    scaling: str = "none"
    roles: Roles = "coherent"

    @property
    def key(self) -> str:
        """Name of its folder."""
        words = f"{self.model} {self.name}".lower()
        return "-".join("".join(c if c.isalnum() else " " for c in words).split())


def chosen_contrasts(config: Config) -> tuple[str, ...]:
    """Contrasts of a study, all where none is named.

    Raises:
        FlarecastError: One is unknown; those there are are listed.
    """
    named = tuple(CONTRASTS) if config.study.contrasts is None else config.study.contrasts
    unknown = [name for name in named if name not in CONTRASTS]
    if unknown or not named:
        raise FlarecastError(
            f"study.contrasts: expected some of {', '.join(CONTRASTS)}, got {', '.join(unknown) or 'none'}"
        )
    return named


def arms_of(config: Config) -> list[Arm]:
    """All trainings that the contrasts of a study need, the plain one of each model first.

    Raises:
        FlarecastError: An unknown contrast, model, remedy or option, or two arms of one name.
    """
    contrasts = chosen_contrasts(config)
    found = []
    for name, section in (models_of(config) or MODELS_BY_DEFAULT).items():
        plain = Arm(name, NONE, _configured(config, f"study.models.{name}", model=section, balance={}))
        found.append(plain)
        if "random_split" in contrasts:
            found.append(replace(plain, name="random split", roles="random"))
        if "normalisation" in contrasts:
            unscaled = _configured(plain.config, "study", scale={"name": "none"})
            apart = replace(plain, config=unscaled, scaling=config.scale.name)
            for values in ("scaled_on_all", "scaled_per_role"):
                found.append(replace(apart, name=values.replace("_", " "), values=values))
        if "inner_validation" in contrasts:
            found += _tries(config, plain)
        if "remedies" in contrasts:
            found += _remedied(config, plain)
    keys = [arm.key for arm in found]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise FlarecastError(
            f"study: expected names that differ, got {', '.join(sorted(twice))} twice; rename"
        )
    return found


def models_of(config: Config) -> dict[str, dict[str, Any]]:
    """Section `model` of each model that a study names.

    Raises:
        FlarecastError: There is no such model.
    """
    given = {name: section.model_dump(exclude_none=True) for name, section in config.study.models.items()}
    for name, section in given.items():
        if section["name"] not in MODELS:
            raise FlarecastError(
                f"study.models.{name}: expected a model out of {', '.join(MODELS)}, got {section['name']!r}"
            )
    return given


def tries_of(config: Config, model: str) -> tuple[Options, ...]:
    """Options that inner validation chooses from; none where it has no choice."""
    return (config.study.tries or TRIES_BY_DEFAULT).get(model, ())


def _tries(config: Config, plain: Arm) -> list[Arm]:
    """A training for each set of options and each way to hold windows out."""
    found = []
    for nth, options in enumerate(tries_of(config, plain.model)):
        section = plain.config.model.model_dump(exclude_none=True)
        section["options"] = {**section["options"], **options}
        changed = _configured(plain.config, f"study.tries.{plain.model}", model=section)
        found.append(replace(plain, name=f"try {nth}", config=changed))
        found.append(replace(plain, name=f"try {nth} inner random", config=changed, roles="inner_random"))
    return found


def _remedied(config: Config, plain: Arm) -> list[Arm]:
    """A training for each remedy."""
    given = {name: one.model_dump(exclude_none=True) for name, one in config.study.remedies.items()}
    found = []
    for name, section in (given or REMEDIES_BY_DEFAULT).items():
        if section["name"] not in BALANCERS or name == NONE:
            raise FlarecastError(
                f"study.remedies.{name}: expected a remedy out of {', '.join(BALANCERS)} under another name "
                f"than {NONE}, got {section['name']!r}"
            )
        with_event = {"event": plain.config.balanced_event, **section}
        changed = _configured(plain.config, f"study.remedies.{name}", balance=with_event)
        found.append(replace(plain, name=name, config=changed))
    return found


def _configured(config: Config, where: str, **sections: dict[str, Any]) -> Config:
    """A configuration with other sections, without rivals."""
    content = config.resolved() | {"rivals": {}, "calibrate": {"name": "platt", "fit_on": "calibration"}}
    content.pop("study", None)
    event = {"event": config.balanced_event}
    sections = {name: (event | one if name == "balance" else one) for name, one in sections.items()}
    return parse_config(content | sections, where)

"""Sections of the configuration, one a stage: their keys, defaults and limits."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Options = dict[str, Any]


class Section(BaseModel):
    """A part of the configuration: frozen, unknown keys refused, no value converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())


class Run(Section):
    """What holds for all stages."""

    seed: int = Field(0, ge=0)


class Simulate(Section):
    """The simulated Sun as SWAN-SF archives: how many windows, of which dates, in which order."""

    windows: int = Field(20_000, ge=5)
    first_date: str = "2010-05"
    last_date: str = "2018-09"
    shuffle: bool = False


class Download(Section):
    """Which raw data a run is made of, where they can be fetched: an entry of `download.SOURCES`."""

    source: str | None = None
    options: Options = {}


class Ingest(Section):
    """Where windows come from: an entry of `ingest.SOURCES`; `context` names entries of `CONTEXTS`."""

    source: str = "simulated"
    options: Options = {}
    context: tuple[str, ...] = ()
    context_options: dict[str, Options] = {}


class Split(Section):
    """Which windows play which role: an entry of `split.STRATEGIES`."""

    strategy: str = "by_cycle"
    embargo_hours: float | None = Field(None, ge=0)
    returning: Literal["new", "same"] = "new"
    options: Options = {}


class Scale(Section):
    """How rows are normalised, fitted on the rows of the train role: `standard`, `signed_log` or `none`."""

    name: str = "signed_log"


class Balance(Section):
    """What is done about rare events, in training only: an entry of `balance.BALANCERS`.

    With `draw` at each epoch, what a remedy draws or makes at random is drawn anew for every epoch; a model
    fitted directly sees the first draw alone.
    """

    name: str = "none"
    event: str | None = None
    draw: Literal["fixed", "each_epoch"] = "fixed"
    options: Options = {}


class Model(Section):
    """What is trained: an entry of `models.MODELS`, on some features or all, or those that `select` keeps.

    `select` is an entry of `selection.SELECTIONS`, fitted on the train role.
    """

    name: str = "lstm"
    features: tuple[str, ...] | None = Field(None, min_length=1)
    select: str | None = None
    select_options: Options = {}
    options: Options = {}


class Pretrain(Section):
    """How `flarecast pretrain` teaches an encoder without outcomes: an entry of `pretraining.TASKS`."""

    name: str = "masked"
    epochs: int = Field(30, ge=1)
    batch_size: int = Field(256, ge=2)
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-4, ge=0)
    options: Options = {}


class SelfTraining(Section):
    """Pseudo-labels for train windows of unknown or hidden outcome, given anew in each of so many rounds.

    Of the unlabelled windows the surest `share` is taken, in the proportions of the honest labels, as far as
    the class has at least the probability `confidence`; each counts `weight` of a window.
    """

    rounds: int = Field(0, ge=0, le=10)
    share: float = Field(0.5, gt=0, le=1)
    confidence: float = Field(0.5, ge=0, lt=1)
    weight: float = Field(0.5, gt=0, le=1)


class Train(Section):
    """How it is trained.

    `init_from` names a folder of `flarecast pretrain` or of a trained model whose encoder training starts
    from, `frozen` layers that stay as they are (`encoder`: all but the head). `label_share` hides the
    outcomes of the other train regions.

    One thread gives the same bits whatever the number of cores, is enough for models of this size, and does
    not suffer from neighbours; ask for more threads for a large network on a large CPU. A step's `batch_size`
    windows go through the network in `accumulate` parts. Rows that are larger than
    `device_share` of a GPU's free memory stay in the host's. Several processes train one `model` after the
    other together, or share out the `trainings`. What is said of CUDA changes nothing elsewhere.
    """

    epochs: int = Field(30, ge=1)
    batch_size: int = Field(256, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-4, ge=0)
    patience: int = Field(8, ge=1)
    loss: str = "cross_entropy"
    loss_options: Options = {}
    optimizer: str = "adamw"
    optimizer_options: Options = {}
    schedule: str = "constant"
    schedule_options: Options = {}
    clip: float = Field(1.0, ge=0)
    input_noise: float = Field(0.0, ge=0)
    mixup: float = Field(0.0, ge=0)
    averaging: str = "swa"
    averaging_options: Options = {}
    averaging_start: float = Field(0.75, gt=0, lt=1)
    averaging_learning_rate: float = Field(5e-4, gt=0)
    threads: int = Field(1, ge=1, le=1024)
    accumulate: int = Field(1, ge=1)
    precision: Literal["float32", "tf32", "bf16"] = "float32"
    deterministic: bool = True
    compile: bool = False
    parallel: Literal["model", "trainings"] = "model"
    device_share: float = Field(0.5, ge=0, le=1)
    unassigned: Literal["ignore", "mask"] = "mask"
    init_from: str | None = None
    frozen: tuple[str, ...] = ()
    label_share: float = Field(1.0, gt=0, le=1)
    self_training: SelfTraining = SelfTraining()
    allow_leaks: bool = False


class Decision(Section):
    """Decision thresholds, chosen on calibrated forecasts of the calibration role alone.

    Beside those of the largest TSS, the largest HSS and as many forecasts as events there is one for users
    whose warning costs `cost_loss_ratio` of what an unwarned event does, one for a `target_recall`, and,
    where asked for, one whose `guaranteed_recall` holds with so much `confidence` (extra `conformal`). Their
    intervals are of as much confidence, from so many `resamples` of regions or rotations.
    """

    cost_loss_ratio: float = Field(0.1, gt=0, lt=1)
    target_recall: float = Field(0.9, gt=0, le=1)
    guaranteed_recall: float | None = Field(None, gt=0, lt=1)
    confidence: float = Field(0.95, gt=0, lt=1)
    resamples: int = Field(200, ge=100)


class Ensemble(Section):
    """Several members in place of one model: an entry of `ensembles.ENSEMBLES`.

    `member` makes a training that of one member: it draws its own random numbers or windows. `train` sets it.
    """

    name: str = "none"
    options: Options = {}
    member: int | None = Field(None, ge=1)


class Calibrate(Section):
    """How probabilities are mended: an entry of `calibrators.CALIBRATORS`, and what it is fitted on.

    `fit_on` is the calibration role, or out-of-fold forecasts of the whole training span in so many `folds`.
    `nesting` says what keeps a stronger event from being likelier: curves of events and their running
    `minimum`, or curves of each event given the one below (`conditional`). `update`, an entry of
    `calibrators.updates.UPDATES`, goes on learning with outcomes whose span was over `delay_hours` before.
    `combine` makes forecasts of those of the model and its rivals, entries of
    `calibrate.combining.COMBINATIONS`.
    """

    name: str = "platt"
    nesting: Literal["minimum", "conditional"] = "minimum"
    fit_on: Literal["calibration", "out_of_fold"] | None = None
    folds: int = Field(5, ge=2, le=100)
    options: Options = {}
    combine: tuple[Literal["vote", "stack"], ...] = ()
    decision: Decision = Decision()
    update: str = "none"
    update_options: Options = {}
    delay_hours: float = Field(24.0, ge=0)


class Study(Section):
    """What `flarecast study` compares; what is left out has defaults there.

    `models` and `remedies` name sections `model` and `balance`; `tries` are options of a model that inner
    validation chooses from, `inner` options of the rolling origin that it does so by, with every so many
    windows of the training span (`inner_every`).
    """

    event: str | None = None
    contrasts: tuple[str, ...] | None = None
    models: dict[str, Model] = {}
    remedies: dict[str, Balance] = {}
    tries: dict[str, tuple[Options, ...]] = {}
    inner: Options = {}
    inner_every: int = Field(1, ge=1)


class Explain(Section):
    """What `flarecast explain` permutes: features, groups of them, and at most so many spans of time steps.

    `groups` names features; without it they are grouped by unit or by the prefix of their names. `only` picks
    features, groups and spans by name. Each is permuted `repeats` times.
    """

    repeats: int = Field(5, ge=1, le=1000)
    groups: dict[str, tuple[str, ...]] = {}
    group_by: Literal["prefix", "unit", "none"] = "prefix"
    spans: int = Field(12, ge=1, le=1000)
    only: tuple[str, ...] = ()


class Evaluate(Section):
    """What the forecasts are compared with, and how intervals are made.

    `references` are files (netCDF or CSV), or names of `read-forecasts` readers for the same RAW. `blocks`
    are what the bootstrap draws as a whole; of both ways, the wider interval is reported. `interval` is how
    it follows from the resamples (docs/intervals.md).
    """

    references: tuple[str, ...] = ()
    blocks: Literal["wider", "region", "rotation"] = "wider"
    interval: Literal["shifted", "bca", "percentile"] = "shifted"
    resamples: int = Field(1000, ge=100)
    confidence: float = Field(0.95, gt=0, lt=1)

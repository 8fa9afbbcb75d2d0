"""The whole configuration, as one frozen object."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    SerializeAsAny,
    StrictFloat,
    StrictInt,
    ValidationError,
    model_validator,
)
from pydantic import ConfigDict as PydanticConfig

from search.config.device_budget import DeviceBudget, parse_device_budget
from search.config.earlier import as_meant
from search.config.latency import LatencyConfig, latency_problems, with_one_limit
from search.config.objectives import (
    limited,
    named_constraints,
    named_objectives,
    read_objectives,
    refuse_unmet_lower_bounds,
)
from search.config.parts import Resources, Section, Seeds, parse_duration
from search.objectives import Objectives, unkept
from search.options import Options
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS
from search.store.url import parse_url
from search.study_name import LONGEST_NAME, is_study_name
from search.trackers import TRACKERS
from space import DesignSpace
from space.errors import InputError, Problem, refuse
from space.input.paths import Folder
from space.input.pydantic_errors import problems_from_pydantic
from trainers import DataConfig, Protocol
from trainers.runtime import runtime_problems, shares_problems

Initial = Literal["paired", "named", "hybrid", "axes"]
MOST_TRIALS = 10_000_000
INITIAL: tuple[Initial, ...] = ("named", "axes")


def _part(kind: Any) -> PlainValidator:
    """One of this kind as it is, or what a mapping says of one."""

    def read(value: object) -> Any:
        if isinstance(value, kind):
            return value
        if not isinstance(value, Mapping):
            raise ValueError("must be a mapping of fields")
        return kind.from_dict(dict(value), "")

    return PlainValidator(read)


def _study_name(value: str) -> str:
    if not is_study_name(value):
        raise ValueError(
            f"must be 1 to {LONGEST_NAME} letters, digits, '.', '_' or '-', beginning with a "
            "letter or digit"
        )
    return value


def _study_name_or_none(value: str | None) -> str | None:
    return value if value is None else _study_name(value)


def _store_url(value: str) -> str:
    try:
        parse_url(value)
    except InputError as error:  # pydantic names the field, and must not show the value
        raise InputError(Problem("", problem.message) for problem in error.problems) from None
    return value


def _no_repeats(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) != len(value):
        raise ValueError("must name each once")
    return value


def _as_text(value: object) -> str | None:
    return None if value is None else str(value)


def _as_mappings(value: tuple[Options, ...]) -> list[dict[str, Any]]:
    return [options.model_dump(mode="json") for options in value]


def _trackers(value: object) -> tuple[Options, ...]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"must be a list of trackers, of {', '.join(TRACKERS.names)}")
    found: list[Options] = []
    problems: list[Problem] = []
    for place, each in enumerate(value):
        try:
            found.append(TRACKERS.options(each))
        except InputError as error:
            problems += error.below(f"[{place}]").problems
    refuse(problems)
    _no_repeats(tuple(options.name for options in found))
    return tuple(found)


def _study_names(value: object) -> object:
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        raise ValueError("must be a list of study names")
    return value


SearcherConfig = Annotated[SerializeAsAny[Options], PlainValidator(SEARCHERS.options)]
SchedulerConfig = Annotated[SerializeAsAny[Options], PlainValidator(SCHEDULERS.options)]


class Config(Section):
    """What `mixspace run` needs to know of a study.

    Attributes:
        study: name of the study in the store.
        store: where results go: a path to an SQLite file, sqlite:///PATH or postgresql://…
        space: the design space.
        data: which images, and where they lie.
        protocol: how every candidate is judged.
        objectives: "maximise" or "minimise" by metric: validation_accuracy,
            validation_loss, params, macs, training_bytes, inference_bytes, and, with the section
            `latency`, latency.
        constraints: hard bounds by metric, such as `params: 30M` or `macs: {at_least: 1G}`; upper
            bounds on costs narrow the space before anything is trained.
        latency: on which device, and how, latency is measured; with `at_most` it is a constraint.
            Null measures none.
        searcher, scheduler: how the space is explored, and which trials are cut short.
        trials: planned number of trials; failed and infeasible ones count.
        initial: points that are tried first: "paired" are the paper's operators in one skeleton,
            which are equal in all else and are trained to their end; "named" are the paper's
            operators, each in a network of its own; "hybrid" are their global ones in the last
            stage, with convolutions, or what is most like them, before; "axes" are points that
            together touch every value of every axis.
        seed: of the searcher, and of every trial's initialisation and data order.
        seeds: one of these three alone, in place of `seed`.
        random_baseline: share of the trials behind the initial points that are random points, to
            compare the searcher with; that takes 10 of them.
        warm_start: earlier studies of the store whose results the searcher learns from. Their best
            points are tried first, in at most a quarter of `trials`.
        finetune_from: study of the store whose finished trainings of the same networks the trials
            start from, where the protocol's initialisation is finetuned. Its images and classes
            may be others.
        retries: how often a trial whose worker was killed is taken up again from its checkpoint.
        stop_after_same_failures: the run stops when its first that many trials all fail alike;
            null lets it go on.
        trial_time_limit: seconds within which a trial must finish an epoch. One that does not has
            hung: it is interrupted and taken up again, and the second time it has failed. Null
            waits for ever.
        store_patience: seconds for which the store may be away; meanwhile results are kept beside
            the checkpoints.
        time_limit: seconds after which the run stops (exit code 3); it can be resumed.
        budget: device time such as "40 gpu-hours" or "8 cpu-hours" that all trials of the study may
            train together, in all of its runs; then the run stops (exit code 3), and goes on once
            the budget is raised.
        trackers: experiment trackers to which every trial is a run: tensorboard, mlflow, wandb, by
            name or with their options.
        resources: what a trial gets.
        checkpoints: folder for checkpoints; on a cluster, one that every node sees.
    """

    model_config = PydanticConfig(arbitrary_types_allowed=True)

    study: Annotated[str, AfterValidator(_study_name)]
    store: Annotated[str, AfterValidator(_store_url)] = Field(default="mixspace.db", repr=False)
    space: Annotated[DesignSpace, _part(DesignSpace)]
    data: Annotated[DataConfig, _part(DataConfig)] = DataConfig()
    protocol: Annotated[Protocol, _part(Protocol)] = Protocol()
    objectives: Annotated[dict[str, str], PlainValidator(named_objectives)] = {  # noqa: RUF012
        "validation_accuracy": "maximise"
    }
    constraints: Annotated[dict[str, Any], PlainValidator(named_constraints)] = {}  # noqa: RUF012
    latency: LatencyConfig | None = None
    searcher: SearcherConfig = Field(default_factory=lambda: SEARCHERS.options("tpe"))
    scheduler: SchedulerConfig = Field(default_factory=lambda: SCHEDULERS.options("asha"))
    trials: StrictInt = Field(ge=1, le=MOST_TRIALS)
    initial: Annotated[tuple[Initial, ...], AfterValidator(_no_repeats)] = INITIAL
    seed: StrictInt = Field(default=0, ge=0, lt=2**63)
    seeds: Seeds = Seeds()
    random_baseline: StrictFloat = Field(default=0.0, ge=0, lt=1)
    warm_start: Annotated[
        tuple[str, ...], BeforeValidator(_study_names), AfterValidator(_no_repeats)
    ] = ()
    finetune_from: Annotated[str | None, AfterValidator(_study_name_or_none)] = None
    retries: StrictInt = Field(default=1, ge=0, le=100)
    stop_after_same_failures: StrictInt | None = Field(default=3, ge=1, le=MOST_TRIALS)
    trial_time_limit: Annotated[StrictFloat | None, BeforeValidator(parse_duration)] = 86400.0
    store_patience: Annotated[StrictFloat, BeforeValidator(parse_duration)] = 600.0
    time_limit: Annotated[StrictFloat | None, BeforeValidator(parse_duration)] = None
    budget: Annotated[
        DeviceBudget | None, PlainValidator(parse_device_budget), PlainSerializer(_as_text)
    ] = None
    trackers: Annotated[
        tuple[Options, ...], PlainValidator(_trackers), PlainSerializer(_as_mappings)
    ] = ()
    resources: Resources = Resources()
    checkpoints: Folder = Path("checkpoints")

    @model_validator(mode="before")
    @classmethod
    def _one_latency_limit(cls, values: Any) -> Any:
        return with_one_limit(values) if isinstance(values, Mapping) else values

    @model_validator(mode="after")
    def _fields_fit_together(self) -> "Config":
        refuse(_clashes(self))
        return self

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Config":
        """The configuration of parsed YAML, with `space` as a mapping.

        Raises:
            InputError: with every problem of every part.
        """
        try:
            return cls.model_validate(_with_protocol_data(values))
        except ValidationError as error:
            raise InputError(problems_from_pydantic(error, model=cls)) from None

    @classmethod
    def from_stored(cls, values: Mapping[str, Any]) -> "Config":
        """The configuration that a study was made with, also by an earlier release.

        Args:
            values: what `to_stored` gave then, and the store.

        Raises:
            InputError: it cannot be read any more.
        """
        return cls.from_dict(as_meant(values))

    @cached_property
    def parsed_objectives(self) -> Objectives:
        """Objectives and constraints, read."""
        return read_objectives(self.objectives, self.constraints)

    @cached_property
    def search_space(self) -> DesignSpace:
        """The space, narrowed to what the constraints on costs allow."""
        return limited(self.space, self.parsed_objectives)

    @property
    def searcher_seed(self) -> int:
        """Seed of the searcher."""
        return self.seed if self.seeds.searcher is None else self.seeds.searcher

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` reads them back to an equal configuration."""
        plain = self.model_dump(mode="json", exclude={"space", "data", "protocol"})
        parts = {
            "space": self.space.to_dict(),
            "data": self.data.to_dict(),
            "protocol": self.protocol.to_dict(),
        }
        if self.latency is None:
            del plain["latency"]  # as of studies that know nothing of it
        else:
            plain["latency"] = self.latency.model_dump(exclude_none=True)
        return plain | parts

    def to_stored(self) -> dict[str, Any]:
        """What a study keeps: `to_dict` without the store, whose URL may hold a password."""
        return {name: value for name, value in self.to_dict().items() if name != "store"}


def _with_protocol_data(values: Mapping[str, Any]) -> dict[str, Any]:
    """The protocol's `data` need not be repeated where the `data` section names it."""
    data, protocol = values.get("data", {}), values.get("protocol", {})
    if isinstance(data, Mapping) and isinstance(protocol, Mapping) and "name" in data:
        protocol = {"data": data["name"]} | dict(protocol)
        return dict(values) | {"protocol": protocol}
    return dict(values)


def _clashes(config: Config) -> list[Problem]:
    """What no single field shows."""
    found: list[Problem] = []
    way = config.protocol.initialisation
    if (config.finetune_from is None) is (way == "finetuned"):
        is_needed = "is needed" if way == "finetuned" else "goes only"
        message = f"{is_needed} where protocol.initialisation is finetuned; it is {way}"
        found.append(Problem("finetune_from", message))
    if config.protocol.data != config.data.name:
        message = f"must be data.name ({config.data.name}); got {config.protocol.data}"
        found.append(Problem("protocol.data", message))
    try:
        refuse_unmet_lower_bounds(config.search_space, config.parsed_objectives)
        found += latency_problems(config.latency, config.parsed_objectives)
        found += [*_beyond_one_objective(config), *_against_the_best(config)]
    except InputError as error:
        found += error.problems
    found += _too_long_for_a_training(config) + _beyond_the_resources(config)
    return found + _without_the_device(config)


def _beyond_the_resources(config: Config) -> list[Problem]:
    """What trials with these resources cannot do of the protocol."""
    protocol, resources = config.protocol, config.resources
    device = "cuda" if resources.gpus_per_trial else "cpu"
    return [
        *runtime_problems(protocol, device),
        *shares_problems(protocol, protocol.batch_size, resources.processes),
    ]


def _against_the_best(config: Config) -> list[Problem]:
    """Objectives whose best epoch is another than the one by which trials are judged."""
    if config.protocol.judged_by == "last":
        return []
    other = {"maximise": "minimise", "minimise": "maximise"}
    return [
        Problem(
            f"objectives.{name}",
            f"must be {other[config.objectives[name]]!r}, by which the store finds the best epoch, "
            f"or protocol.judged_by must be last; got {config.objectives[name]!r}",
        )
        for name in unkept(config.parsed_objectives)
    ]


def _too_long_for_a_training(config: Config) -> list[Problem]:
    """What searchers and schedulers say of their options beside the length of a training."""
    epochs = config.protocol.epochs
    return [
        Problem(f"{part}.{option}", message)
        for part, options in (("searcher", config.searcher), ("scheduler", config.scheduler))
        for option, message in options.refusals(epochs, "protocol.epochs").items()
    ]


def _without_the_device(config: Config) -> list[Problem]:
    """A budget of what no trial gets would never be spent."""
    budget = config.budget
    if budget is None or budget.device == "cpu" or config.resources.gpus_per_trial:
        return []
    message = "trials get no GPU (resources.gpus_per_trial is 0); write cpu-hours, or give them one"
    return [Problem("budget", f"{budget}: {message}")]


def _beyond_one_objective(config: Config) -> list[Problem]:
    """Searchers and schedulers of one objective, asked for several."""
    if len(config.parsed_objectives.objectives) == 1:
        return []
    wanted = ", ".join(config.objectives)
    parts = (("searcher", config.searcher, SEARCHERS), ("scheduler", config.scheduler, SCHEDULERS))
    return [
        Problem(f"{part}.name", f"{chosen.name!r} takes one objective; got {wanted}")
        for part, chosen, registry in parts
        if not registry.kind(chosen.name).multi_objective
    ]

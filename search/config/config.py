"""The whole configuration, as one frozen object."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)
from pydantic import ConfigDict as PydanticConfig

from search.config.parts import (
    AshaConfig,
    EvolutionConfig,
    LocalConfig,
    NoSchedulerConfig,
    Part,
    RandomConfig,
    Resources,
    SurrogateConfig,
    TpeConfig,
    parse_duration,
)
from space import DesignSpace
from space.errors import InputError, Problem
from space.pydantic_errors import problems_from_pydantic
from trainers import DataConfig, Protocol
from trainers.whole import Whole

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
Initial = Literal["named", "axes"]
INITIAL: tuple[Initial, ...] = ("named", "axes")


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a mapping of fields; got {value!r}")
    return dict(value)


def _space(value: object) -> DesignSpace:
    return value if isinstance(value, DesignSpace) else DesignSpace.from_dict(_mapping(value))


def _data(value: object) -> DataConfig:
    return value if isinstance(value, DataConfig) else DataConfig.from_dict(_mapping(value), "")


def _protocol(value: object) -> Protocol:
    return value if isinstance(value, Protocol) else Protocol.from_dict(_mapping(value), "")


def _study_name(value: str) -> str:
    if not re.fullmatch(NAME, value):
        raise ValueError(
            "must be 1 to 100 letters, digits, '.', '_' or '-', beginning with a letter or digit; "
            f"got {value!r}"
        )
    return value


def _no_repeats(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) != len(value):
        raise ValueError(f"must name each kind once; got {list(value)}")
    return value


SearcherConfig = Annotated[
    RandomConfig | TpeConfig | EvolutionConfig | LocalConfig | SurrogateConfig,
    Field(discriminator="name"),
]
SchedulerConfig = Annotated[NoSchedulerConfig | AshaConfig, Field(discriminator="name")]


class Config(Part):
    """What `mixspace run` needs to know of a study.

    Attributes:
        study: name of the study in the store.
        store: where results go: a path to an SQLite file, sqlite:///PATH or postgresql://…
        space: the design space.
        data: which images, and where they lie.
        protocol: how every candidate is judged.
        searcher, scheduler: how the space is explored, and which trials are cut short.
        trials: planned number of trials; failed and infeasible ones count.
        initial: points that are tried first: "named" are the paper's operators, "axes" are points
            that together touch every value of every axis.
        seed: of the searcher, and of every trial's initialisation and data order.
        time_limit: seconds after which the run stops (exit code 3); it can be resumed.
        resources: what a trial gets.
        checkpoints: folder for checkpoints; on a cluster, one that every node sees.
    """

    model_config = PydanticConfig(arbitrary_types_allowed=True)

    study: Annotated[str, AfterValidator(_study_name)]
    store: str = Field(default="mixspace.db", min_length=1)
    space: Annotated[DesignSpace, PlainValidator(_space)]
    data: Annotated[DataConfig, PlainValidator(_data)] = DataConfig()
    protocol: Annotated[Protocol, PlainValidator(_protocol)] = Protocol()
    searcher: SearcherConfig = TpeConfig()
    scheduler: SchedulerConfig = AshaConfig()
    trials: Whole = Field(ge=1, le=10_000_000)
    initial: Annotated[tuple[Initial, ...], AfterValidator(_no_repeats)] = INITIAL
    seed: Whole = Field(default=0, ge=0, lt=2**63)
    time_limit: Annotated[float | None, BeforeValidator(parse_duration)] = None
    resources: Resources = Resources()
    checkpoints: Path = Path("checkpoints")

    @model_validator(mode="after")
    def _fields_fit_together(self) -> "Config":
        problems = list(_clashes(self))
        if problems:
            raise InputError(problems)
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

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` reads them back to an equal configuration."""
        plain = self.model_dump(mode="json", exclude={"space", "data", "protocol"})
        parts = {
            "space": self.space.to_dict(),
            "data": self.data.to_dict(),
            "protocol": self.protocol.to_dict(),
        }
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
    if config.protocol.data != config.data.name:
        message = f"must be data.name ({config.data.name}); got {config.protocol.data}"
        found.append(Problem("protocol.data", message))
    scheduler = config.scheduler
    if isinstance(scheduler, AshaConfig) and scheduler.grace_epochs > config.protocol.epochs:
        epochs = config.protocol.epochs
        message = f"must not exceed protocol.epochs ({epochs}); got {scheduler.grace_epochs}"
        found.append(Problem("scheduler.grace_epochs", message))
    return found

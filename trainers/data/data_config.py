"""Where the images come from, as a person writes it in a configuration."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from space.errors import InputError, Problem, join, refuse
from space.input.pydantic_errors import problems_from_pydantic
from space.wording import as_written
from trainers.data.registry import DEFAULT, kind_of, names_with

EARLIER: dict[str, Any] = {
    "source": "embedded",
    "folder": None,
    "download": False,
    "check": "full",
    "broken": "refuse",
    "test_fraction": None,
    "workers": 0,
}
"""Fields that all data had in earlier releases, also where they meant nothing, with their defaults.

Stored configurations hold them: a kind without such a field takes it as not written.
"""


class DataConfig(BaseModel):
    """Which data set, and where it lies. Each kind of data adds its own fields.

    `DataConfig(name="image-folder", folder=…)` is the configuration of that kind.

    Attributes:
        name: of the kind of data; see `trainers.data.registry`.
        limit_train, limit_validation: keep only so many images, evenly over the classes. They
            change the split hash, and with it the protocol.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    before: ClassVar[Mapping[str, Any]] = {}
    """By field of a kind what was done before it existed, where that is not the default."""

    name: str = DEFAULT
    limit_train: StrictInt | None = Field(default=None, ge=2, le=1_000_000_000)
    limit_validation: StrictInt | None = Field(default=None, ge=1, le=1_000_000_000)

    def __new__(cls, **values: Any) -> Self:
        """As `pathlib.Path`: what is asked for in general is one of a kind."""
        if cls is DataConfig:
            kind: Any = kind_of(values.get("name", DEFAULT)).Config
            found: Self = super().__new__(kind)
            return found
        return super().__new__(cls)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "data") -> "DataConfig":
        """Read the configuration from parsed YAML.

        Raises:
            InputError: with every unknown field and every value off the allowed list.
        """
        name = values.get("name", DEFAULT)
        try:
            kind: type[DataConfig] = kind_of(name).Config
        except InputError as error:
            raise InputError(
                [*error.below(where).problems, *_whatever_the_kind(values, where)]
            ) from None
        foreign = {
            field: value
            for field, value in values.items()
            if field not in kind.model_fields and names_with(field)
        }
        problems = [
            Problem(join(where, field), _only_for(field, name, value))
            for field, value in foreign.items()
            if not _is_default(field, value)
        ]
        try:
            found = kind.model_validate({f: v for f, v in values.items() if f not in foreign})
        except ValidationError as error:
            problems += problems_from_pydantic(error, where, kind)
        refuse(problems)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON and YAML hold them."""
        return self.model_dump(mode="json")


def as_meant_then(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored configuration as it was meant when it was written.

    What other kinds of data have was ignored, and a field that there was not yet is what was done.
    """
    try:
        kind = kind_of(stored.get("name", DEFAULT)).Config
    except InputError:
        return dict(stored)
    known = {f: v for f, v in stored.items() if f in kind.model_fields or f not in EARLIER}
    return {**kind.before, **known}


def _only_for(field: str, name: object, value: object) -> str:
    kinds = " or ".join(map(repr, names_with(field)))
    return f"only where name is {kinds}, and it is {name!r}; got {as_written(value)}"


def _is_default(field: str, value: object) -> bool:
    """Whether it says nothing, as in configurations of earlier releases; 0 is not false."""
    default = EARLIER.get(field, EARLIER)
    return type(value) is type(default) and value == default


def _whatever_the_kind(values: Mapping[str, Any], where: str) -> list[Problem]:
    """What is wrong with the other fields: with a value that no kind which has the field takes."""
    found: list[Problem] = []
    for field, value in values.items():
        if field != "name":
            kinds = names_with(field) or [DEFAULT]
            said = (_problems_of(field, value, kind_of(name).Config, where) for name in kinds)
            fewest: list[Problem] = min(said, key=lambda problems: len(problems))
            found += fewest
    return found


def _problems_of(field: str, value: object, kind: type[DataConfig], where: str) -> list[Problem]:
    try:
        kind.model_validate({field: value})
    except ValidationError as error:
        problems = problems_from_pydantic(error, where, kind)
        return [each for each in problems if each.where == join(where, field)]
    return []


def parse_data_config(config: "DataConfig | Mapping[str, Any]") -> DataConfig:
    """Accept what was read already, or the plain values."""
    return config if isinstance(config, DataConfig) else DataConfig.from_dict(config)

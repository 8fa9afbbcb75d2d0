"""Other names of fields: those of an earlier release, another spelling, another word for a metric.

They are declared where the fields are, and looked up there: `Config` reads them by the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import AliasChoices, BaseModel

from search.config.config import Config
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS
from space.architecture import RENAMED
from space.design import METRIC_ALIASES
from space.input.earlier_names import notice
from space.input.pydantic_errors import holders

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class _OtherNames:
    """The other names of the fields of one mapping.

    Attributes:
        current: the name of today, by each of the others.
        renamed: what to say of them, as `notice` takes it: what they are, and whose. Empty where
            they are as good as those of today.
    """

    current: Mapping[str, str] = field(default_factory=dict)
    renamed: tuple[str, str] | tuple[()] = ()

    def now(self, name: Any) -> Any:
        """The name of today; a place in a list has no other."""
        return self.current.get(name, name)

    def bring_up_to_date(self, values: dict[Any, Any]) -> None:
        """Give the fields their names of today; one that is there twice is left to be refused."""
        current = {self.now(name): value for name, value in values.items()}
        if len(current) < len(values):
            return
        for name in values.keys() & self.current.keys():
            self.say(name)
        values.clear()
        values.update(current)

    def say(self, name: Any) -> None:
        """The notice that `Config` would give, to which the name does not come any more."""
        if self.renamed and name in self.current:
            kind, whose = self.renamed
            notice(kind, name, whose, self.now(name))


def by_current_names(values: dict[str, Any], steps: Sequence[str | int]) -> list[str | int]:
    """The path of a field by the names of today, which all mappings on the way then have too.

    Args:
        values: of a configuration, as parsed; the names in them are changed in place.
        steps: to the field, by any of its names.
    """
    path: Path = ()
    here: Any = values
    for step in steps:
        names = _other_names(values, path)
        if isinstance(here, dict):
            names.bring_up_to_date(here)
        names.say(step)
        path = (*path, names.now(step))
        here = _inside(here, path[-1])
    return list(path)


def _other_names(values: Mapping[str, Any], path: Path) -> _OtherNames:
    """Of the mapping at this path."""
    match path:
        case ("space",):
            return _OtherNames(RENAMED, ("field", "a space"))
        case ("objectives",) | ("constraints",) | ("space", "limits"):
            return _OtherNames(METRIC_ALIASES)
        case ("searcher" | "scheduler" as part,):
            registry: Any = SEARCHERS if part == "searcher" else SCHEDULERS
            chosen = values.get(part)
            return _OtherNames(registry.renamed(chosen), ("option", str(_inside(chosen, "name"))))
    return _OtherNames(_spellings(path))


def _spellings(path: Path) -> dict[str, str]:
    """Of fields that their models spell in several ways, the first of which is that of today."""
    models = [model for model in holders(Config, (*path, "")) if issubclass(model, BaseModel)]
    aliases = [each.validation_alias for m in models for each in m.model_fields.values()]
    choices = [alias.choices for alias in aliases if isinstance(alias, AliasChoices)]
    return {
        str(other): str(now) for now, *others in choices for other in others if type(other) is str
    }


def _inside(here: Any, step: str | int) -> Any:
    """What a mapping or a list holds; None where it holds nothing of the kind."""
    if isinstance(here, Mapping):
        return here.get(step)
    is_place = isinstance(here, list) and isinstance(step, int) and step < len(here)
    return here[step] if is_place else None

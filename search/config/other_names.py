"""Other names of fields: those of an earlier release, another spelling, another word for a metric.

They are declared where the fields are, and looked up there: `Config` reads them by the same.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from pydantic import AliasChoices, BaseModel

from search.config.config import Config
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS
from space.architecture import RENAMED
from space.design import METRIC_ALIASES
from space.errors import InputError
from space.input.earlier_names import with_current_names
from space.input.pydantic_errors import holders

Path = tuple[str | int, ...]
_OtherNames = tuple[Mapping[str, str], tuple[str, str] | None]


def by_current_names(values: dict[str, Any], steps: Sequence[str | int]) -> list[str | int]:
    """The path of a field by the names of today, which all mappings on the way then have too.

    Args:
        values: of a configuration, as parsed; the names in them are changed in place.
        steps: to the field, by any of its names.
    """
    path: Path = ()
    here: Any = values
    for step in steps:
        current, said = _other_names(values, path)
        if isinstance(here, dict):
            with suppress(InputError):  # a field that is there by both names is refused later
                up_to_date = with_current_names(here, current, said=said)
                here.clear()
                here.update(up_to_date)
        path = (*path, *with_current_names({step: None}, current, said=said))
        here = _inside(here, path[-1])
    return list(path)


def _other_names(values: Mapping[str, Any], path: Path) -> _OtherNames:
    """The names of today of the fields of the mapping at this path, and what to say of the others.

    Nothing is said of those that are as good.
    """
    match path:
        case ("space",):
            return RENAMED, ("field", "a space")
        case ("objectives",) | ("constraints",) | ("space", "limits"):
            return METRIC_ALIASES, None
        case ("searcher" | "scheduler" as part,):
            registry: Any = SEARCHERS if part == "searcher" else SCHEDULERS
            chosen = values.get(part)
            return registry.renamed(chosen), ("option", str(_inside(chosen, "name")))
    return _spellings(path), None


@cache
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

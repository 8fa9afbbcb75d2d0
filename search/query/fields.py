"""The fields that a where-clause may name: the allow-list."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from search.store.models import Architecture, ArchitectureMixer, Study, Trial
from search.trial_states import TrialState
from space.architecture import BLOCK_TYPES
from space.axes import AXES


class Kind(StrEnum):
    """What a field is compared with."""

    NUMBER = "number"
    WORD = "word"
    TEXT = "text"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Field:
    """One name of the language.

    Attributes:
        name: as it is written.
        kind: number, one of some words, free text, or the name of an operator.
        column: what it compiles to.
        words: the allowed words of kind word.
        of_mixer: whether every mixer of an architecture has its own.
        is_share: whether it is a number from 0 to 1, which may be written in per cent.
    """

    name: str
    kind: Kind
    column: Any
    words: tuple[str, ...] = ()
    of_mixer: bool = False
    is_share: bool = False


def _number(name: str, column: Any, of_mixer: bool = False) -> Field:
    return Field(name, Kind.NUMBER, column, of_mixer=of_mixer)


_FIELDS = [
    _number("params", Architecture.params),
    _number("flops", Architecture.macs),
    Field("accuracy", Kind.NUMBER, Trial.accuracy, is_share=True),
    _number("epochs", Trial.epochs_done),
    _number("seconds", Trial.seconds),
    _number("depth", Architecture.depth),
    Field("state", Kind.WORD, Trial.state, tuple(TrialState)),
    Field("scaffold", Kind.WORD, Architecture.scaffold, tuple(BLOCK_TYPES)),
    Field("study", Kind.TEXT, Study.name),
    _number("kernel", ArchitectureMixer.kernel_size, of_mixer=True),
    _number("heads", ArchitectureMixer.heads, of_mixer=True),
    _number("groups", ArchitectureMixer.groups, of_mixer=True),
    _number("ratio", ArchitectureMixer.ratio, of_mixer=True),
    *(
        Field(axis, Kind.WORD, getattr(ArchitectureMixer, axis), tuple(values), of_mixer=True)
        for axis, values in AXES.items()
    ),
    Field("name", Kind.OPERATOR, ArchitectureMixer.name, of_mixer=True),
]
_ALIASES = {"macs": "flops", "kernel_size": "kernel", "operator": "name"}

FIELDS: dict[str, Field] = {field.name: field for field in _FIELDS}
"""The fields by name."""
FIELDS |= {alias: FIELDS[name] for alias, name in _ALIASES.items()}

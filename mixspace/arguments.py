"""What a call from Python is handed, of which no option of a command line has seen to the type."""

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from space.errors import Problem, refuse
from space.passwords import masked


@dataclass(frozen=True, slots=True)
class Kind:
    """What an argument may be.

    Attributes:
        allowed: in words, after "must be".
        holds: whether a value is of this kind.
    """

    allowed: str
    holds: Callable[[object], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _are_numbers(value: object) -> bool:
    if not isinstance(value, Collection) or isinstance(value, str | bytes):
        return False
    return all(type(each) is int for each in value)


def _are_texts(value: object) -> bool:
    if not isinstance(value, Collection) or isinstance(value, str | bytes):
        return False
    return all(isinstance(each, str) for each in value)


def _are_texts_or_paths(value: object) -> bool:
    if not isinstance(value, Collection) or isinstance(value, str | bytes):
        return False
    return all(isinstance(each, str | os.PathLike) for each in value)


def _is_number_or_none(value: object) -> bool:
    return value is None or type(value) is int


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


NAME = Kind("a text, the name of a study", _is_text)
NAME_OR_NONE = Kind("a text, the name of a study, or None", _is_text_or_none)
STUDY = Kind("a mixspace.Study", lambda value: hasattr(value, "opened"))
STORE = Kind(
    "a path, a URL as text, or None",
    lambda value: _is_text_or_none(value) or isinstance(value, os.PathLike),
)
CLAUSE = Kind('a text such as "params < 200k", or None', _is_text_or_none)
ID = Kind("the beginning of an architecture's id as text", _is_text)
ID_OR_NONE = Kind("the beginning of an architecture's id as text, or None", _is_text_or_none)
IDS = Kind('a list of the beginnings of ids, such as ["3f2a"]', _are_texts)
PROTOCOL = Kind(
    "the name of a protocol, a path, a Protocol, a mapping of fields, or None",
    lambda value: (
        _is_text_or_none(value)
        or isinstance(value, os.PathLike | Mapping)
        or hasattr(value, "bound_to")
    ),
)
DEVICE = Kind('a text such as "cpu" or "cuda:1", or None', _is_text_or_none)
NUMBERS = Kind("a list of the numbers of trials, such as [7, 12]", _are_numbers)
NUMBER_OR_NONE = Kind("the number of a trial, or None", _is_number_or_none)
COUNT = Kind("a whole number from 1", lambda value: type(value) is int and value >= 1)
COUNT_OR_NONE = Kind(
    "a whole number from 1, or None",
    lambda value: value is None or (type(value) is int and value >= 1),
)
TEXT = Kind("a text", _is_text)
PATH = Kind("a path", lambda value: isinstance(value, str | os.PathLike))
FIELDS = Kind("a mapping of fields, or None", lambda value: value is None or _is_mapping(value))
IDS_OR_FOLDERS = Kind(
    'a list of the beginnings of ids, and of folders, such as ["3f2a"]', _are_texts_or_paths
)
SHARE = Kind(
    "a number from 0 to 1",
    lambda value: type(value) in (int, float) and 0 <= value <= 1,  # type: ignore[operator]
)
PARTS = Kind('a list of names, such as ["onnx"]', _are_texts)
FLAG = Kind("True or False", lambda value: isinstance(value, bool))
ADDRESS = Kind("a text, HOST:PORT of the head of a Ray cluster, or None", _is_text_or_none)


def refuse_wrong_types(**arguments: tuple[object, Kind]) -> None:
    """Refuse arguments that are not of their kind.

    Raises:
        InputError: every one of them, with its value and what is allowed.
    """
    refuse(
        Problem(name, f"must be {kind.allowed}; got {masked(repr(value)):.80}")
        for name, (value, kind) in arguments.items()
        if not kind.holds(value)
    )

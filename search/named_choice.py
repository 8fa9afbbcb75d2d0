"""One class of several by its name, with the options that it has; shared by searchers and more."""

import difflib
import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from space.errors import InputError, Problem


def class_named(what: str, name: object, places: Mapping[str, str]) -> type[Any]:
    """The class of a name.

    Args:
        what: "searcher" or the like, for the message.
        name: as the user wrote it.
        places: "module:class" by name; a module is imported only when its class is asked for.

    Raises:
        InputError: there is none of that name.
    """
    if not isinstance(name, str) or name not in places:
        close = difflib.get_close_matches(str(name), places, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        message = f"{name!r} is not a {what}; allowed: {', '.join(places)}{hint}"
        raise InputError.of(what, message)
    module, _, attribute = places[name].partition(":")
    found: type[Any] = getattr(import_module(module), attribute)
    return found


def options_of(
    what: str, name: str, kind: type[Any], options: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The options, when all of them are keyword-only arguments of the class.

    Raises:
        InputError: what is no mapping, or with every unknown option.
    """
    chosen: object = {} if options is None else options
    if not isinstance(chosen, Mapping):
        message = f"must be a mapping from option to value; got {chosen!r}"
        raise InputError.of(f"{what}_options", message)
    parameters = inspect.signature(kind).parameters.values()
    allowed = [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    said = f"allowed: {', '.join(allowed)}" if allowed else "it has no options"
    problems = [
        Problem(f"{what}.{option}", f"unknown option of {name!r}; {said}")
        for option in chosen
        if option not in allowed
    ]
    if problems:
        raise InputError(problems)
    return dict(chosen)

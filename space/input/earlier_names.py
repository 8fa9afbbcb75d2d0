"""Fields that had another name in an earlier release: read by it too, and then it is said."""

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

from space.errors import InputError, Problem, join

_LOG = logging.getLogger(__name__)


def with_current_names(
    values: object,
    renamed: Mapping[str, str],
    where: str = "",
    said: tuple[str, str] | None = None,
) -> Any:
    """The values of a file with the names that its fields have in this release.

    Args:
        values: as they were read; what is no mapping is given back as it is.
        renamed: names of earlier releases, and those of today.
        where: path of the values.
        said: what is renamed and whose it is, as `notice` takes them; None says nothing.

    Raises:
        InputError: for a field that is given by both names.
    """
    if not isinstance(values, dict):
        return values
    both = [name for name, now in renamed.items() if name in values and now in values]
    if both:
        message = "is now called {!r}, which is given too: give it once"
        raise InputError(Problem(join(where, n), message.format(renamed[n])) for n in both)
    if said is not None:
        for name in renamed.keys() & values.keys():
            notice(said[0], name, said[1], renamed[name])
    return {renamed.get(name, name): value for name, value in values.items()}


@cache
def notice(kind: str, before: str, whose: str, now: str) -> None:
    """Say that a name is another one now; once in a process, as files are read again and again.

    Args:
        kind: what is renamed, "field" or "option".
        before: its earlier name.
        whose: what has it, such as "a space".
        now: its name of today.
    """
    _LOG.warning("The %s %s of %s is called %s now.", kind, before, whose, now)

"""Gathers what is wrong in several places, to tell it all at once."""

from collections.abc import Callable
from typing import TypeVar

from space.errors import InputError, Problem

Result = TypeVar("Result")


class Problems:
    """The problems of checks that do not depend on each other."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def attempt(self, check: Callable[[], Result]) -> Result | None:
        """What the check returns; None when it refuses, which `refuse` then tells."""
        try:
            return check()
        except InputError as error:
            self._found += [p for p in error.problems if p not in self._found]
            return None

    def refuse(self) -> None:
        """Tell everything that was found, if anything was.

        Raises:
            InputError: with the problems of every check.
        """
        if self._found:
            raise InputError(self._found)

"""The family of public errors; bad input carries every problem found, each with its field."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where it stands, and the value with what is allowed."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class MixspaceError(Exception):
    """What every public error is: its text is what the command line prints."""


class InputError(MixspaceError, ValueError):
    """Input that is refused before any work starts.

    Attributes:
        problems: every problem found, in the order of the input.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        if not self.problems:
            raise ValueError("an InputError needs at least one problem")
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def of(cls, where: str, message: str) -> "InputError":
        """An error with a single problem."""
        return cls([Problem(where, message)])

    def below(self, prefix: str) -> "InputError":
        """The same problems seen from outside, below `prefix`."""
        return InputError(Problem(join(prefix, each.where), each.message) for each in self.problems)

    def within(self, prefix: str) -> "InputError":
        """The same problems seen from inside: what `below` undoes."""
        return InputError(
            Problem(each.where.removeprefix(prefix).removeprefix("."), each.message)
            for each in self.problems
        )

    def __reduce__(self) -> tuple[type["InputError"], tuple[tuple[Problem, ...]]]:
        # Exceptions travel between processes; the default would rebuild from the text.
        return type(self), (self.problems,)


def refuse(problems: Iterable[Problem]) -> None:
    """Refuse input that has problems.

    Raises:
        InputError: with all of them, if there are any.
    """
    if found := tuple(problems):
        raise InputError(found)


def all_of(calls: Iterable[Callable[[], Result]]) -> list[Result]:
    """What several calls give, each made also where another one refuses.

    Raises:
        InputError: with the problems of all that refuse.
    """
    found: list[Result] = []
    problems: list[Problem] = []
    for call in calls:
        try:
            found.append(call())
        except InputError as error:
            problems += error.problems
    refuse(problems)
    return found


def join(prefix: str, where: str) -> str:
    """The path `where` seen from outside, below `prefix`."""
    if not prefix or not where:
        return prefix or where
    return f"{prefix}{where}" if where.startswith("[") else f"{prefix}.{where}"

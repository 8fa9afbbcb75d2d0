"""Refusals as text for people, whatever the refused input holds."""

from io import StringIO

import click

from space.errors import InputError, Problem

MOST_PROBLEMS = 100
LONGEST = 600


def describe(error: InputError) -> str:
    """All problems: one line for one, a list for more."""
    if len(error.problems) == 1:
        return f"error: {plain(error.problems[0])}"
    lines = [f"error: {len(error.problems)} problems"]
    lines += [f"  {plain(problem)}" for problem in error.problems[:MOST_PROBLEMS]]
    if len(error.problems) > MOST_PROBLEMS:
        lines.append(f"  and {len(error.problems) - MOST_PROBLEMS:,} more")
    return "\n".join(lines)


def plain(problem: Problem) -> str:
    """A problem on one line of printable characters, cut where it is endless."""
    text = " ".join(str(problem).split())
    shown = printable(text)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} …"


def usage(error: click.ClickException) -> str:
    """What click says of a command line that it refuses."""
    said = StringIO()
    error.show(said)
    return printable(said.getvalue().rstrip("\n"))


def printable(text: str) -> str:
    """A text of several lines without what would steer a terminal or turn letters around."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else escaped(letter) for letter in text
    )


def escaped(letter: str) -> str:
    """A character that no terminal should see, as its code."""
    return letter.encode("unicode_escape").decode("ascii")

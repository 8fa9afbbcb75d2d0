"""Refusals as text for people, whatever the refused input holds."""

import click

from space.errors import InputError, Problem
from space.masking import masked

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


def usage(error: click.ClickException) -> str:
    """What is wrong with a command line, without what may be a password in it."""
    lines = (
        []
        if not isinstance(error, click.UsageError) or error.ctx is None
        else [
            error.ctx.get_usage(),
            f"Try '{error.ctx.command_path} --help' for help.",
            "",
        ]
    )
    return masked("\n".join([*lines, f"Error: {error.format_message()}"]))


def plain(problem: Problem) -> str:
    """A problem on one line of printable characters, cut where it is endless."""
    text = " ".join(str(problem).split())
    shown = printable(text)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} …"


def printable(text: str) -> str:
    """A text that no terminal obeys, and which cannot run backwards: on one line."""
    return "".join(letter if letter.isprintable() else escaped(letter) for letter in text)


def escaped(letter: str) -> str:
    """A character that no terminal should see, as its code."""
    return letter.encode("unicode_escape").decode("ascii")

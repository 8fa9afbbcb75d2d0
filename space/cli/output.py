"""Stdout, whose reader may leave before all is written, as `head` does."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console

_PLAIN_WIDTH = 160


class ReaderLeft(Exception):
    """Whoever read stdout has what it wanted."""


class _StdoutConsole(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Rich would exit with 1."""
        raise ReaderLeft


def stdout_console() -> Console:
    """A console for tables; wide where nobody's terminal sets the width."""
    width = None if sys.stdout.isatty() else _PLAIN_WIDTH
    return _StdoutConsole(file=sys.stdout, width=width, highlight=False)


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Around what writes to stdout and to nothing else that may break.

    Raises:
        ReaderLeft: nobody reads stdout any more.
    """
    try:
        yield
    except BrokenPipeError:
        raise ReaderLeft from None


def close_stdout() -> None:
    """Let what is still to be written vanish; Python would complain of it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)

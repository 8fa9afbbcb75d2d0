"""Stdout and stderr as they may be: in any encoding, closed, full, or left by their reader.

Stdout is what a command was asked for, so what cannot be written there is told; stderr carries
remarks, and no work ends for want of them.
"""

import io
import os
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import click
from rich.console import Console

from space.cli.messages import can_carry, carried

_PLAIN_WIDTH = 160
_STDIN, _STDOUT, _STDERR = 0, 1, 2


class ReaderLeft(Exception):
    """Whoever read stdout has what it wanted, as `head` does."""


class StdoutLost(Exception):
    """Stdout cannot be written: it is closed, or its disk is full."""


def on_standard_streams(work: Callable[[], int]) -> int:
    """Do the work of a program whose output may be lost; its exit code.

    Args:
        work: gives its exit code. The code is 1 if what it printed could not be written.
    """
    with _streams():
        try:
            code = work()
            sys.stdout.flush()
        except ReaderLeft:
            return 0
        except StdoutLost as error:
            click.echo(f"error: {error}", err=True)
            return 1
        return code


@contextmanager
def report_may_be_lost() -> Iterator[None]:
    """Around the report on work that is done and kept: it counts without its report too."""
    try:
        yield
        sys.stdout.flush()
    except ReaderLeft:
        pass  # it has what it wanted
    except StdoutLost as error:
        click.echo(f"The report is lost, and the results are in the store: {error}", err=True)


def stdout_console() -> Console:
    """A console for tables; wide where nobody's terminal sets the width."""
    width = None if sys.stdout.isatty() else _PLAIN_WIDTH
    return Console(file=sys.stdout, width=width, highlight=False)


def stdout_can_carry(text: str) -> bool:
    """Whether stdout has all these characters, for drawings that can be drawn with others."""
    return can_carry(sys.stdout.encoding or "utf-8", text)


class _Stream(io.TextIOBase):
    """A stream that takes any text. It has no `buffer`: click would write UTF-8 there past ASCII.

    Args:
        below: where the text goes.
        escape: as in `carried`.
    """

    def __init__(self, below: TextIO, *, escape: bool) -> None:
        self._below, self._escape = below, escape

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream below; rich draws tables by it."""
        return self._below.encoding or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """Always "replace"."""
        return "replace"

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """Whether somebody sees it at once."""
        return self._below.isatty()

    def fileno(self) -> int:
        """Number of the open file."""
        return self._below.fileno()

    def write(self, text: str) -> int:
        """Write it, in the characters that there are; returns the length of the text."""
        shown = carried(text, self.encoding, escape=self._escape)
        if shown:  # click tries with nothing what it has before it, and keeps errors to itself
            self._attempt(lambda: self._below.write(shown))
        return len(text)

    def flush(self) -> None:
        """Write what waits."""
        self._attempt(self._below.flush)

    @abstractmethod
    def _attempt(self, act: Callable[[], object]) -> None:
        """Write, and deal with a stream that cannot be written."""

    def _let_vanish(self) -> None:
        """What still waits; Python would complain of it at exit, with an exit code of its own."""
        with suppress(io.UnsupportedOperation):  # no file below
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)


class _Stdout(_Stream):
    def _attempt(self, act: Callable[[], object]) -> None:
        try:
            act()
        except BrokenPipeError:
            self._let_vanish()
            raise ReaderLeft from None
        except OSError as error:
            self._let_vanish()
            raise StdoutLost(f"stdout cannot be written: {error.strerror}") from None


class _Stderr(_Stream):
    def _attempt(self, act: Callable[[], object]) -> None:
        """Where remarks cannot be written there is nobody to tell; the next may go through."""
        with suppress(OSError):
            act()

    def settle(self) -> None:
        """Once nothing more comes."""
        try:
            self._below.flush()
        except OSError:
            self._let_vanish()


@contextmanager
def _streams() -> Iterator[None]:
    """Put ours in the place of Python's for the length of a block."""
    _occupy_closed_places()
    before = sys.stdout, sys.stderr
    remarks = _Stderr(_whole(sys.stderr, _STDERR), escape=True)
    sys.stdout, sys.stderr = _Stdout(_whole(sys.stdout, _STDOUT), escape=False), remarks
    try:
        yield
    finally:
        remarks.settle()
        sys.stdout, sys.stderr = before


def _whole(stream: TextIO | None, place: int) -> TextIO:
    """The stream, or one in its stead that is there, and writes everything or says that it cannot.

    Python has none where the place was closed; and its unbuffered ones (PYTHONUNBUFFERED) forget
    what is left of a short write, which is the first thing that happens on a disk that fills up.
    """
    if stream is not None and not isinstance(getattr(stream, "buffer", None), io.RawIOBase):
        return stream
    encoding = "utf-8" if stream is None else stream.encoding
    return open(place, "w", buffering=1, encoding=encoding, errors="replace", closefd=False)


def _occupy_closed_places() -> None:
    """Else the next file that is opened, a store or a socket, takes the place of stdout.

    What is opened in stdout's place cannot be written, so that the loss is noticed as before.
    """
    ways = {_STDIN: os.O_RDONLY, _STDOUT: os.O_RDONLY, _STDERR: os.O_WRONLY}
    for place, way in ways.items():
        try:
            os.fstat(place)
        except OSError:
            opened = os.open(os.devnull, way)
            if opened == place:
                os.set_inheritable(place, True)
            else:
                os.dup2(opened, place)
                os.close(opened)

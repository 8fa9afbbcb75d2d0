"""The program from its first moment on: it hears signals first, and then imports the rest."""

import os
import sys
from contextlib import suppress
from typing import NoReturn

from search.exit_code import ExitCode
from search.program_signals import Interrupted, interrupting_the_program


def main() -> NoReturn:
    """Run the program with the arguments of this process, and exit."""
    code = _run()
    if "ray" in sys.modules:
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> NoReturn:
    """Exit without taking the interpreter down: Ray's threads, still at work, crash amid that."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # closed, full, or not there at all
            stream.flush()
    os._exit(code)


def _run() -> int:
    try:
        with interrupting_the_program():
            from search.cli.program import run_program

            return run_program(None)
    except Interrupted as interrupted:
        if sys.stderr is not None:
            with suppress(OSError):  # full; the exit code says it too
                sys.stderr.write(f"{interrupted.reason}; to go on, run the same command again\n")
                sys.stderr.flush()
        return ExitCode.INTERRUPTED

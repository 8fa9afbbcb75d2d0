"""The program from its first moment on: it hears signals first, and then imports the rest."""

import gc
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
        # Ray's threads, still at work, crash amid the taking down of the interpreter. All that was
        # printed is out: `run_program` sees to that.
        os._exit(code)
    sys.exit(code)


def _run() -> int:
    try:
        with interrupting_the_program():
            gc.disable()  # as `importing` does, which is not imported yet
            from search.cli.program import run_program

            gc.freeze()
            gc.enable()
            return run_program(None)
    except Interrupted as interrupted:
        if sys.stderr is not None:
            with suppress(OSError):  # full; the exit code says it too
                sys.stderr.write(f"{interrupted.reason}; to go on, run the same command again\n")
                sys.stderr.flush()
        return ExitCode.INTERRUPTED

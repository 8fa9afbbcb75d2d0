"""`python -m search`: hears signals first, and then imports the rest."""

import sys

from search.exit_code import ExitCode
from search.program_signals import Interrupted, interrupting_the_program


def main() -> int:
    """Run the program; its exit code."""
    try:
        with interrupting_the_program():
            from search.cli.program import run_program

            return run_program(None)
    except Interrupted as interrupted:
        sys.stderr.write(f"{interrupted.reason}; to go on, run the same command again\n")
        return ExitCode.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())

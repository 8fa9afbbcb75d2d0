"""What the command line returns."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a run ended, for the shell."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    BUDGET = 3
    INTERRUPTED = 130

"""Numbers on a command line."""

import argparse
import math
from collections.abc import Callable


def at_least(least: int) -> Callable[[str], int]:
    """Reads a whole number of at least `least`, for an option's `type`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}: {text}")
        return number

    return read


def above_zero(text: str) -> float:
    """Reads a finite number above 0, for an option's `type`."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a finite number above 0: {text}")
    return number

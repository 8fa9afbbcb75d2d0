"""Which values are numbers: Python's, numpy's, fractions and decimals; no truth values, no text."""

import math
from decimal import Decimal
from numbers import Integral, Real


def as_number(value: object) -> float | None:
    """The value as a float, also NaN or infinite; None when it is no number."""
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except ValueError:  # a decimal's signalling NaN
        return math.nan


def as_whole_number(value: object, least: int) -> int | None:
    """The value as an int; None when it is no whole number, or below `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        return None
    whole = int(value)
    return whole if whole >= least else None

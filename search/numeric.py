"""Which values are numbers: Python's, numpy's, fractions and decimals; no truth values, no text."""

import math
import re
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


_MILLISECONDS = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?\s*(us|µs|ms|s)?")
_FACTORS = {None: 1.0, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3}


def parse_milliseconds(value: object) -> float:
    """The milliseconds meant by a number (of milliseconds) or by a text such as "5 ms" or "800us".

    Raises:
        ValueError: for anything else, and for what is not above 0.
    """
    number: float | None = None
    if isinstance(value, str):
        found = _MILLISECONDS.fullmatch(value.strip().lower())
        if found is not None:
            number = float(found[1] + (found[2] or "")) * _FACTORS[found[3]]
    elif not isinstance(value, str):
        number = as_number(value)
    if number is None or not 0 < number < 1e9:
        some = "such as 5 ms, 800 us or 1.5 s; a bare number is ms"
        raise ValueError(f"must be a time above 0 {some}")
    return number

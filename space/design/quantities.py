"""Numbers as people write them: 30M, 4.5G, 200k."""

from space.errors import InputError

_SUFFIXES = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def quantity(value: object) -> int:
    """The whole number meant by `value`: an integer, or text with a suffix k, M, G or T.

    Raises:
        InputError: for anything else, and for numbers below 1.
    """
    number = _parsed(value)
    if number is None or not 1 <= number < 10**18:
        raise InputError.of("", f"{value!r} is not a positive number such as 250000, 250k or 4.5G")
    return round(number)


def _parsed(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if value == value else None
    if not isinstance(value, str) or not value.strip():
        return None
    text = value.strip().lower()
    scale = _SUFFIXES.get(text[-1], 1)
    try:
        return float(text[:-1] if scale > 1 else text) * scale
    except ValueError:
        return None

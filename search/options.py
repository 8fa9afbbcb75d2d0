"""Checks of the options that a searcher or a scheduler is made with."""

from search.numeric import as_number, as_whole_number


def whole_number(name: str, value: object, least: int) -> int:
    """The value, when it is a whole number of at least `least`.

    Raises:
        ValueError: it is not.
    """
    whole = as_whole_number(value, least)
    if whole is None:
        raise ValueError(f"{name} must be a whole number of at least {least}; got {value!r}")
    return whole


def probability(name: str, value: object) -> float:
    """The value, when it is a number from 0 to 1.

    Raises:
        ValueError: it is not.
    """
    number = as_number(value)
    if number is None or not 0 <= number <= 1:
        raise ValueError(f"{name} must be a number from 0 to 1; got {value!r}")
    return number

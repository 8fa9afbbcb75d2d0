"""Numbers as people write them: 30M, 4.5G, 200k; and bytes: 512 MiB, 2 GB."""

import re

from space.errors import InputError

_SUFFIXES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?")
_BYTES = re.compile(r"(?P<number>[^a-z]*)(?P<unit>[kmgt]i?)?b?")


def quantity(value: object) -> int:
    """The whole number meant by `value`: an integer, or text with a suffix k, M, G or T.

    Raises:
        InputError: for anything else, and for numbers below 1.
    """
    return _whole(_parsed(value), value, "a positive number such as 250000, 250k or 4.5G")


def byte_quantity(value: object) -> int:
    """The bytes meant by `value`: a number, or text with a unit: kB, MB and GB are powers of 1000,
    KiB, MiB and GiB powers of 1024; the B may be left out.

    Raises:
        InputError: for anything else, and for numbers below 1.
    """
    number = _parsed_bytes(value) if isinstance(value, str) else _parsed(value)
    return _whole(number, value, "a number of bytes such as 500000000, 512 MiB or 2 GB")


def _whole(number: float | None, value: object, allowed: str) -> int:
    if number is None or not 1 <= number < 10**18:
        raise InputError.of("", f"{value!r} is not {allowed}")
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
    return _scaled(text[:-1] if scale > 1 else text, scale)


def _parsed_bytes(text: str) -> float | None:
    found = _BYTES.fullmatch(text.strip().lower())
    if found is None:
        return None
    return _scaled(found["number"], (_SUFFIXES | _BINARY)[found["unit"] or ""])


def _scaled(number: str, scale: int) -> float | None:
    # Python reads more than people write: 1_000, nan, digits of other scripts.
    return float(number) * scale if _NUMBER.fullmatch(number.strip()) else None

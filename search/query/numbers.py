"""Numbers as people write sizes, 200k, 1.5M, 4.5G, and shares, 86 %."""

import math
import re

_NUMBER = re.compile(r"([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)([kKMG]?| ?%)")
_SUFFIX = {"": 0, "k": 3, "K": 3, "M": 6, "G": 9, "%": -2}


def parse_number(text: str) -> float | None:
    """The finite number that the text is, suffix applied; None when it is none."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    number, exponent = match[1], _SUFFIX[match[2].strip()]
    # Multiplying would round twice: 0.07 * 1000 is not 70. Text shifts the exponent exactly.
    mantissa, _, shift = number.lower().partition("e")
    value = float(f"{mantissa}e{int(shift or 0) + exponent}") if len(shift) < 6 else math.inf
    return value if math.isfinite(value) else None

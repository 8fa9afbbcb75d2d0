"""Cells of equal width, as the database counts what is in them; logarithmic ones too."""

from typing import Any

from sqlalchemy import Double, case, cast, func


def logarithm(value: Any) -> Any:
    """The natural logarithm of a number; of what is below 1 that of 1."""
    return func.ln(case((value < 1, 1.0), else_=cast(value, Double)))


def whole(place: Any) -> Any:
    """The number of the cell; without a width to divide by, as all values are equal, the first."""
    return func.floor(func.coalesce(place, 0.0))

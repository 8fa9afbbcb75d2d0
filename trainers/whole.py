"""Whole numbers in configurations."""

from typing import Annotated

from pydantic import Field

Whole = Annotated[int, Field(strict=True)]
"""A whole number; true is none, and neither is "3" or 3.0."""

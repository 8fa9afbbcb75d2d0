"""Numbers and flags that people write: only what is one, nothing that could be taken for one.

Left to itself pydantic takes true for 1.0, "0.1" for 0.1 and "yes" for true.
"""

from typing import Annotated

from pydantic import Strict

Whole = Annotated[int, Strict()]
"""A whole number; true is none, and neither is "3" or 3.0."""

Number = Annotated[float, Strict()]
"""A number, also a whole one; true is none, and neither is "0.1"."""

Flag = Annotated[bool, Strict()]
"""true or false; "yes", 1 and 0 are neither."""

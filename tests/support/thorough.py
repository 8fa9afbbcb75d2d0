"""Parameters of a test: a part of them in the default suite, the rest in `make test-thorough`."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def thorough_but(cases: Iterable[Any], default: Callable[[Any], bool]) -> list[Any]:
    """All cases as parameters; those that are not `default` are of the thorough suite."""
    return [c if default(c) else pytest.param(c, marks=pytest.mark.thorough) for c in cases]


def thorough_but_every(step: int, cases: Iterable[Any]) -> list[Any]:
    """All cases as parameters; by default the first of each `step` runs."""
    listed = list(cases)
    kept = listed[::step]
    return thorough_but(listed, lambda case: any(case is one for one in kept))

"""Which tests prove that a field of a protocol takes place, and nothing else in its place."""

from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

Test = TypeVar("Test", bound=Callable[..., object])

PROVED: defaultdict[str, list[str]] = defaultdict(list)
"""Names of tests, by field ("augmentation.flip"); filled when the modules are imported."""


def proves(*fields: str) -> Callable[[Test], Test]:
    """Mark a test that fails when one of the fields does nothing, or something else."""

    def marked(test: Test) -> Test:
        for field in fields:
            PROVED[field].append(test.__name__)
        return test

    return marked

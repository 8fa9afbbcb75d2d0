"""What guards the test images: a lock while a search runs, and an audit entry for each reading.

The lock holds in this process and in its children. `trainers.data.opening` keeps to it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from space.errors import MixspaceError

VARIABLE = "MIXSPACE_TEST_SPLIT_LOCKED"

_depth = 0


class TestSplitLocked(MixspaceError, RuntimeError):
    """Test images were asked for while a search is running."""

    __test__ = False  # not a test case, whatever pytest makes of the name


@contextmanager
def lock_test_split() -> Iterator[None]:
    """Keep the test split locked for the length of a block. May be nested."""
    global _depth
    before = os.environ.get(VARIABLE)
    _depth += 1
    os.environ[VARIABLE] = "1"
    try:
        yield
    finally:
        _depth -= 1
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before


def lock_test_split_for_good() -> None:
    """Lock the test split until this process ends: for a worker that only ever runs trials."""
    global _depth
    _depth += 1
    os.environ[VARIABLE] = "1"


def is_locked() -> bool:
    """Whether a search is running here or in a parent process."""
    return bool(_depth or os.environ.get(VARIABLE))


def refuse_if_locked() -> None:
    """Raise TestSplitLocked if a search is running here or in a parent process."""
    if is_locked():
        raise TestSplitLocked(
            "the test split cannot be read while a search is running; "
            "read it for a finished architecture, from a process of its own"
        )


@dataclass(frozen=True, slots=True)
class TestReading:
    """One entry of the audit of test readings.

    Attributes:
        id: the same in the entry made before the images are handed out and in the one after.
        read_at: when, in UTC.
        architecture_id, protocol_hash: for what. content_hash: of the test images.
        images: how many.
        accuracy: None before; afterwards the share classified rightly, 0 to 1.
        chance: share of their commonest class, 0 to 1; what guessing it would score.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    architecture_id: str
    protocol_hash: str
    content_hash: str
    images: int
    accuracy: float | None = None
    id: str = field(default_factory=lambda: uuid4().hex)
    read_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    chance: float | None = None


Record = Callable[[TestReading], object]

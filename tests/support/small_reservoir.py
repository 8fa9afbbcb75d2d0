"""A surrogate with fewer candidates, for tests of what holds of any; a conftest.py imports it."""

import pytest

from search.searchers.surrogate import candidates

FIRST, MOST = 4, 7
"""Chunks of random candidates at the start, and at most: soon some come and others go."""


@pytest.fixture
def small_reservoir(monkeypatch: pytest.MonkeyPatch) -> None:
    """The surrogate chooses among an eighth of its candidates; how it chooses stays the same."""
    for field, number in (("_FIRST", FIRST), ("_MOST", MOST)):
        assert getattr(candidates, field) > number
        monkeypatch.setattr(candidates, field, number)

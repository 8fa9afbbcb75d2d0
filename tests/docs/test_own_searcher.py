"""The searcher of one's own that docs/own-searcher.md shows, held to what is published."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from search.registry import Registry
from search.searchers import Searcher
from search.testing.registered_suite import RegisteredSuite

PAGE = Path(__file__).parents[2] / "docs" / "own-searcher.md"


@pytest.fixture
def documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RegisteredSuite:
    """The suite over the example, in a module of its own."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (code,) = [block for block in blocks if "class Walk(" in block]
    (tmp_path / "documented_walk.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "documented_walk", raising=False)
    place = {"walk": "documented_walk:Walk"}
    registry: Registry[Any] = Registry("searcher", Searcher, "of.nobody", place)

    class OfTheExample(RegisteredSuite):
        name = "walk"
        options = {"steps": 3}  # noqa: RUF012 - as the page has it

    OfTheExample.registry = registry
    return OfTheExample()


CHECKS = [name for name in vars(RegisteredSuite) if name.startswith("test_")]


@pytest.mark.parametrize("check", CHECKS)
def test_the_example_keeps_what_the_suite_asks(check: str, documented: RegisteredSuite) -> None:
    getattr(documented, check)()


def test_the_options_of_the_example_are_read(documented: RegisteredSuite) -> None:
    assert len(CHECKS) > 3
    assert documented.registry.options({"name": "walk", "steps": 3}).model_dump()["steps"] == 3

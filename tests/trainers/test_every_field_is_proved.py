"""No field of a protocol without a test that sees it take place; a new one fails here at first."""

import importlib
from pathlib import Path

import pytest

from tests.trainers.proofs import PROVED
from tests.trainers.protocol_values import OTHER_VALUES, leaves
from trainers import Protocol

FIELDS = [".".join(path) for path in leaves(Protocol)]
HERE = Path(__file__).parent
OTHERS = (HERE.parent / "search" / "test_judged_by.py",)


@pytest.fixture(scope="module")
def proved() -> dict[str, list[str]]:
    """The tests by field; every test of the folder is imported."""
    for file in (*sorted(HERE.glob("test_*.py")), *OTHERS):
        importlib.import_module(f"tests.{file.parent.name}.{file.stem}")
    return PROVED


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_has_a_test_that_sees_it_take_place(
    field: str, proved: dict[str, list[str]]
) -> None:
    assert proved.get(field), f"mark a test of it with @proves({field!r})"


def test_nothing_is_proved_that_is_no_field(proved: dict[str, list[str]]) -> None:
    assert set(proved) <= set(FIELDS)


def test_every_field_has_two_values_to_be_told_apart() -> None:
    assert set(OTHER_VALUES) == set(leaves(Protocol))

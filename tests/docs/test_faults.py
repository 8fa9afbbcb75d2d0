"""The table of faults names tests that exist, and leaves no fault out."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "faults.md"
FAULTS = {
    "NaN loss",
    "infinite metric",
    "missing metric",
    "text metric",
    "nothing reported",
    "GPU memory",
    "host memory",
    "worker killed",
    "preempted",
    "checkpoint lost with its node",
    "driver killed",
    "head lost",
    "store locked",
    "connection dropped",
    "store away",
    "zombie",
    "late result",
    "hung trial",
    "GPU memory still held",
    "disk full",
    "truncated checkpoint",
    "request beyond the cluster",
    "bad space",
    "everything fails",
    "resume with another config",
}
"""Those of a search service that the project was built against."""


def rows() -> dict[str, list[str]]:
    """The cells beside each fault."""
    text = PAGE.read_text(encoding="utf-8").partition("## Every fault")[2]
    lines = re.findall(r"^\| (?!fault \|)(.+) \|$", text, re.MULTILINE)
    return {fault: cells for fault, *cells in (line.split(" | ") for line in lines)}


def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_fault_has_a_row_of_its_own() -> None:
    assert len(FAULTS) == 25
    assert rows().keys() >= FAULTS
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("test_") == sum(len(re.findall("test_", "".join(c))) for c in rows().values())


@pytest.mark.parametrize("fault", rows())
def test_every_row_says_what_happens_and_names_tests_that_exist(fault: str) -> None:
    what, named = rows()[fault]
    assert len(what) > 20
    assert "not handled" not in what
    assert re.fullmatch(r"`[\w/]+\.py::test_\w+`(, `[\w/]+\.py::test_\w+`)*", named)
    for file, test in re.findall(r"`([\w/]+\.py)::(test_\w+)`", named):
        assert test in names_in(TESTS / file), f"{file} has no {test}"

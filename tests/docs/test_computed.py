"""What a page shows as computed is what is computed today, and every diagram has its picture."""

import re
from dataclasses import astuple
from types import ModuleType

import pytest

import mixspace
import search
import space
from docs import draw_diagrams, draw_operators
from space.mixer_types import PAPER_NAMES, mixer_type_named
from space.relation_graph import EDGES, NODES
from space.structure.table_1 import table_1
from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")


def rows_below(heading: str) -> list[list[str]]:
    """The cells of the table behind a heading, without its first line."""
    lines = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0].splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows][2:]


def test_table_1_is_computed() -> None:
    shown = {name: tuple(marks) for name, *marks in rows_below("Table 1 of the paper, computed")}
    assert shown == {name: astuple(row) for name, row in table_1().items()}


def test_the_operators_are_those_of_the_rules() -> None:
    shown = {row[0]: tuple(row[1:6]) for row in rows_below("The twelve that the paper names")}
    assert shown == {name: mixer_type_named(name).values for name in PAPER_NAMES}


def test_the_graph_has_the_nodes_and_edges_of_the_package() -> None:
    names = dict(re.findall(r'^    (n\d+)\["(.+?)"\]$', PAGE, re.MULTILINE))
    assert list(names.values()) == list(NODES)
    shown = re.findall(r'^    (n\d+) -->\|"(.+?) \((.+?)\)"\| (n\d+)$', PAGE, re.MULTILINE)
    assert [(names[a], label, kind, names[b]) for a, label, kind, b in shown] == [
        (edge.source.name, edge.label, edge.kind, edge.target.name) for edge in EDGES
    ]


def test_the_masks_are_as_drawn_today(capsys: pytest.CaptureFixture[str]) -> None:
    assert draw_operators.main(["--check"]) == 0, "python -m docs.draw_operators"
    assert capsys.readouterr().out.startswith("0 of ")


def test_every_diagram_has_its_picture_and_every_picture_its_diagram() -> None:
    folder = ROOT / "docs" / draw_diagrams.FOLDER
    pictures = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.svg")}
    assert pictures.keys() == draw_diagrams.diagrams().keys(), "python -m docs.draw_diagrams"
    named = r"participant \w+ as (\w+)|\*\*([\w.]+)\*\*|n\d+\[\"(\S+)\"\]"
    for name, text in draw_diagrams.diagrams().items():
        shown = re.sub(r">\s+", ">", pictures[name])
        words = ["".join(found) for found in re.findall(named, text)]
        assert words
        assert not [word for word in words if f">{word}" not in shown]


@pytest.mark.parametrize("package", [mixspace, space, search], ids=lambda each: each.__name__)
def test_the_reference_has_every_public_name(package: ModuleType) -> None:
    pages = "".join(page.read_text() for page in (ROOT / "docs" / "api").glob("*.md"))
    words = set(re.findall(r"\w+", pages))
    assert not {*package.__all__} - words - {"__version__"}

"""What docs/visualization.md shows runs as it stands."""

import re
import shlex
from pathlib import Path

import pytest

from mixspace import visualization
from search.cli.plot import command
from search.cli.program import run_program
from tests.dashboard import stores
from tests.support.streams import python

PAGE = (Path(__file__).parents[2] / "docs" / "visualization.md").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a store as a first search leaves it."""
    stores.finished(tmp_path / "mixspace.db", 40)
    return tmp_path


@pytest.mark.thorough
def test_the_examples_run(folder: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    (folder / "example.py").write_text("\n".join(blocks))
    ran = python("example.py", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    assert {path.name for path in folder.glob("*.html")} == {"front.html", "history.html"}


def test_the_commands_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    lines = re.findall(r"^python -m search (plot .*\.html)$", PAGE, re.MULTILINE)
    assert len(lines) == 4
    for line in lines:
        assert run_program(shlex.split(line)) == 0, line
    assert len(list(folder.glob("*.html"))) == 4


def test_the_table_names_every_figure_and_every_kind() -> None:
    named = set(re.findall(r"^\| `(plot_\w+)\(", PAGE, re.MULTILINE))
    assert named == {name for name in visualization.__all__ if name.startswith("plot_")}
    (kind,) = [each for each in command.params if each.name == "kind"]
    kinds = set(re.findall(r"^\| `plot_\w+\(.*?\)` \| `([\w-]+)` \|", PAGE, re.MULTILINE))
    assert kinds == set(kind.type.choices)  # type: ignore[attr-defined]

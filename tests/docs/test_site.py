"""The site builds without a warning, has every page, and fetches nothing from elsewhere."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

pytest.importorskip("sphinx", reason="make docs installs what builds the pages")
pytestmark = pytest.mark.slow

SCRIPT = '<script src="https://example.org/a.js"></script>'


def build(source: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-b", "html"]
    command += ["-d", str(folder / "doctrees"), str(source), str(folder / "html")]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_the_site_builds_strictly_and_has_every_page(tmp_path: Path) -> None:
    built = build(ROOT / "docs", tmp_path)
    assert built.returncode == 0, built.stderr
    pages = {file.relative_to(tmp_path / "html") for file in (tmp_path / "html").rglob("*.html")}
    wanted = {file.relative_to(ROOT / "docs") for file in (ROOT / "docs").rglob("*.md")}
    assert {page.with_suffix(".html") for page in wanted} <= pages
    assert "images/diagrams" not in built.stderr
    architecture = (tmp_path / "html" / "architecture.html").read_text()
    assert len(re.findall(r'<img [^>]*src="_images/[0-9a-f]{16}\.svg"', architecture)) == 2
    study = (tmp_path / "html" / "api" / "mixspace.html").read_text()
    for member in ("trials_dataframe", "best", "pareto", "front", "load", "continue_", "repeat"):
        assert f'id="mixspace.Study.{member}"' in study


def settings(folder: Path) -> Path:
    """A folder for pages with the settings of ours."""
    source = folder / "docs"
    source.mkdir()
    for name in ("conf.py", "draw_diagrams.py", "_ext", "_static"):
        file = ROOT / "docs" / name
        (shutil.copytree if file.is_dir() else shutil.copy)(file, source / name)
    return source


def test_a_notebook_is_a_page_and_places_may_be_empty(tmp_path: Path) -> None:
    source = settings(tmp_path)
    contents = "```{toctree}\n:glob:\n\nmissing*\nnotebooks/*\n```"
    (source / "index.md").write_text(f"# Pages\n\n{contents}\n")
    output = {"output_type": "execute_result", "data": {"text/plain": ["a result"]}, "metadata": {}}
    code = {"cell_type": "code", "source": ["1 + 1"], "outputs": [output], "metadata": {}}
    words = {"cell_type": "markdown", "source": ["# In a notebook\n", "Some words."]}
    (source / "notebooks").mkdir()
    notebook = {"cells": [words, code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (source / "notebooks" / "first.ipynb").write_text(json.dumps(notebook))
    built = build(source, tmp_path)
    assert built.returncode == 0, built.stderr
    page = (tmp_path / "html" / "notebooks" / "first.html").read_text()
    assert all(said in page for said in ("In a notebook", "Some words.", "a result"))


def test_a_page_that_would_fetch_something_is_refused(tmp_path: Path) -> None:
    """And so are a diagram that was not drawn, and a link to nowhere."""
    source = settings(tmp_path)
    diagram = "```mermaid\nflowchart TD\n    a --> b\n```"
    (source / "index.md").write_text(f"# A page\n\n{SCRIPT}\n\n{diagram}\n\n[there](nowhere.md)\n")
    built = build(source, tmp_path)
    assert built.returncode == 1
    for said in ("fetches from elsewhere", "for this diagram", "nowhere.md"):
        assert said in built.stderr

"""The notebook of docs/notebooks, executed by a kernel of another environment."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.wheel.building import ROOT, Environment, checked

NOTEBOOK = ROOT / "docs" / "notebooks" / "first_search.ipynb"

_EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read("notebook.ipynb", as_version=4)
client = NotebookClient(notebook, timeout=int(sys.argv[1]), kernel_name="python3")
try:
    client.execute()
finally:
    nbformat.write(notebook, "executed.ipynb")
"""


def code_cells(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Its cells with code, in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def execute(
    environment: Environment, folder: Path, parameters: str, seconds: int = 200
) -> list[dict[str, Any]]:
    """The code cells with their outputs; a cell that fails fails the test.

    Args:
        environment: whose Python is the kernel.
        folder: in which the kernel works.
        parameters: the code in place of the cell that says how much is trained.
        seconds: for a cell.
    """
    notebook = json.loads(NOTEBOOK.read_text())
    (cell,) = (each for each in code_cells(notebook) if "parameters" in str(each["metadata"]))
    cell["source"] = parameters
    (folder / "notebook.ipynb").write_text(json.dumps(notebook))
    checked([environment.python, "-c", _EXECUTE, str(seconds)], folder, seconds=10 * seconds)
    executed: dict[str, Any] = json.loads((folder / "executed.ipynb").read_text())
    return code_cells(executed)


def text_of(cell: Mapping[str, Any]) -> str:
    """What a cell shows, as text."""
    parts = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell["outputs"]
    ]
    return "".join("".join(part) for part in parts)


def kinds_of(cell: Mapping[str, Any]) -> set[str]:
    """The types of data that a cell shows."""
    return {kind for output in cell["outputs"] for kind in output.get("data", {})}


def check(cells: list[dict[str, Any]], trials: int) -> None:
    """It found what it promises: a space, trials, a figure, and an accuracy to the last digit."""
    version, _, space, costs, run, frame, figure, _, network, accuracy = cells
    assert text_of(version) == "'0.1.0'"
    assert "text/html" in kinds_of(space)
    assert text_of(costs).count(" params ") == 3
    assert f"{trials} of {trials} trials done" in str(run["outputs"])
    assert "text/html" in kinds_of(frame)
    assert "application/vnd.plotly.v1+json" in kinds_of(figure)
    assert "parameters" in text_of(network)
    assert text_of(accuracy).endswith(", True)")
    for cell in cells:
        warned = [out for out in cell["outputs"] if "Warning" in str(out.get("text", ""))]
        assert not warned

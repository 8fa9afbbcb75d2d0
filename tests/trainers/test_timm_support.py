"""timm brings no wandb along, and reaches it all the same."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AUGMENTED = """
import sys
from trainers.data.augmentation import test_transform
from trainers.protocol import Augmentation
test_transform(Augmentation())
from timm.utils import summary
assert "wandb" not in sys.modules, "wandb was brought along"
assert summary.wandb.VERSION == "of the test", "timm does not reach it"
"""


@pytest.mark.thorough
def test_timm_brings_no_wandb_along_and_reaches_it(tmp_path: Path) -> None:
    (tmp_path / "wandb.py").write_text("VERSION = 'of the test'\n")
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", AUGMENTED],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_whatever_imports_those_parts_of_timm_prepares_it() -> None:
    functions = [
        (f"{path.relative_to(ROOT)}: {function.name}", function)
        for package in ("space", "trainers", "search", "mixspace")
        for path in (ROOT / package).rglob("*.py")
        if "timm" in (text := path.read_text(encoding="utf-8"))
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.FunctionDef) and any(_parts_of_timm(function))
    ]
    assert len(functions) >= 4
    for name, function in functions:
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        assert any(ast.unparse(call) == "prepare_timm()" for call in calls), name


def _parts_of_timm(function: ast.FunctionDef) -> Iterator[ast.ImportFrom]:
    for node in ast.walk(function):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            ("timm.data", "timm.utils")
        ):
            yield node

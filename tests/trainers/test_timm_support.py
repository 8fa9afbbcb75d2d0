"""timm brings no wandb along, and reaches it all the same."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainers import timm_support

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


@pytest.fixture
def without_wandb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """No package of that name is imported; the folder where one may be put."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    yield tmp_path
    sys.modules.pop("wandb", None)


def test_a_stand_in_imports_what_it_stands_for_when_asked(without_wandb: Path) -> None:
    (without_wandb / "wandb.py").write_text("VERSION = 'of the test'\n")
    later = timm_support._Later("wandb")
    assert "wandb" not in sys.modules
    assert later.VERSION == "of the test"
    assert sys.modules["wandb"] is not later
    with pytest.raises(AttributeError):
        later.NOTHING  # noqa: B018
    sys.modules["wandb"] = later
    with pytest.raises(AttributeError, match=r"^VERSION$"):
        later.VERSION  # noqa: B018


def test_amid_the_import_of_timm_the_stand_in_is_there(
    without_wandb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, object]] = []

    def importing(name: str) -> None:
        seen.append((name, sys.modules.get("wandb")))
        if fails:
            raise ImportError(name)

    there = True
    fails = False
    monkeypatch.setattr(timm_support, "import_module", importing)
    monkeypatch.setattr(timm_support, "find_spec", lambda name: name if there else None)
    prepare = timm_support.prepare_timm.__wrapped__
    prepare()
    ((name, stands_in),) = seen
    assert name == "timm.utils"
    assert isinstance(stands_in, timm_support._Later)
    assert stands_in.__name__ == "wandb"
    assert "wandb" not in sys.modules
    fails = True
    with pytest.raises(ImportError):
        prepare()
    assert "wandb" not in sys.modules
    there = False
    prepare()
    assert len(seen) == 2, "there is none to stand in for"
    monkeypatch.setitem(sys.modules, "wandb", timm_support)
    there = True
    prepare()
    assert len(seen) == 2, "it is imported already"

"""`import mixspace`: light, its own modules and no others, and every public name."""

import ast
import json
import pickle
import re
from importlib import import_module
from pathlib import Path

import pytest

import mixspace
import search.store
import space
import trainers
from mixspace import RunFailed
from search.searchers import Exhausted
from tests.support.streams import ROOT, python

HEAVY = (
    *("torch", "ray", "pandas", "plotly", "streamlit", "optuna", "tqdm", "rich", "click"),
    *("numpy", "pydantic", "sqlalchemy", "space", "search", "trainers"),
)


def test_the_import_is_light() -> None:
    program = (
        "import json, sys, time\n"
        "started = time.process_time()\n"
        "import mixspace\n"
        "dir(mixspace), mixspace.__doc__\n"
        "print(json.dumps([time.process_time() - started, sorted(sys.modules)]))"
    )
    ran = python("-c", program)
    assert ran.returncode == 0, ran.stderr
    seconds, modules = json.loads(ran.stdout)
    assert not {*HEAVY} & {*modules}
    assert seconds < 0.15


def test_every_name_is_what_it_says() -> None:
    assert dir(mixspace) == sorted(mixspace.__all__)
    for name in mixspace.__all__:
        value = getattr(mixspace, name)
        assert getattr(value, "__name__", name).rpartition(".")[2] == name
    for module in (space, search.store, trainers):
        for name in {*mixspace.__all__} & {*module.__all__}:
            assert getattr(mixspace, name) is getattr(module, name)
    assert mixspace.zoo.create is not None
    with pytest.raises(AttributeError, match="no attribute 'runs'"):
        mixspace.runs  # noqa: B018


def test_the_readme_names_what_there_is() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    used = {
        (node.value.id, node.attr)
        for node in ast.walk(ast.parse(example))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    owners = {"mixspace": mixspace, "study": mixspace.Study}
    assert {owner for owner, _ in used} == {*owners}
    for owner, name in used:
        assert hasattr(owners[owner], name)


def test_no_module_takes_the_place_of_a_name() -> None:
    modules = {path.stem for path in (ROOT / "mixspace").glob("*.py")}
    assert modules & {*mixspace.__all__} == {"visualization"}
    assert mixspace.visualization is import_module("mixspace.visualization")


def test_the_figures_come_with_mixspace_alone_and_without_torch() -> None:
    program = (
        "import sys, mixspace\n"
        "assert 'plotly' not in sys.modules\n"
        "figure = mixspace.visualization.plot_relation_graph()\n"
        "print(type(figure).__name__, *sorted({'torch', 'ray', 'optuna'} & {*sys.modules}))"
    )
    ran = python("-c", program)
    assert ran.stdout == b"Figure\n", ran.stderr


def test_public_errors_are_one_family_and_what_they_were_before() -> None:
    before = {
        mixspace.InputError: ValueError,
        mixspace.Infeasible: ValueError,
        mixspace.SpaceTooLarge: ValueError,
        mixspace.StoreError: RuntimeError,
        mixspace.TestSplitLocked: RuntimeError,
        mixspace.NonFiniteLoss: RuntimeError,
        mixspace.UnreadableData: RuntimeError,
        mixspace.NoStore: mixspace.InputError,
        mixspace.StoreAway: mixspace.StoreError,
        Exhausted: Exception,
        RunFailed: Exception,
    }
    for error, base in before.items():
        assert issubclass(error, base)
        assert issubclass(error, mixspace.MixspaceError)
    failed = RunFailed("why")
    assert str(pickle.loads(pickle.dumps(failed))) == "why"
    assert pickle.loads(pickle.dumps(failed)).outcome is None


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["search", "space", "trainers"])
def test_a_module_of_the_users_is_not_taken_for_ours(name: str, tmp_path: Path) -> None:
    """Neither where it lies in the working folder, as in a notebook, nor once it is imported."""
    (tmp_path / f"{name}.py").write_text("print('theirs')\n")
    asked = "import mixspace; print(len(mixspace.all_mixer_types()), mixspace.run.__name__)"
    ran = python("-c", asked, cwd=tmp_path)
    assert ran.stdout == b"74 run\n", ran.stderr
    ran = python("-c", f"import {name}, mixspace", cwd=tmp_path)
    last = ran.stderr.decode().splitlines()[-1]
    assert last.startswith(f"ImportError: {tmp_path / f'{name}.py'} was imported as {name!r}")
    assert "rename it, or use mixspace in a process without it" in last

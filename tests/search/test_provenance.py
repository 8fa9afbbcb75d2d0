"""What a run notes of its machine, for people who read its numbers later."""

import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from search.driver import provenance
from search.driver.provenance import code_version, commit_of, describe_machine
from search.own_packages import ROOT


def test_the_cluster_is_described_by_what_ray_offers() -> None:
    offered = {"CPU": 12.0, "GPU": 3.0, "memory": 1e9, "accelerator_type:H200": 2.0}
    nodes = {"accelerator_type:A100": 1.0, "node:10.0.0.1": 1.0, "node:10.0.0.2": 1.0}
    machine = describe_machine(offered | nodes | {"node:__internal_head__": 1.0})
    assert machine["cluster"] == {
        "cpus": 12.0,
        "gpus": 3.0,
        "accelerators": ["A100", "H200"],
        "nodes": 2,
    }
    assert describe_machine({})["cluster"] == {"cpus": 0, "gpus": 0, "accelerators": [], "nodes": 0}


def test_the_machine_is_described_in_plain_values() -> None:
    machine = json.loads(json.dumps(describe_machine({})))
    assert machine["host"] == platform.node()
    assert machine["cores"] == os.cpu_count()
    assert machine["memory_bytes"] > 2**28
    assert machine["python"] == platform.python_version()
    assert machine["processor"]
    assert {"torch", "ray", "optuna"} <= set(machine["packages"])
    assert all(machine["packages"].values())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A working tree of git with one commit."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    (tmp_path / "file.py").write_text("one = 1\n")
    me = ("-c", "user.name=me", "-c", "user.email=me@example.org")
    for words in (("init", "-q"), ("add", "."), (*me, "commit", "-q", "-m", "first")):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    return tmp_path


def test_a_source_tree_is_named_by_its_commit_and_by_whether_it_was_changed(tree: Path) -> None:
    command = ["git", "-C", str(tree), "rev-parse", "HEAD"]
    whole = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert commit_of(tree) == whole[:8]
    (tree / "notes.txt").touch()  # of no part of the program
    assert commit_of(tree) == whole[:8]
    (tree / "file.py").write_text("one = 2\n")
    assert commit_of(tree) == f"{whole[:8]}.changed"


def test_where_git_does_not_answer_there_is_no_commit(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "below").mkdir()
    assert commit_of(tmp_path / "below") is None  # another's tree may lie around ours
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(tree) is None


def test_the_version_of_the_code_is_that_of_this_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(provenance, "commit_of", lambda root: asked.append(root) or "1a2b3c4d")
    code_version.cache_clear()
    assert code_version() == f"{version('mixspace')}+g1a2b3c4d"
    assert asked == [ROOT]
    code_version.cache_clear()
    monkeypatch.setattr(provenance, "commit_of", lambda root: None)
    assert code_version() == version("mixspace")
    code_version.cache_clear()


def test_where_the_system_says_little_what_python_knows_will_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(text: str | None) -> None:
        """The system's file has a text, or is not there."""

        class File:
            def __init__(self, place: str) -> None:
                assert place == "/proc/cpuinfo"

            def read_text(self) -> str:
                if text is None:
                    raise FileNotFoundError("/proc/cpuinfo")
                return text

        monkeypatch.setattr(provenance, "Path", File)

    monkeypatch.setattr(platform, "processor", lambda: "a processor")
    monkeypatch.setattr(provenance, "_PACKAGES", ("torch", "no-such-package"))
    read("processor : 0\nmodel name : A 9: fast\nmodel name : another\n")
    assert describe_machine({})["processor"] == "A 9: fast"
    read("processor : 0\n")
    assert describe_machine({})["processor"] == "a processor"
    read(None)
    machine = describe_machine({})
    assert machine["processor"] == "a processor"
    assert machine["packages"] == {"torch": version("torch"), "no-such-package": None}

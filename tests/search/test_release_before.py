"""A study that the release before left half done: its store, its configuration, its checkpoints.

`release_before/` was written by the release of 28 November 2026, whose driver was interrupted: one
trial complete, four pruned, two preempted, of which one had trained an epoch.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dashboard.navigation import PAGES
from tests.dashboard.conftest import Open, no_components_of_packages, opened, registered_pages

__all__ = ["no_components_of_packages", "opened", "registered_pages"]

_FILES = Path(__file__).parent / "release_before"
_ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What that release left, in a folder of its own."""
    shutil.copytree(_FILES / "checkpoints", tmp_path / "checkpoints")
    shutil.copy(_FILES / "before.yaml", tmp_path)
    script = (_FILES / "before.sql").read_text().replace("{folder}", str(tmp_path))
    with sqlite3.connect(tmp_path / "before.db") as store:
        store.executescript(script)
    store.close()
    return tmp_path


def search(folder: Path, *words: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "search", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(folder: Path, query: str) -> list[Any]:
    with sqlite3.connect(f"file:{folder}/before.db?mode=ro", uri=True) as store:
        return store.execute(query).fetchall()


TRIALS = "select number, state, epochs_done, architecture_id from trials order by number"
LOST = "select count(*) from events where kind = 'forgotten'"
STATES = ["complete", *["pruned"] * 4, "preempted", "preempted"]


def test_it_is_looked_at_as_it_stands(folder: Path, opened: Open) -> None:
    before = (folder / "before.db").read_bytes()
    (study,) = json.loads(search(folder, "studies", "--store", "before.db", "--json"))
    assert (study["name"], study["planned_trials"]) == ("before", 8)
    assert study["counts"]["preempted"] == 2
    best = json.loads(search(folder, "best", "--store", "before.db", "--json"))
    assert best[0]["state"] == "complete"
    assert len(best) == 5
    shown = search(folder, "show", rows(folder, TRIALS)[0][3], "--store", "before.db")
    assert "DW-S Conv." in shown
    for page in PAGES:
        found = opened(page.name, folder / "before.db")
        assert not found.exception, page.title
        assert not found.error, page.title
    assert (folder / "before.db").read_bytes() == before


@pytest.mark.thorough
@pytest.mark.ray
def test_it_is_gone_on_with_from_its_checkpoints(folder: Path) -> None:
    before = rows(folder, TRIALS)
    assert [state for _, state, *_ in before] == STATES
    one = ("--set", "resources.concurrent_trials=1")  # every worker is some seconds in starting
    report = json.loads(search(folder, "run", "before.yaml", "--resume", "--json", *one))
    assert sum(report["trials"][state] for state in ("complete", "pruned")) == 8
    after = rows(folder, TRIALS)
    assert after[:5] == before[:5]
    assert [row[3] for row in after[:7]] == [row[3] for row in before]
    assert rows(folder, LOST) == [(0,)]  # the epoch of trial 5 was in its checkpoint

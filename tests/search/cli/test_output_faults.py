"""What every command prints, on streams that are closed or full and in encodings that lack much."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from search.store import open_store
from tests.search.small import values
from tests.support.streams import FULL, LOCALES, python
from tests.support.thorough import thorough_but_every

PLAYED = """
import sys
from contextlib import contextmanager
from pathlib import Path
from search.cli.program import run_program
from search.runner import run as run_module
from search.ray_executor.cluster import Cluster
from tests.search.without_ray import Player

@contextmanager
def connected(address, on_watch):
    yield Cluster({"CPU": 2.0}, Path.cwd(), local=True)

player = Player()
player.stop_after = int(sys.argv[1]) or None
run_module.connected_to_ray, run_module.tune_session = connected, player
sys.exit(run_program(sys.argv[2:]))
"""
"""The program, in whose runs a player is in Ray's place that is interrupted after some trials."""

SEVERAL = """
import json, sys
from search.cli.program import run_program
print([int(run_program(words)) for words in json.loads(sys.argv[1])])
"""
"""Several commands in one process."""

NO_STDOUT = [">&-", *([">/dev/full"] if FULL.exists() else [])]
NO_STDERR = ["2>&-", *(["2>/dev/full"] if FULL.exists() else [])]


@pytest.fixture
def folder(tmp_path: Path, finished: Path) -> Path:
    """A working folder with a finished study in tiny.db, and a configuration of another one."""
    shutil.copy(finished, tmp_path)
    content = values(checkpoints=str(tmp_path / "checkpoints"), trials=3)
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def encoding_of(environment: dict[str, str]) -> str:
    return environment.get("PYTHONIOENCODING", "ascii")


@pytest.mark.parametrize("environment", thorough_but_every(len(LOCALES), LOCALES))
def test_readers_print_in_every_encoding(environment: dict[str, str], folder: Path) -> None:
    with open_store(str(folder / "tiny.db"), create=False) as opened:
        architecture = opened.trials.of_study(1)[0].architecture_id
    commands = [["best"], ["show", architecture], ["studies"], ["space", "graph"], ["fly"]]
    given = environment | {"MIXSPACE_STORE": "tiny.db"}
    ran = python("-c", SEVERAL, json.dumps(commands), environment=given, cwd=folder)
    ran.stderr.decode(encoding_of(environment))
    said = ran.stdout.decode(encoding_of(environment))
    assert said.endswith("[0, 0, 0, 0, 2]\n"), ran.stderr
    for part in ("by accuracy, highest first", "Learning curve", "last activity", "relation graph"):
        assert part in said
    ran = python("-m", "search", "best", "--json", environment=given, cwd=folder)
    assert len(json.loads(ran.stdout)) == 5


@pytest.mark.thorough
@pytest.mark.parametrize("environment", LOCALES[:2])
def test_a_run_keeps_its_exit_code_in_every_encoding(
    environment: dict[str, str], folder: Path
) -> None:
    command = ["run", "tiny.yaml", "--store", "größe Ω.db"]
    ran = python("-c", PLAYED, "2", *command, environment=environment, cwd=folder)
    assert ran.returncode == 130, ran.stderr
    assert "Leaderboard" in ran.stdout.decode(encoding_of(environment))
    assert "\\u03a9.db" in ran.stderr.decode(encoding_of(environment))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("redirected", "stop_after", "code"), [(NO_STDOUT[0], "0", 0), (NO_STDOUT[-1], "2", 130)]
)
def test_a_run_keeps_its_exit_code_without_its_report(
    redirected: str, stop_after: str, code: int, folder: Path
) -> None:
    command = ["run", "tiny.yaml", "--store", "new.db"]
    ran = python("-c", PLAYED, stop_after, *command, redirected=redirected, cwd=folder)
    errors = ran.stderr.decode()
    assert ran.returncode == code, errors
    assert "The report is lost, and the results are in the store: stdout cannot be" in errors
    assert ("To go on:" in errors) == (code == 130)
    assert "Traceback" not in errors
    assert "Exception ignored" not in errors


@pytest.mark.thorough
@pytest.mark.parametrize("redirected", [NO_STDERR[-1], "<&- >&- 2>&-"])
def test_a_run_keeps_its_exit_code_without_stderr(redirected: str, folder: Path) -> None:
    command = ["run", "tiny.yaml", "--store", "new.db"]
    ran = python("-c", PLAYED, "2", *command, redirected=redirected, cwd=folder)
    assert (ran.returncode, ran.stderr) == (130, b"")
    with open_store(str(folder / "new.db"), create=False) as store:
        assert len(store.trials.of_study(store.studies.get("tiny").id)) == 2


@pytest.mark.parametrize("words", ["best", "studies --json"])
def test_a_reader_says_that_it_could_not_answer(words: str, folder: Path) -> None:
    store = {"MIXSPACE_STORE": "tiny.db"}
    command = ["-m", "search", *words.split()]
    ran = python(*command, redirected=NO_STDOUT[-1], environment=store, cwd=folder)
    assert ran.returncode == 1
    (line,) = ran.stderr.decode().splitlines()
    assert line.startswith("error: stdout cannot be written: ")

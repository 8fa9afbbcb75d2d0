"""Who plays the trials of a run in Ray's place, and the commands that it prints."""

import shlex
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from search.cli.program import run_program
from search.driver.assignment import Report
from search.driver.session import StudySession
from search.driver.stop_request import StopKind, StopRequest
from search.ray_executor.cluster import Cluster
from search.ray_executor.watchdog import OnWatch
from search.runner import run as run_module
from search.store import TrialRecord, open_store
from tests.search.driving import run_all, train
from tests.search.small import values
from trainers import Cause, Failure


class Player:
    """In Ray's place; plays trials until `stop_after` of them, and then is interrupted."""

    stop_after: int | None = None

    def __call__(self, session: StudySession, *others: Any) -> None:
        if self.stop_after is None:
            run_all(session)
            return
        (stop,) = (other for other in others if isinstance(other, StopRequest))
        for _ in range(self.stop_after):
            assignment = session.next_assignment()
            assert assignment is not None
            train(session, assignment, [0.4, 0.5])
        stop.request(StopKind.INTERRUPT, "interrupted by SIGINT")


STORE = ["--store", "a.db"]


@pytest.fixture
def player(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Player:
    return in_place_of_ray(monkeypatch, tmp_path)


def in_place_of_ray(patch: pytest.MonkeyPatch, folder: Path) -> Player:
    """Who plays the trials of runs while they are patched."""

    @contextmanager
    def connected(address: str | None, on_watch: OnWatch) -> Iterator[Cluster]:
        yield Cluster({"CPU": 2.0}, folder, local=True)

    playing = Player()
    patch.setattr(run_module, "connected_to_ray", connected)
    patch.setattr(run_module, "tune_session", playing)
    return playing


def all_but_one(session: StudySession, *others: Any) -> None:
    """In Ray's place: takes every point that there is, and is interrupted in the last trial."""
    (stop,) = (other for other in others if isinstance(other, StopRequest))
    assignment = session.next_assignment()
    while assignment is not None:
        last, assignment = assignment, session.next_assignment()
        if assignment is not None:
            train(session, last, [0.4, 0.5])
    assert session.exhausted
    stop.request(StopKind.INTERRUPT, "interrupted by SIGINT")


def all_fail(session: StudySession, *others: Any, too_large: Collection[int] = ()) -> None:
    """In Ray's place: every trial breaks off; some for want of memory."""
    while (assignment := session.next_assignment()) is not None:
        number = assignment.trial.number
        session.started(number)
        broken = Failure(Cause.CODE, f"KeyError: {number}", infeasible=number in too_large)
        session.ended(number, Report(failure=broken))


@pytest.fixture
def playing(player: Player, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Player:
    """The player, in a working directory with a plain configuration."""
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(values(trials=4)))
    monkeypatch.chdir(tmp_path)
    return player


def trials_of(study: str) -> list[TrialRecord]:
    """Those of a study in `STORE`."""
    with open_store("a.db", create=False) as store:
        return store.trials.of_study(store.studies.get(study).id)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a configuration whose path has a blank and a quote in it."""
    content = values(checkpoints=str(tmp_path / "checkpoints"), trials=4)
    (tmp_path / "it's mine.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(text: str, label: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith(f"{label}:")]
    return line.removeprefix(f"{label}:").strip()


def execute(line: str) -> int:
    """What a shell does with a line that names no variable."""
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "search"]
    return run_program(words[3:])

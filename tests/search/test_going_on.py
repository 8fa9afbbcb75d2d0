"""`repeat` and `continue` that are interrupted: the printed command does the rest; without Ray."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search.cli.program import run_program
from search.driver.assignment import Report
from search.driver.session import StudySession
from search.driver.stop_request import StopKind, StopRequest
from search.ray_executor.watchdog import OnWatch
from search.runner import run as run_module
from search.store import TrialState, open_store
from tests.search.driving import run_all
from tests.search.without_ray import (
    STORE,
    Player,
    all_fail,
    execute,
    player,
    playing,
    printed,
    trials_of,
)
from trainers import Cause, Failure

__all__ = ["player", "playing"]

INHERITED = ["--set", "protocol.initialisation=inherited"]


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """The command to go on with, which last words and report tell alike."""
    out, err = capsys.readouterr()
    go_on = err.splitlines()[-1].partition("To go on: ")[2]
    assert go_on == printed(out, "Go on")
    return go_on


@pytest.mark.parametrize("done", [0, 1, 4])
def test_repeats_that_were_interrupted_are_asked_for_again(
    done: int, playing: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["run", "a.yaml", *STORE]) == 0
    playing.stop_after = done
    capsys.readouterr()
    repeat = ["repeat", "tiny", "--top", "3", "--seeds", "3", *STORE]
    assert run_program([*repeat, "--set", "retries=2"]) == 130
    go_on = told(capsys)
    playing.stop_after = None
    assert execute(go_on) == 0
    assert "10 of 10 trials done (10 complete)" in capsys.readouterr().out
    assert execute(go_on) == 0
    assert "There was nothing left to do" in capsys.readouterr().out


@pytest.mark.parametrize("more", [[], ["--trials", "3"], ["--failed"]])
def test_a_study_that_retrains_never_trains_a_random_point(
    more: list[str],
    playing: Player,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run_program(["run", "a.yaml", *STORE, *INHERITED]) == 0
    repeat = ["repeat", "tiny", "--top", "2", "--seeds", "2", *STORE]
    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "tune_session", one_fails)
        assert run_program(repeat) == 130
    go_on = told(capsys)
    playing.stop_after = None
    assert run_program(["continue", "tiny-retrained", *more, *STORE]) == 0
    assert execute(go_on) == 0
    trials = trials_of("tiny-retrained")
    assert all(trial.origin.startswith("retrains trial ") for trial in trials)
    assert len(trials) == (6 if "--trials" in more else 4)
    assert {t.state for t in trials} <= {TrialState.COMPLETE, TrialState.FAILED}


@pytest.mark.parametrize("command", [["continue", "tiny"], ["run", "a.yaml", "--resume"]])
def test_going_on_from_elsewhere_asks_nothing_of_the_working_folder(
    command: list[str], playing: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playing.stop_after = 1
    assert run_program(["run", "a.yaml", *STORE]) == 130
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "checkpoints").touch()  # nothing could be put there
    (elsewhere / "a.yaml").write_text(Path("a.yaml").read_text())
    monkeypatch.chdir(elsewhere)
    playing.stop_after = None
    assert run_program([*command, "--store", str(tmp_path / "a.db")]) == 0
    assert sorted(path.name for path in elsewhere.iterdir()) == ["a.yaml", "checkpoints"]


def one_fails(session: StudySession, *others: Any) -> None:
    """In Ray's place: the first trial breaks off, and then the run is interrupted."""
    assignment = session.next_assignment()
    assert assignment is not None
    session.started(assignment.trial.number)
    session.ended(assignment.trial.number, Report(failure=Failure(Cause.CODE, "KeyError: 1")))
    (stop,) = (other for other in others if isinstance(other, StopRequest))
    stop.request(StopKind.INTERRUPT, "interrupted by SIGINT")


def test_what_ended_goes_on_by_the_printed_command(
    playing: Player, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "tune_session", all_fail)
        every = ["--set", "stop_after_same_failures=null"]
        assert run_program(["run", "a.yaml", *every, *STORE]) == 1
    playing.stop_after = 1
    capsys.readouterr()
    assert run_program(["continue", "tiny", "--failed", *STORE]) == 130
    go_on = told(capsys)
    playing.stop_after = None
    assert execute(go_on) == 0
    assert "4 of 4 trials done (4 complete)" in capsys.readouterr().out


@pytest.mark.parametrize("more", [["--failed"], ["--trial", "2"], ["--trials", "6"]])
def test_what_was_not_taken_up_is_asked_for_again(
    more: list[str],
    playing: Player,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "tune_session", all_fail)
        every = ["--set", "stop_after_same_failures=null"]
        assert run_program(["run", "a.yaml", *every, *STORE]) == 1
        patch.setattr(run_module, "connected_to_ray", interrupted)
        assert run_program(["continue", "tiny", *more, *STORE]) == 130
    go_on = capsys.readouterr().err.splitlines()[-1].partition("To go on: ")[2]
    assert execute(go_on) == 0
    complete = [trial.number for trial in trials_of("tiny") if trial.state == TrialState.COMPLETE]
    assert complete == {"--failed": [0, 1, 2, 3], "--trial": [2], "--trials": [4, 5]}[more[0]]


def interrupted(address: str | None, on_watch: OnWatch) -> None:
    """In place of Ray's start."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("command", ["repeat", "continue"])
def test_only_what_decides_nothing_can_be_set(
    command: str, playing: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["run", "a.yaml", *STORE]) == 0
    capsys.readouterr()
    wrong = ["--set", "protocol.epochs=9", "--set", "seed=3", "--set", "store=b.db"]
    wrong += ["--set", "checkpoint=x"]
    assert run_program([command, "tiny", *STORE, *wrong]) == 2
    err = capsys.readouterr().err
    assert "unknown field 'checkpoint'; did you mean 'checkpoints'? what may change: trials" in err
    for field in ("protocol", "seed", "store"):
        assert f"{field} stays as it is; what may change: trials, time_limit, " in err
    right = ["--set", "checkpoints=elsewhere", "--set", "resources.concurrent_trials=1"]
    more = ["--trials", "5"] if command == "continue" else []
    assert run_program([command, "tiny", *STORE, *right, *more]) == 0
    assert Path("elsewhere").is_dir()


@pytest.mark.parametrize("kind", [StopKind.TIME_LIMIT, StopKind.LOST, StopKind.FAULT])
@pytest.mark.parametrize("work", [run_all, all_fail])
def test_a_stop_that_comes_when_nothing_is_left_to_do_changes_nothing(
    kind: StopKind,
    work: Callable[[StudySession], None],
    playing: Player,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def too_late(session: StudySession, *others: Any) -> None:
        work(session)
        (stop,) = (other for other in others if isinstance(other, StopRequest))
        stop.request(kind, "too late")
        time.sleep(0.2)  # for the thread that would say it

    monkeypatch.setattr(run_module, "tune_session", too_late)
    command = ["run", "a.yaml", *STORE, "--set", "stop_after_same_failures=null"]
    assert run_program(command) == (0 if work is run_all else 1)
    assert "too late" not in "".join(capsys.readouterr())
    with open_store("a.db", create=False) as store:
        (run,) = store.runs.of_study(store.studies.get("tiny").id)
    assert run.end_reason == "the run ended"


@pytest.mark.parametrize("work", [run_all, all_fail])
def test_an_interrupt_is_one_whenever_it_comes(
    work: Callable[[StudySession], None],
    playing: Player,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def in_the_end(session: StudySession, *others: Any) -> None:
        work(session)
        (stop,) = (other for other in others if isinstance(other, StopRequest))
        stop.request(StopKind.INTERRUPT, "interrupted by SIGTERM")
        time.sleep(0.2)

    monkeypatch.setattr(run_module, "tune_session", in_the_end)
    command = ["run", "a.yaml", *STORE, "--set", "stop_after_same_failures=null"]
    assert run_program(command) == 130
    assert "Stopped: interrupted by SIGTERM. To go on" in capsys.readouterr().err

"""What a run says before, meanwhile and last, however it ends; nothing starts Ray."""

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from search.cli.program import run_program
from search.driver.session import StudySession
from search.driver.stop_request import StopKind, StopRequest
from search.program_signals import Interrupted
from search.runner import run as run_module
from search.searchers import Exhausted
from search.store import StoreError, open_store
from space.cli.output import ReaderLeft
from tests.search.small import SPACE, values
from tests.search.without_ray import Player, all_but_one, execute, folder, player

__all__ = ["folder", "player"]


def test_a_search_without_points_left_is_not_done_before_its_last_trial_is(
    player: Player,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = ["run", "it's mine.yaml", "--set", "trials=99"]
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "tune_session", all_but_one)
        assert run_program(command) == 130
    assert "Stopped: interrupted by SIGINT. To go on" in capsys.readouterr().err
    assert run_program([*command, "--resume"]) == 0
    assert "24 of 99 trials done (24 complete). The space is exhausted" in capsys.readouterr().out


def test_what_is_printed_during_a_run_is_no_data(
    folder: Path,
    player: Player,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def noisy(session: StudySession, *others: Any) -> None:
        print("(raylet) A worker died")
        player(session, *others)

    monkeypatch.setattr(run_module, "tune_session", noisy)
    assert run_program(["run", "it's mine.yaml", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["trials"]["complete"] == 4
    assert "A worker died" in err


def test_too_few_random_points_are_told_in_one_line_before_the_start(
    player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", "it's mine.yaml", "--set", "trials=20"]
    assert run_program([*command, "--study", "few", "--with-random-baseline", "0.1"]) == 0
    out, err = capsys.readouterr()
    (line,) = [line for line in err.splitlines() if "warning" in line]
    assert line.endswith("10 of each are needed: random_baseline 0.5 gives enough")
    assert err.startswith(line)
    assert "2 random and 18 searched evaluations, 2 and 18 of them trained" in " ".join(out.split())
    assert run_program([*command, "--study", "enough", "--with-random-baseline", "0.5"]) == 0
    out, err = capsys.readouterr()
    assert "warning" not in err
    assert "by the best validation_accuracy" in " ".join(out.split())


def test_an_exhausted_study_says_so_and_has_no_command_to_go_on(
    player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = SPACE | {"mixers": [{"operator": "vit", "heads": 4}]}
    space["stages"] = [{"depth": [1, 2], "width": [16, 32], "mlp_ratio": 2}]
    (folder / "small.yaml").write_text(yaml.safe_dump(values(space=space, trials=40)))
    assert run_program(["run", "small.yaml"]) == 0
    out = capsys.readouterr().out
    assert "of 40 trials done" in out
    assert "The space is exhausted: all" in out
    assert "Stopped" not in out
    assert "Go on" not in out
    assert run_program(["studies"]) == 0
    out = capsys.readouterr().out
    assert "exhausted" in out
    assert "stopped" not in out


def test_a_study_of_which_no_point_was_found_has_failed(
    player: Player,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def none(searcher: object, attempt: int = 0) -> None:
        raise Exhausted("no point of the space was found that keeps the constraints")

    monkeypatch.setattr("search.searchers.DistinctSearcher.ask", none)
    assert run_program(["run", "it's mine.yaml"]) == 1
    said = capsys.readouterr()
    reason = "nothing was searched: no point of the space was found that keeps the constraints"
    assert reason in " ".join(said.out.split())
    assert reason in " ".join(said.err.split())
    assert "is exhausted" not in said.out


def test_a_study_that_was_interrupted_is_not_exhausted(
    player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    player.stop_after = 2
    assert run_program(["run", "it's mine.yaml"]) == 130
    capsys.readouterr()
    assert run_program(["studies"]) == 0
    assert "stopped" in capsys.readouterr().out


def test_the_exit_code_stays_where_the_reader_has_left(
    player: Player,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def left(*_: object) -> None:
        raise ReaderLeft

    monkeypatch.setattr("search.cli.run.print_report", left)
    player.stop_after = 1
    assert run_program(["run", "it's mine.yaml"]) == 130
    assert "To go on: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StoreError("the store is away"), "the store is away"),
        (RuntimeError("Ray is\nout of order"), "RuntimeError: Ray is out of order (test_what_a_"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_whatever_ends_a_run_the_last_line_says_how_to_go_on(
    error: BaseException,
    said: str,
    player: Player,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object) -> None:
        raise error

    command = ["run", "it's mine.yaml", "--store", "a.db"]
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "tune_session", broken)
        code = run_program(command)
    assert code == (130 if isinstance(error, KeyboardInterrupt) else 1)
    err = capsys.readouterr().err
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith(f"Stopped: {said}")
    assert execute(last.partition("To go on: ")[2]) == 0


def test_a_signal_while_the_report_is_printed_is_an_interrupt(
    player: Player,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: object) -> None:
        raise Interrupted(signal.SIGTERM)

    monkeypatch.setattr("search.cli.run.print_report", interrupted)
    assert run_program(["run", "it's mine.yaml"]) == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("Stopped: interrupted by SIGTERM. To go on: ")


def test_a_run_that_is_stopped_says_so_once_and_nothing_after_it(
    player: Player,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stopped(session: StudySession, *others: Any) -> None:
        (stop,) = (other for other in others if isinstance(other, StopRequest))
        stop.request(StopKind.LOST, "Ray's raylet was killed")
        deadline = time.monotonic() + 30
        while "Stopped: " not in (err := capsys.readouterr().err):
            assert time.monotonic() < deadline
        assert err.count("To go on: ") == 1
        with open_store("a.db", create=False) as store:
            (run,) = store.runs.of_study(store.studies.get("tiny").id)
        assert run.end_reason == "Ray's raylet was killed"  # before the work has ended
        time.sleep(0.1)
        print("(raylet) A worker died")
        sys.stderr.write("and more of it\n")

    monkeypatch.setattr(run_module, "tune_session", stopped)
    assert run_program(["run", "it's mine.yaml", "--store", "a.db"]) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o640, True), (0o600, False)])
def test_a_token_that_others_may_read_is_told(
    mode: int,
    warned: bool,
    player: Player,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    token = folder / "token"
    token.write_text("ab")
    token.chmod(mode)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    player.stop_after = 0
    assert run_program(["run", "it's mine.yaml"]) == 130
    assert (f"chmod 600 {token}" in capsys.readouterr().err) == warned

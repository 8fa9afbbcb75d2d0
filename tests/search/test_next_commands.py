"""The commands that a run prints are copied and executed as they stand; nothing starts Ray."""

import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from search.cli.next_commands import NextCommands, next_commands
from search.cli.program import run_program
from search.driver.assignment import Report
from search.driver.session import StudySession
from search.driver.stop_request import StopKind, StopRequest
from search.program_signals import Interrupted
from search.ray_executor.cluster import Cluster
from search.ray_executor.watchdog import OnWatch
from search.runner import run as run_module
from search.searchers import Exhausted
from search.store import StoreError, open_store
from space.cli.output import ReaderLeft
from tests.search.small import SPACE, values
from tests.search.test_session import run_all, train
from trainers import Cause, Failure

SECRET = "postgresql://user:s3cret@host/base"


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


@pytest.fixture
def player(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Player:
    @contextmanager
    def connected(address: str | None, on_watch: OnWatch) -> Iterator[Cluster]:
        yield Cluster({"CPU": 2.0}, tmp_path, local=True)

    playing = Player()
    monkeypatch.setattr(run_module, "connected_to_ray", connected)
    monkeypatch.setattr(run_module, "tune_session", playing)
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


STORES = [
    [],
    ["--store", "st ore.db"],
    ["--store", "sqlite:///st'ore $HOME.db"],
    ["--set", "store=oth er.db"],
]


INHERITING = ["run", "it's mine.yaml", "--set", "protocol.initialisation=inherited"]


@pytest.mark.parametrize("store", STORES)
def test_every_printed_command_works(
    store: list[str], player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*store, "--set", "protocol.epochs=40", "--set", "data.limit_train=150"]
    options += ["--set", "trials=3", "--set", "space.name=a b"]
    player.stop_after = 2
    assert run_program(["run", "it's mine.yaml", "--study", "first", *options]) == 130
    out, err = capsys.readouterr()
    go_on = err[err.index("To go on: ") + len("To go on: ") :].strip()
    assert go_on == printed(out, "Go on")
    for label in ("Query", "Show"):
        assert execute(printed(out, label)) == 0

    player.stop_after = None
    capsys.readouterr()
    assert execute(go_on) == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    assert "3 of 3 trials done" in out

    go_on = printed(out, "Go on")
    assert "trials=3" not in go_on
    assert execute(go_on) == 0
    assert "6 of 6 trials done" in capsys.readouterr().out


@pytest.mark.parametrize("store", STORES)
def test_failed_trials_are_trained_again_by_the_printed_command(
    store: list[str],
    player: Player,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = ["run", "it's mine.yaml", *store, "--set", "trials=2"]
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "tune_session", all_fail)
        assert run_program(command) == 1
    last = capsys.readouterr().err.rstrip().splitlines()[-1]
    assert last.startswith("Failed: every trial failed: KeyError: 0. To train them again, once ")
    assert execute(last.rpartition(": ")[2]) == 0
    assert "2 of 2 trials done (2 complete)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("too_large", "options"),
    [((0, 1), " --infeasible"), ((1,), " --failed --infeasible"), ((), " --failed")],
)
def test_only_what_there_is_is_asked_for_again(
    too_large: Collection[int],
    options: str,
    player: Player,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "tune_session", partial(all_fail, too_large=too_large))
        assert run_program(["run", "it's mine.yaml", "--set", "trials=2"]) == 1
    last = capsys.readouterr().err.rstrip().splitlines()[-1]
    command = last.rpartition(": ")[2]
    assert command.endswith(options)
    assert execute(command) == 0


def test_the_best_of_a_study_that_inherits_are_retrained_by_the_printed_command(
    player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program([*INHERITING, "--store", "st ore.db", "--set", "trials=6"]) == 0
    assert execute(printed(capsys.readouterr().out, "Repeat")) == 0
    assert "Study tiny-retrained: 15 of 15 trials done" in capsys.readouterr().out


def test_no_more_are_retrained_than_the_study_has_complete(
    player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program([*INHERITING, "--store", "a.db"]) == 0
    assert run_program(["repeat", "tiny", "--top", "9", "--seeds", "2", "--store", "a.db"]) == 0
    assert "Study tiny-retrained: 8 of 8 trials done" in capsys.readouterr().out
    with open_store("a.db", create=False) as store:
        trials = store.trials.of_study(store.studies.get("tiny-retrained").id)
    assert {trial.origin for trial in trials} == {f"retrains trial {n}" for n in range(4)}


@pytest.mark.parametrize("initialisation", ["scratch", "inherited"])
def test_a_study_without_a_complete_trial_is_refused_before_ray_starts(
    initialisation: str, player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    player.stop_after = 0
    inherit = ["--set", f"protocol.initialisation={initialisation}"]
    assert run_program(["run", "it's mine.yaml", "--store", "a.db", *inherit]) == 130
    capsys.readouterr()
    assert run_program(["repeat", "tiny", "--store", "a.db"]) == 2
    err = capsys.readouterr().err
    assert "'tiny' has no complete trial to re" in err
    assert "Ray" not in err


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


def test_the_default_store_is_named_where_the_configuration_names_another(
    player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "b.yaml").write_text(yaml.safe_dump(values(store="other.db")))
    player.stop_after = 1
    assert run_program(["run", "b.yaml", "--store", "mixspace.db"]) == 130
    player.stop_after = None
    assert execute(printed(capsys.readouterr().out, "Go on")) == 0
    assert not (folder / "other.db").exists()


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
        (RuntimeError("Ray is\nout of order"), "RuntimeError: Ray is out of order (test_next_"),
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


@pytest.mark.parametrize("url", [SECRET, "postgresql://host/base?password=s3cret"])
def test_a_password_is_taken_from_the_environment(url: str) -> None:
    overrides = (f"store={url}", f" store ={url}", "seed=1")
    commands = next_commands("a.yaml", "tiny", url, overrides, store_given=False)
    assert commands.first is not None
    lines = [commands.look, commands.best("depth > 1"), commands.show("ab"), commands.resume()]
    for line in [*lines, commands.first]:
        assert "s3cret" not in line
        assert "***" not in line
    assert all('--store "$MIXSPACE_STORE"' in line for line in lines[1:])
    assert lines[0] == "streamlit run dashboard"
    assert lines[3].endswith(" --resume --set seed=1")


def test_a_store_of_the_environment_need_not_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXSPACE_STORE", SECRET)
    same = next_commands("a.yaml", "tiny", SECRET, (), store_given=True)
    assert (same.first, same.store) == (None, None)
    other = next_commands("a.yaml", "tiny", "mixspace.db", (), store_given=True)
    assert "--store mixspace.db" in other.resume()


def test_the_dashboard_gets_a_quoted_store(folder: Path) -> None:
    line = NextCommands("a.yaml", "tiny", "st ore.db").look
    assert shlex.split(line) == ["MIXSPACE_STORE=st ore.db", "streamlit", "run", "dashboard"]
    assert "MIXSPACE_STORE" not in os.environ

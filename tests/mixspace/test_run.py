"""`mixspace.run`, `continue_` and `repeat`: as the command line does it; Ray is played."""

import errno
import io
import json
import logging
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import mixspace
from mixspace import InputError, RunFailed, Study
from mixspace.progress_bar import ProgressBar
from search.cli.program import run_program
from search.config import Config, config_from, load_config
from search.driver.session import StudySession
from search.driver.study_progress import Progress
from search.exit_code import ExitCode
from search.program_signals import Interrupted
from search.runner import run as run_module
from search.store import TrialState
from space import DesignSpace
from tests.search.small import SPACE, values
from tests.search.without_ray import Player, all_fail, player, playing, trials_of

__all__ = ["player", "playing"]

STORE = "a.db"
OBJECTIVES = {"validation_accuracy": "maximise"}


def run(**fields: Any) -> Study:
    return mixspace.run("a.yaml", store=STORE, progress=False, **fields)


def told(read: Callable[[], Config]) -> object:
    """The configuration as plain values, or the words of its refusal."""
    try:
        return read().to_dict()
    except InputError as refused:
        return str(refused)


# --- configurations -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "sets"),
    [
        ({"trials": 7, "seed": 3}, ["trials=7", "seed=3"]),
        ({"protocol": {"epochs": 3}}, ["protocol.epochs=3"]),
        ({"searcher": "tpe"}, ["searcher=tpe"]),
        (
            {"searcher": {"name": "evolution", "population": 8}},
            ["searcher.name=evolution", "searcher.population=8"],
        ),
        ({"searcher": {"population": 8}}, ["searcher.population=8"]),
        ({"constraints": {"flops": "30M"}}, ["constraints.flops=30M"]),
        ({"space": {"limits": {"params": 9000}}}, ["space.limits.params=9000"]),
        ({"objectives": {"macs": "minimise"}}, ["objectives.macs=minimise"]),
        ({"trails": 3}, ["trails=3"]),
        ({"protocol": {"epochs": "many"}}, ["protocol.epochs=many"]),
        ({"trials": "5"}, ["trials='5'"]),
        ({"searcher": "grid"}, ["searcher=grid"]),
        ({"store": "ftp://u:secret@x/y"}, ["store=ftp://u:secret@x/y"]),
    ],
)
def test_fields_change_what_set_changes(
    fields: dict[str, Any], sets: list[str], tmp_path: Path
) -> None:
    """From a file, a mapping and a Config alike; and are refused in the same words."""
    content = values(searcher={"name": "evolution", "tournament": 5}, objectives=OBJECTIVES)
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(content))
    given: list[Any] = [tmp_path / "a.yaml", str(tmp_path / "a.yaml"), content]
    given += [Config.from_dict(content)]
    wanted = told(lambda: load_config(tmp_path / "a.yaml", overrides=sets))
    assert "secret" not in str(wanted)
    for each in given:
        assert told(partial(config_from, each, fields)) == wanted
    assert content == values(
        searcher={"name": "evolution", "tournament": 5}, objectives=dict(OBJECTIVES)
    )


def test_fields_may_say_all_and_a_space_may_be_one(tmp_path: Path) -> None:
    content = values()
    wanted = Config.from_dict(content)
    assert config_from(None, content).to_dict() == wanted.to_dict()
    assert config_from(wanted, {}) is wanted
    space = DesignSpace.from_dict(SPACE)
    assert config_from(None, content | {"space": space}).space is space
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(SPACE))
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(content | {"space": "space.yaml"}))
    assert config_from(tmp_path / "a.yaml", {}).to_dict() == wanted.to_dict()
    with pytest.raises(InputError, match="config: must be the path of a YAML file, a mapping or"):
        config_from(5, {})
    with pytest.raises(InputError, match="study: this field is required"):
        mixspace.run(trials=3)


def test_a_bad_call_says_what_the_command_says(
    playing: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    for field, value in (("trails", 3), ("checkpoints", "a.yaml"), ("time_limit", "soon")):
        assert run_program(["run", "a.yaml", "--store", STORE, "--set", f"{field}={value}"]) == 2
        said = capsys.readouterr().err
        with pytest.raises(InputError) as error:
            run(**{field: value})
        assert str(error.value) in said
    assert not Path(STORE).exists()


# --- runs -----------------------------------------------------------------------------------------


def test_an_interrupted_run_is_a_study_that_goes_on(
    playing: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    playing.stop_after = 2
    study = mixspace.run("a.yaml", store=STORE)
    assert study.outcome is not None
    assert study.outcome.exit_code == ExitCode.INTERRUPTED
    assert study.outcome.reason == "interrupted by SIGINT"
    assert study.outcome.progress.ended == 2
    said = "Stopped: interrupted by SIGINT. To go on: mixspace.Study('tiny', 'a.db').continue_()"
    assert capsys.readouterr().err.splitlines()[-1] == said
    assert "2 of 4 trials done" in study._repr_html_()
    with pytest.raises(InputError, match="go on with it by resume=True, or begin another by study"):
        run()
    playing.stop_after = None
    done = run(resume=True)
    assert done.outcome is not None
    assert done.outcome.exit_code == ExitCode.DONE
    assert [trial.state for trial in trials_of("tiny")] == [TrialState.COMPLETE] * 4
    assert done.continue_(progress=False).outcome is not None


def test_an_interrupt_before_the_work_leaves_nothing_and_no_traceback(
    playing: Player, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise Interrupted(2)

    monkeypatch.setattr("mixspace.running.run_study", interrupted)
    study = mixspace.run("a.yaml", store=STORE)
    assert study.outcome is not None
    assert study.outcome.exit_code == ExitCode.INTERRUPTED
    assert study.outcome.progress.planned == 4
    said = "Stopped: interrupted by SIGINT. To go on: the same call with resume=True"
    assert capsys.readouterr().err.splitlines()[-1] == said
    assert "there is no store" in study._repr_html_()


def test_a_failed_run_is_an_error_with_the_words_of_the_command(
    playing: Player, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_module, "tune_session", all_fail)
    with pytest.raises(RunFailed) as error:
        run(stop_after_same_failures=None)
    assert error.value.outcome is not None
    assert error.value.outcome.exit_code == ExitCode.FAILED
    call = "mixspace.Study('tiny', 'a.db').continue_(failed=True)"
    assert str(error.value).endswith(f". To train them again, once that is mended: {call}")
    assert run_program(["run", "a.yaml", "--store", STORE, "--resume"]) == 1
    reason = str(error.value).partition(". To train")[0]
    assert reason in capsys.readouterr().err

    def breaks(session: StudySession, *_: Any) -> None:
        raise LookupError("of Ray")

    monkeypatch.setattr(run_module, "tune_session", breaks)
    with pytest.raises(RunFailed, match=r"^Stopped: LookupError: of Ray \(.*\)\. To go on: ") as e:
        run(study="other")
    assert isinstance(e.value.__cause__, LookupError)

    def loses_the_store(session: StudySession, *_: Any) -> None:
        raise mixspace.StoreError("the disk is full")

    monkeypatch.setattr(run_module, "tune_session", loses_the_store)
    capsys.readouterr()
    with pytest.raises(mixspace.StoreError, match=r"^the disk is full$"):
        mixspace.run("a.yaml", store=STORE, study="third")
    said = "Stopped: the disk is full. To go on: mixspace.Study('third', 'a.db').continue_()"
    assert capsys.readouterr().err.splitlines()[-1] == said


def test_more_work_is_what_the_commands_do(playing: Player) -> None:
    study = run()
    more = study.continue_(trials=6, progress=False, retries=3)
    assert more.config.trials == 6
    assert len(trials_of("tiny")) == 6
    study.repeat(2, 3, progress=False)
    assert len(trials_of("tiny")) == 10
    assert sorted(study.trials_dataframe()["repeat"]) == [0] * 6 + [1, 1, 2, 2]
    assert sorted(row.repeats for row in study.best()) == [1, 1, 1, 1, 3, 3]
    for wrong, why in {
        "trials": "must be a whole number from 1",
        "pruned": "'tiny' has no pruned trial",
        "numbers": "can not be continued",
    }.items():
        asked: Any = {"trials": 0, "pruned": 3, "numbers": (99,)}[wrong]
        with pytest.raises(InputError, match=why):
            study.continue_(**{wrong: asked})
    with pytest.raises(InputError, match="protocol stays as it is; what may change"):
        study.continue_(protocol={"epochs": 3})
    with pytest.raises(InputError, match="seeds: must be a whole number from 2"):
        study.repeat(seeds=1)


def test_lines_go_to_the_log_without_a_bar(
    playing: Player, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "mixspace"):
        run()
    assert any(text.startswith("note: ") for text in caplog.messages)
    assert capsys.readouterr() == ("", "")
    mixspace.run("a.yaml", store=STORE, study="shown")
    assert "note: " in capsys.readouterr().err


def test_the_bar_ends_where_the_study_does(capsys: pytest.CaptureFixture[str]) -> None:
    bar = ProgressBar()
    for ended in range(5):
        counts = dict.fromkeys(TrialState, 0) | {TrialState.COMPLETE: ended}
        bar.show(Progress(counts, 4, 0.5, "ViT"))
    bar.say_last("It is over.")
    bar.show(Progress(dict.fromkeys(TrialState, 0), 9, None, None))
    *_, last_state, line = capsys.readouterr().err.replace("\r", "\n").strip().splitlines()
    assert "4/4" in last_state
    assert "best 50.00% (ViT)" in last_state
    assert line == "It is over."


def test_the_store_is_that_of_the_command(playing: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXSPACE_STORE", "b.db")
    assert mixspace.run("a.yaml", progress=False).store == str(Path("b.db").absolute())
    assert mixspace.run("a.yaml", progress=False, store=Path("c.db")).name == "tiny"
    assert Path("c.db").is_file()
    assert Study("tiny").store == str(Path("b.db").absolute())


def test_a_store_that_is_written_in_python_is_no_default(playing: Player, tmp_path: Path) -> None:
    for given in (content := values(store="mine.db"), Config.from_dict(content)):
        assert config_from(given, {}, "env.db").store == "mine.db"
    for given in (content := values(), Config.from_dict(content)):
        assert config_from(given, {}, "env.db").store == "env.db"
    secret = Config.from_dict(values(store="postgresql://u:topsecret@h/d"))
    assert "topsecret" not in f"{secret!r} {secret}"


@pytest.mark.parametrize("fill", [0, 20, 40, 60])
def test_a_password_is_hidden_before_a_long_value_is_cut(fill: int) -> None:
    url = f"postgresql://{'u' * fill}:pa/ss{'word' * 30}@host/db"
    with pytest.raises(InputError, match="store: ") as refused:
        Config.from_dict(values(store=[url]))
    assert "word" not in str(refused.value)


def test_a_whole_space_takes_the_place_of_another(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(SPACE))
    given = values(space=SPACE | {"limits": {"params": 9000}})
    for space in (SPACE, DesignSpace.from_dict(SPACE), tmp_path / "space.yaml"):
        assert config_from(given, {"space": space}).to_dict() == config_from(values(), {}).to_dict()


@pytest.mark.parametrize("bound", [np.float32(0.25), Fraction(1, 4), Decimal("0.25")])
def test_a_bound_of_any_kind_of_number_is_kept_as_a_plain_one(bound: Any) -> None:
    given = values(constraints={"validation_accuracy": {"at_least": bound}})
    kept = Config.from_dict(given).to_dict()["constraints"]
    assert json.loads(json.dumps(kept)) == {"validation_accuracy": {"at_least": 0.25}}


class Unread(io.StringIO):
    """A stderr whose reader has left."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


@pytest.mark.parametrize("stderr", [Unread(), None])
def test_a_stderr_that_is_gone_ends_no_run(
    playing: Player, stderr: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)
    study = mixspace.run("a.yaml", store=STORE)
    assert study.outcome is not None
    assert study.outcome.exit_code == ExitCode.DONE


def test_a_space_without_further_points_is_said(
    playing: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    study = mixspace.run("a.yaml", store=STORE, trials=1000)
    assert study.outcome is not None
    assert study.outcome.reason
    assert study.outcome.reason in capsys.readouterr().err


def test_a_run_in_another_thread_is_refused(playing: Player) -> None:
    found: list[BaseException] = []

    def work() -> None:
        try:
            run()
        except InputError as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "must be called in the main thread" in str(found[0])


def test_a_study_that_is_not_there_says_which_are(playing: Player) -> None:
    with pytest.raises(mixspace.NoStore, match="there is no store"):
        Study("tiny", STORE)
    run()
    with pytest.raises(InputError, match=r"'tinny' does not exist in .*; did you mean 'tiny'\?"):
        Study("tinny", STORE)
    assert repr(Study("tiny", STORE)) == f"Study('tiny', {str(Path(STORE).absolute())!r})"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda study: study.load(5), "architecture_id: must be the beginning of .*; got 5"),
        (lambda study: study.architecture(None), "architecture_id: .* as text; got None"),
        (lambda study: study.best(where=5), "where: must be a text such as .*, or None; got 5"),
        (lambda study: study.front(where=["a"]), r"where: must be a text .*; got \['a'\]"),
        (lambda study: study.pareto(where=5), "where: must be a text"),
        (lambda study: study.best(top="3"), "top: '3' is not allowed; must be 1 to"),
        (lambda study: study.continue_(numbers=5), r"numbers: .* such as \[7, 12\]; got 5"),
        (lambda study: study.continue_(numbers="12"), "numbers: must be a list of .*; got '12'"),
        (lambda study: study.continue_(numbers=[1.0]), r"numbers: must be a list .*; got \[1.0\]"),
        (lambda study: study.continue_(failed="no"), "failed: must be True or False; got 'no'"),
        (lambda study: study.continue_(pruned="all"), "pruned: must be a whole number from 1"),
        (lambda study: study.continue_(progress=None), "progress: must be True or False; got None"),
        (lambda study: study.repeat(top=True), "top: must be a whole number from 1"),
        (lambda study: Study(5), "name: must be a text, the name of a study; got 5"),
        (lambda study: Study("tiny", 5), "store: must be a path, a URL as text, or None; got 5"),
        (lambda study: run(resume="yes"), "resume: must be True or False; got 'yes'"),
        (lambda study: run(address=6379), "address: must be a text, HOST:PORT .*; got 6379"),
    ],
)
def test_an_argument_of_another_type_is_bad_input(
    playing: Player, wrong: Callable[[Any], object], said: str
) -> None:
    run(resume=True)
    with pytest.raises(InputError, match=f"^{said}"):
        wrong(Study("tiny", STORE))

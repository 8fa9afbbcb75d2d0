"""A budget in device-hours: what it is, who spends it, and what happens when it is spent."""

from pathlib import Path

import pytest

from mixspace.running import NextCalls
from search.cli.program import run_program
from search.config import Config
from search.config.device_budget import DeviceBudget
from search.driver.assignment import Report
from search.driver.stop_request import StopKind, StopRequest
from search.exit_code import ExitCode
from search.store import TrialState, open_store
from space.errors import InputError
from tests.search.driving import begin, end, epoch, run_all, train
from tests.search.small import config, values
from tests.search.without_ray import (
    STORE,
    Player,
    execute,
    player,
    playing,
    printed,
    trials_of,
)

__all__ = ["player", "playing"]


@pytest.mark.parametrize(
    ("text", "seconds", "written"),
    [
        ("40 gpu-hours", 144_000, "40 gpu-hours"),
        ("1 GPU hour", 3600, "1 gpu-hour"),
        ("0.5cpu-days", 43_200, "0.5 cpu-days"),
        (" 90 cpu-minutes ", 5400, "90 cpu-minutes"),
        ("12 cpu-second", 12, "12 cpu-seconds"),
    ],
)
def test_a_budget_as_people_write_it(text: str, seconds: float, written: str) -> None:
    budget = DeviceBudget.parse(text)
    assert budget.seconds == seconds
    assert str(budget) == written
    assert DeviceBudget.parse(written) == budget


@pytest.mark.parametrize("wrong", ["40", "40 hours", "0 gpu-hours", "-1 cpu-hours", "x", 40, ["a"]])
def test_what_is_no_budget_is_refused(wrong: object) -> None:
    with pytest.raises(InputError, match="budget: must be device time above 0 such as 40 gpu-hou"):
        Config.from_dict(values(budget=wrong))


def test_a_budget_of_what_no_trial_gets_is_refused() -> None:
    with pytest.raises(InputError, match=r"budget: 2 gpu-hours: trials get no GPU"):
        Config.from_dict(values(budget="2 gpu-hours"))
    given = Config.from_dict(values(budget="2 gpu-hours", resources={"gpus_per_trial": 0.5}))
    assert Config.from_dict(given.to_dict()).budget == given.budget
    assert given.to_dict()["budget"] == "2 gpu-hours"
    assert Config.from_dict(values()).to_dict()["budget"] is None


def test_trials_end_when_it_is_spent_and_go_on_when_it_is_raised(tmp_path: Path) -> None:
    """Epochs take 2 s on two cores each, so a trial of two epochs costs 8 core-seconds."""
    given = {"resources": {"cpus_per_trial": 2}, "trials": 4}
    settings = config(tmp_path, **given, budget="10 cpu-seconds")
    with open_store(str(tmp_path / "tiny.db"), create=True) as store:
        stop = StopRequest()
        session = begin(store, settings, stop=stop)
        first, second = (session.next_assignment() for _ in range(2))
        assert first is not None
        assert second is not None
        train(session, first, [0.4, 0.5])
        assert stop.kind is None
        assert session.progress().spent == "8 of 10 cpu-seconds"
        session.started(second.trial.number)
        session.reported(second.trial.number, Report((epoch(1),)))
        assert stop.kind == StopKind.DEVICE_BUDGET
        assert stop.exit_code == ExitCode.BUDGET
        assert stop.reason == (
            "the budget is spent (12 of 10 cpu-seconds), and has to be raised to go on"
        )
        assert session.next_assignment() is None
        session.reported(second.trial.number, Report((epoch(1),)))  # told again: it costs nothing
        assert session.progress().spent == "12 of 10 cpu-seconds"
        end(store, session)

        again = StopRequest()
        session = begin(store, settings, stop=again)
        assert session.next_assignment() is None
        assert again.kind == StopKind.DEVICE_BUDGET
        end(store, session)

        more = StopRequest()
        raised = config(tmp_path, **given, budget="1 cpu-hour")
        session = begin(store, raised, stop=more)
        run_all(session)
        assert more.kind is None
        # Four trials of 8: what was trained before, and is reported again, was paid for then.
        assert session.progress().spent == "0.00889 of 1 cpu-hour"
        states = {trial.state for trial in store.trials.of_study(session.record.id)}
        assert states == {TrialState.COMPLETE}


def test_results_of_other_studies_cost_nothing(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "tiny.db"), create=True) as store:
        one = begin(store, config(tmp_path, trials=3))
        run_all(one)
        end(store, one)
        stop = StopRequest()
        spends = config(tmp_path, study="other", trials=3, budget="1 cpu-second")
        session = begin(store, spends, stop=stop)
        run_all(session)
        assert session.progress().reused == 3
        assert stop.kind is None
        assert session.progress().spent == "0 of 1 cpu-second"


def test_the_printed_command_goes_on_with_more(
    playing: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same budget again would stop the run at once."""
    assert run_program(["run", "a.yaml", *STORE, "--set", "budget=6 cpu-seconds"]) == 3
    out, err = capsys.readouterr()
    line = printed(out, "Go on")
    assert f"To go on: {line}" in err
    assert "budget=12 cpu-seconds" in line
    assert "budget=6" not in line
    before = sum(trial.epochs_done for trial in trials_of("tiny"))
    execute(line)
    assert sum(trial.epochs_done for trial in trials_of("tiny")) > before


def test_so_does_the_printed_call_of_python() -> None:
    calls = NextCalls(Config.from_dict(values(budget="6 cpu-seconds")))
    spent = calls.after("the budget is spent (8 of 6 cpu-seconds), and has to be raised to go on")
    said = "mixspace.Study('tiny').continue_(budget='12 cpu-seconds')"
    assert spent.go_on(recorded=True) == said
    assert calls.after("interrupted").go_on(recorded=True) == "mixspace.Study('tiny').continue_()"


def budget_of(study: str = "tiny") -> object:
    with open_store("a.db", create=False) as store:
        return store.studies.get(study).config["budget"]


def epochs_of(study: str = "tiny") -> int:
    return sum(trial.epochs_done for trial in trials_of(study))


def test_a_raised_budget_is_the_studys_from_then_on(
    playing: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    """An epoch takes 2 s on the one core of a trial; four trials of two epochs take 16."""
    begun = ["run", "a.yaml", *STORE, "--set", "budget=3 cpu-seconds"]
    assert run_program(begun) == 3
    assert (epochs_of(), budget_of()) == (2, "3 cpu-seconds")
    assert run_program(["continue", "tiny", *STORE, "--set", "budget=7 cpu-seconds"]) == 3
    assert (epochs_of(), budget_of()) == (4, "7 cpu-seconds")
    playing.stop_after = 1
    more = ["continue", "tiny", *STORE, "--set", "budget=1 cpu-hour"]
    assert run_program(more) == 130
    assert epochs_of() == 6
    playing.stop_after = None
    capsys.readouterr()
    assert run_program(["continue", "tiny", *STORE]) == 0
    assert (epochs_of(), budget_of()) == (8, "1 cpu-hour")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ([], "9 cpu-seconds"),
        (["budget=3 cpu-seconds"], "9 cpu-seconds"),
        (["budget=8 cpu-seconds"], "9 cpu-seconds"),
        (["budget=1 cpu-minute"], "1 cpu-minute"),
        (["budget=null"], None),
    ],
)
def test_what_a_file_says_lowers_no_budget_that_was_raised(
    written: list[str], kept: str | None, playing: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["run", "a.yaml", *STORE, "--set", "budget=3 cpu-seconds"]) == 3
    assert run_program(["continue", "tiny", *STORE, "--set", "budget=9 cpu-seconds"]) == 3
    capsys.readouterr()
    sets = [word for text in written for word in ("--set", text)]
    code = run_program(["run", "a.yaml", *STORE, "--resume", *sets])
    assert (code, budget_of()) == (3 if kept == "9 cpu-seconds" else 0, kept)
    ignored = kept == "9 cpu-seconds" and bool(written)
    said = "budget: the study already has 9 cpu-seconds"
    assert (said in capsys.readouterr().err) == ignored


def test_a_budget_that_is_raised_when_all_is_done_serves_what_comes_later(
    playing: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["run", "a.yaml", *STORE, "--set", "budget=17 cpu-seconds"]) == 0
    assert run_program(["continue", "tiny", *STORE, "--set", "budget=1 cpu-hour"]) == 0
    assert run_program(["continue", "tiny", *STORE, "--trials", "6"]) == 0
    assert (epochs_of(), budget_of()) == (12, "1 cpu-hour")

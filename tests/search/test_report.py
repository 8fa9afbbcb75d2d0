"""Words, the progress line, and the report at the end."""

import errno
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from search.cli import progress_line as progress_module
from search.cli.leaderboard_tables import PAPER_OPERATORS
from search.cli.next_commands import NextCommands
from search.cli.progress_line import ProgressLine
from search.cli.report import as_json, headline, print_report
from search.driver.study_progress import Progress
from search.exit_code import ExitCode
from search.query import state_words
from search.runner import RunOutcome
from search.store import ProcessIdentity, Store, TrialState, open_store
from space import Architecture
from space.cli.output import on_standard_streams
from space.wording import ago, count, duration, percent, short
from tests.search.small import config
from tests.search.test_session import begin, run_all, train
from tests.support.samples import epoch as epoch_record
from trainers import Cause, Failure


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (999.6, "1k"), (84_200, "84.2k"), (3.742e9, "3.74G"), (2e13, "20T")],
)
def test_short(number: float, text: str) -> None:
    assert short(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (45.4, "45 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (18_600, "5 h 10 min"),
        (183_600, "2 d 3 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_other_words() -> None:
    assert (count(1, "trial"), count(1200, "trial")) == ("1 trial", "1,200 trials")
    assert (percent(0.8712), percent(None)) == ("87.12%", "–")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert ago(now - timedelta(seconds=90), now) == "1 min 30 s ago"
    assert ago((now - timedelta(hours=1)).replace(tzinfo=None), now) == "1 h ago"


def test_the_progress_line_says_of_which_epoch_its_best_is() -> None:
    for optimistic, said in {False: "best 87.10% (ViT)", True: "(ViT, by its best epoch)"}.items():
        output = io.StringIO()
        line = ProgressLine(Console(file=output, width=160))
        line.show(replace(stand(3), optimistic=optimistic))
        assert said in output.getvalue()


def stand(ended: int, **counts: int) -> Progress:
    states = dict.fromkeys(TrialState, 0) | {TrialState.COMPLETE: ended}
    states |= {TrialState(name): number for name, number in counts.items()}
    return Progress(states, 10, 0.871 if ended else None, "ViT" if ended else None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the progress line sees, to be set."""
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    return now


def test_a_plain_line_every_few_seconds_if_something_changed(clock: list[float]) -> None:
    output = io.StringIO()
    line = ProgressLine(Console(file=output, width=20))
    for second in range(20):
        clock[0] = float(second)
        line.show(stand(0 if second < 3 else 4, running=2))
    clock[0] = 60.0
    line.show(stand(4, running=2, failed=1))
    line.close()
    assert output.getvalue().splitlines() == [
        "0/10 trials done · 2 running · 0 pruned",
        "4/10 trials done · 2 running · 0 pruned · best 87.10% (ViT) · about 8 s left",
        "4/10 trials done · 2 running · 0 pruned · best 87.10% (ViT) · about 15 s left",
        "4/10 trials done · 2 running · 0 pruned · best 87.10% (ViT) · about 22 s left",
        "5/10 trials done · 2 running · 0 pruned · 1 failed · best 87.10% (ViT) · about 1 min left",
    ]


def test_results_that_were_taken_over_say_nothing_of_the_pace(clock: list[float]) -> None:
    output = io.StringIO()
    line = ProgressLine(Console(file=output, width=20))
    for second, (ended, reused) in enumerate([(0, 0), (5, 5), (8, 5)]):
        clock[0] = 10.0 * second
        line.show(replace(stand(ended), reused=reused))
    line.close()
    assert output.getvalue().splitlines() == [
        "0/10 trials done · 0 running · 0 pruned",
        "5/10 trials done · 0 running · 0 pruned · 5 reused · best 87.10% (ViT)",
        "8/10 trials done · 0 running · 0 pruned · 5 reused · best 87.10% (ViT) · about 13 s left",
    ]


def test_on_a_terminal_one_line_is_redrawn() -> None:
    output = io.StringIO()
    line = ProgressLine(Console(file=output, force_terminal=True, width=60))
    line.say("Starting Ray ...")
    line.show(stand(0, running=1))
    line.show(stand(3, running=1, pruned=1))
    line.close()
    text = output.getvalue()
    assert "Starting Ray ..." in text
    assert "4/10 trials done" in text
    assert text.count("trials done") == 1  # both drawn within one refresh


def test_headline() -> None:
    outcome = RunOutcome("tiny", ExitCode.BUDGET, stand(3, pruned=2), "the time limit was reached")
    assert headline(outcome) == (
        "Study tiny: 5 of 10 trials done (3 complete, 2 pruned). "
        "Stopped early: the time limit was reached."
    )


def test_headline_of_an_exhausted_study() -> None:
    outcome = RunOutcome("tiny", ExitCode.DONE, stand(4), "all 4 points are in the study")
    assert headline(outcome) == (
        "Study tiny: 4 of 10 trials done (4 complete). "
        "The space is exhausted: all 4 points are in the study."
    )


def test_headline_where_every_trial_failed() -> None:
    outcome = RunOutcome("tiny", ExitCode.FAILED, stand(0, failed=10), "every trial failed: x")
    assert headline(outcome).endswith("(10 failed). Failed: every trial failed: x.")


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(errno.ENOSPC, "full"), OSError()])
@pytest.mark.parametrize("terminal", [False, True])
def test_progress_goes_on_where_nobody_reads_it(
    error: OSError, terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise error

        def isatty(self) -> bool:
            return terminal

    def work() -> int:
        line = ProgressLine()
        line.say("Starting Ray ...")
        line.show(stand(0, running=1))
        line.close()
        return 3

    monkeypatch.setattr("sys.stderr", Gone())
    assert on_standard_streams(work) == 3


def test_progress_in_ascii_keeps_to_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    def work() -> int:
        line = ProgressLine()
        line.show(stand(4, running=2, failed=1))
        line.close()
        return 0

    shown = io.BytesIO()
    monkeypatch.setattr("sys.stderr", Terminal(shown, "ascii", write_through=True))
    monkeypatch.setenv("COLUMNS", "40")
    assert on_standard_streams(work) == 0
    text = Text.from_ansi(shown.getvalue().decode("ascii")).plain
    lines = [line for line in text.splitlines() if "trials done" in line]
    assert lines
    assert all(len(line) <= 40 and "done | 2" in line for line in lines)


def test_report_of_a_study(tmp_path: Path) -> None:
    path = str(tmp_path / "tiny.db")
    with open_store(path, create=True) as store:
        session = begin(store, config(tmp_path, trials=7, retries=0, initial=["named"]))
        session.next_assignment()
        session.crashed(0, Failure(Cause.CODE, "the worker process died: out of luck"))
        run_all(session)
        outcome = RunOutcome("tiny", ExitCode.DONE, session.progress())
        output = io.StringIO()
        console = Console(file=output, width=160)
        print_report(console, store, outcome, NextCommands("tiny.yaml", "tiny", path))
        plain = as_json(store, outcome)
    text = output.getvalue()
    for part in ("Leaderboard", "against params", "against FLOPs", "Where the paper's operators"):
        assert part in text
    assert all(name in text for name in PAPER_OPERATORS)
    assert "trial 0 (" in text
    assert "failed: the worker process died: out of luck" in text
    commands = [line for line in text.splitlines() if "python -m search" in line]
    labels = [command.partition(":")[0] for command in commands]
    assert labels == ["Look", "Best", "Query", "Show", "Retrain", "Failed", "Go on"]
    assert all(path in command for command in commands)
    assert commands[-1].endswith("--resume --set trials=14")
    assert plain["trials"]["complete"] == 6
    assert (plain["inherited_trials"], plain["against_random_search"]) == (0, None)
    judged = "Judged after 2 epochs at 28×28"  # and these data are not told
    assert judged in text
    assert plain["proxy"]["sentence"].startswith(judged)
    assert len(plain["best"]) == 6
    assert {o["name"] for o in plain["operators"]} <= set(PAPER_OPERATORS)


def test_a_paired_comparison_is_the_first_table_and_says_what_it_can_tell(tmp_path: Path) -> None:
    path = str(tmp_path / "tiny.db")
    settings = config(tmp_path, trials=8, initial=["paired"])
    with open_store(path, create=True) as store:
        session = begin(store, settings)
        while (assignment := session.next_assignment()) is not None:
            train(session, assignment, [0.1, 0.9 - 0.05 * assignment.trial.number])
        outcome = RunOutcome("tiny", ExitCode.DONE, session.progress(), validation_images=2000)
        text, plain = report_of(store, outcome, path), as_json(store, outcome)
        unknown = report_of(store, replace(outcome, validation_images=None), path)
        origins = [trial.origin for trial in store.trials.of_study(session.record.id)]
    pairs = [o.removeprefix("paired:") for o in origins if o.startswith("paired:")]
    assert [pair["name"] for pair in plain["paired"]] == pairs  # by falling accuracy
    behind = [pair["behind"] for pair in plain["paired"]]
    assert behind == pytest.approx([0.05 * place for place in range(len(pairs))])
    assert text.index("Paired: the paper's operators") < text.index("Leaderboard")
    mean = sum(pair["accuracy"] for pair in plain["paired"]) / len(pairs)
    least = 196 * (2 * mean * (1 - mean) / 2000) ** 0.5
    assert f"2,000 images alone tell differences of more than {least:.1f} points apart" in text
    assert "images alone" not in unknown


def test_a_repeated_network_stays_in_the_paired_comparison(tmp_path: Path) -> None:
    """With the mean of its trainings, also where a repeat of it was the most accurate."""
    path = str(tmp_path / "tiny.db")
    with open_store(path, create=True) as store:
        session = begin(store, config(tmp_path, trials=8, initial=["paired"]))
        while (assignment := session.next_assignment()) is not None:
            train(session, assignment, [0.1, 0.5 - 0.01 * assignment.trial.number])
        study = store.studies.get("tiny")
        first = store.trials.of_study(study.id)[0]
        architecture = Architecture.from_json(store.architectures.get(first.architecture_id).json)
        run = store.runs.begin(
            study.id, process=ProcessIdentity.of(), machine={}, code_version="0.1.0"
        )
        again = store.trials.add(
            study.id,
            run.id,
            architecture,
            params=1,
            macs=1,
            origin="repeat of trial 0",
            seeds={"initialisation": 8, "data_order": 9},
            repeat=1,
        )
        store.trials.start(again.id, run.id)
        store.epochs.record(again.id, epoch_record(1, 0.9))
        store.trials.finish(again.id, "complete")
        outcome = RunOutcome("tiny", ExitCode.DONE, session.progress(), validation_images=2000)
        text, plain = report_of(store, outcome, path), as_json(store, outcome)
    operators = {pair["name"]: pair for pair in plain["paired"]}
    name = first.origin.removeprefix("paired:")
    assert operators[name]["accuracy"] == pytest.approx((0.5 + 0.9) / 2)
    assert plain["paired"][0]["name"] == name
    table = text.split("Leaderboard")[0]
    assert "Networks that were trained several times count with their mean" in table
    assert "One training each" not in table


def test_an_operator_that_was_tried_in_vain_is_not_called_untried(tmp_path: Path) -> None:
    path = str(tmp_path / "tiny.db")
    ends = [TrialState.FAILED, TrialState.INFEASIBLE, TrialState.PREEMPTED, TrialState.RUNNING]
    vain: dict[str, TrialState] = {}
    with open_store(path, create=True) as store:
        session = begin(store, config(tmp_path, trials=5, retries=0, initial=["named"]))
        while (assignment := session.next_assignment()) is not None:
            names = {mixer.name for mixer in assignment.architecture.mixers()}
            if len(vain) == len(ends) or len(names) > 1 or names & {*vain}:
                train(session, assignment, [0.4, 0.5])
                continue
            vain[names.pop()] = state = ends[len(vain)]
            session.started(assignment.trial.number)
            if state is TrialState.PREEMPTED:
                run = store.runs.of_study(session.record.id)[0]
                store.trials.preempt(assignment.trial.id, "the node went away", run_id=run.id)
            elif state is not TrialState.RUNNING:
                memory = state is TrialState.INFEASIBLE
                failure = Failure(Cause.CODE, "in vain", infeasible=memory)
                session.crashed(assignment.trial.number, failure)
        outcome = RunOutcome("tiny", ExitCode.DONE, session.progress())
        text, plain = report_of(store, outcome, path), as_json(store, outcome)
    ranked = {standing["name"] for standing in plain["operators"]}
    table = text.split("Where the paper's operators stand")[1]
    cells = [line.split("│") for line in table.splitlines() if line.startswith("│")]
    said = {row[1].strip(): row[-2].strip() for row in cells}
    assert len(vain.keys() - ranked) >= 3  # the fifth trial makes at most one of them succeed
    for name, state in vain.items():
        if name not in ranked:
            assert said[name] == state
            assert plain["operators_without_accuracy"][name][str(state)] == 1
    assert said["PVT"] == "not tried alone"


def test_words_for_what_became_of_trials() -> None:
    assert state_words(None) == state_words({}) == "not tried alone"
    assert state_words({TrialState.FAILED: 1}) == "failed"
    both = {TrialState.FAILED: 2, TrialState.RUNNING: 1}
    assert state_words(both) == "1 running, 2 failed"
    assert state_words({TrialState.PRUNED: 1}) == "pruned"
    assert state_words({TrialState.COMPLETE: 1}) == "complete without accuracy"


def test_report_of_a_study_whose_trials_inherit_weights(tmp_path: Path) -> None:
    path = str(tmp_path / "tiny.db")
    with open_store(path, create=True) as store:
        protocol = {"epochs": 2, "initialisation": "inherited"}
        session = begin(store, config(tmp_path, trials=24, protocol=protocol))
        while (assignment := session.next_assignment()) is not None:
            assignment.checkpoint.parent.mkdir(parents=True, exist_ok=True)
            assignment.checkpoint.write_text("weights")
            train(session, assignment, [0.4, 0.5])
        inherited = store.studies.summary(session.record.id).inherited
        outcome = RunOutcome("tiny", ExitCode.DONE, session.progress())
        text = report_of(store, outcome, path)
        assert as_json(store, outcome)["inherited_trials"] == inherited
    said = " ".join(text.split())
    assert 0 < inherited < 24
    assert f"{inherited} of 24 trials began with inherited weights: such results do not" in said
    assert "retrains the best from scratch in tiny-retrained." in said
    assert f"Repeat: python -m search repeat tiny --store {path}" in text


def test_the_report_says_that_there_are_no_random_points(tmp_path: Path) -> None:
    path = str(tmp_path / "tiny.db")
    with open_store(path, create=True) as store:
        session = begin(store, config(tmp_path, trials=8, random_baseline=0.1))
        run_all(session)
        outcome = RunOutcome("tiny", ExitCode.DONE, session.progress())
        text = report_of(store, outcome, path)
        beside = as_json(store, outcome)["against_random_search"]
    assert (beside["random"], beside["searched"], beside["improvement"]) == (0, 8, None)
    assert beside["objective"] == {"name": "validation_accuracy", "direction": "maximise"}
    assert "0 random and 8 searched evaluations, 0 and 8 of them trained to the end, are" in text
    needed = "too few to tell (10 of each are needed, among them 3 trained to the end)"
    assert needed in " ".join(text.split())
    assert "inherited" not in text


def report_of(store: Store, outcome: RunOutcome, path: str) -> str:
    output = io.StringIO()
    console = Console(file=output, width=160)
    print_report(console, store, outcome, NextCommands("tiny.yaml", "tiny", path))
    return output.getvalue()


def test_the_paper_has_twelve_nodes_and_local_mlp() -> None:
    assert len(PAPER_OPERATORS) == 13
    assert PAPER_OPERATORS[-1] == "Local MLP"

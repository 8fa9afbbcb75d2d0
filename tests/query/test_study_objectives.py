"""Measured bounds of a study are said wherever people look at its results."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from search.cli.next_commands import NextCommands
from search.cli.program import run_program
from search.cli.report import as_json, print_report
from search.config.objectives import read_objectives
from search.driver.study_progress import Progress
from search.exit_code import ExitCode
from search.query import best, front, method_sentence, metric_words, study_objectives
from search.query.study_objectives import latency_sentence
from search.runner import RunOutcome
from search.store import ParentRecord, Store, TrialState, open_store
from space.errors import InputError
from tests.support.samples import add_study, add_trial, architecture, begin_run, epoch

TWO = {"validation_accuracy": "maximise", "macs": "minimise"}
ONE = {"validation_accuracy": "maximise"}
ACCURATE = {"validation_accuracy": {"at_least": 0.9}}
Result = tuple[int, float, float | None]


def filled(
    store: Store, results: list[Result], name: str = "s", **objective: Any
) -> tuple[int, int]:
    """A study with complete trials of (architecture, accuracy, loss), and its run."""
    study = add_study(store, name, objective=objective)
    run = begin_run(store, study.id)
    repeats: dict[int, int] = {}
    for number, accuracy, loss in results:
        repeat = repeats[number] = repeats.get(number, -1) + 1
        train(store, (study.id, run.id), number, accuracy, loss, repeat=repeat)
    return study.id, run.id


def train(
    store: Store,
    where: tuple[int, int],
    number: int,
    accuracy: float,
    loss: float | None,
    state: str = "complete",
    **changes: Any,
) -> int:
    trial = add_trial(store, *where, number, **changes)
    store.trials.start(trial.id, where[1])
    store.epochs.record(trial.id, epoch(1, 0.01, validation_loss=9.0 if loss else None))
    store.epochs.record(trial.id, epoch(2, accuracy, validation_loss=loss))
    store.trials.finish(trial.id, state, None if state == "complete" else "rung")
    return trial.id


def marks(store: Store) -> list[tuple[str, bool | None]]:
    wanted = study_objectives(store, "s")
    return [(row.architecture_id, wanted.keeps(row)) for row in best(store, study="s")]


def test_a_bound_on_accuracy_marks_complete_rows_only(store: Store) -> None:
    where = filled(
        store, [(0, 0.95, 1.0), (1, 0.9, 1.0), (2, 0.89, 1.0)], objectives=ONE, constraints=ACCURATE
    )
    train(store, where, 3, 0.93, 1.0, "pruned")
    ids = [architecture(number).id for number in (0, 1, 2, 3)]
    assert marks(store) == list(zip(ids, (True, True, False, None), strict=True))
    words = [study_objectives(store, "s").word(row) for row in best(store, study="s")]
    assert words == ["kept", "kept", "broken", "–"]
    (sentence,) = study_objectives(store, "s").sentences
    assert sentence.startswith("2 of 3 completely trained architectures keep the study's")
    assert "(validation_accuracy at least 0.9)" in sentence
    assert sentence.endswith(f"{ids[0]}, {ids[1]}.")


def test_a_bound_on_loss_judges_the_lowest_of_each_training(store: Store) -> None:
    """Of repeats the mean; a training with inherited weights is no repeat; no loss keeps none."""
    where = filled(
        store,
        [(0, 0.8, 0.4), (0, 0.8, 0.7), (1, 0.7, 0.5), (2, 0.6, 0.51), (3, 0.5, None)],
        objectives=ONE,
        constraints={"validation_loss": 0.5, "macs": "30M"},
    )
    parent = store.trials.of_study(where[0])[0].id
    train(store, where, 0, 0.1, 0.01, repeat=2, parent=ParentRecord(parent, "along"))
    assert [keeps for _, keeps in marks(store)] == [False, True, False, False]
    train(store, where, 0, 0.8, 0.4, repeat=3)
    assert [keeps for _, keeps in marks(store)] == [True, True, False, False]
    assert study_objectives(store, "s").plain() == {
        "objectives": ONE,
        "constraints": {"validation_loss": "at most 0.5", "macs": "at most 30,000,000"},
        "keeping_constraints": [architecture(0).id, architecture(1).id],
    }


def test_a_metric_that_is_not_there_is_on_no_front_that_bounds_it(store: Store) -> None:
    filled(store, [(0, 0.9, None), (1, 0.8, 0.3)])
    objectives = read_objectives(TWO, {"validation_loss": 1.0})
    assert [row.architecture_id for row in front(store, "s", objectives)] == [architecture(1).id]


@pytest.mark.parametrize("seed", range(3))
def test_the_sentence_counts_what_keeps(store: Store, seed: int) -> None:
    accuracies = np.random.default_rng(seed).uniform(0.8, 1.0, 20).tolist()
    results: list[Result] = [(number, each, 1.0) for number, each in enumerate(accuracies)]
    filled(store, results, objectives=ONE, constraints=ACCURATE)
    kept = sum(each >= 0.9 for each in accuracies)
    wanted = study_objectives(store, "s")
    assert len(wanted.keeping) == kept
    assert wanted.sentences[0].startswith(f"{kept} of 20 ")
    assert wanted.sentences[0].endswith(f" and {kept - 5} more.")


def test_without_bounds_and_other_objectives_nothing_is_said(store: Store) -> None:
    filled(store, [(0, 0.5, 1.0)])
    filled(store, [(0, 0.5, 1.0)], "costs", objectives=ONE, constraints={"params": "30M"})
    for name in ("s", "costs"):
        wanted = study_objectives(store, name)
        assert (wanted.sentences, wanted.keeping) == ([], [])
        assert {wanted.keeps(row) for row in best(store, study=name)} == {None}
    filled(store, [], "two", objectives=TWO, constraints=ACCURATE)
    wants, nothing = study_objectives(store, "two").sentences
    assert "validation_accuracy as high and macs as low as possible" in wants
    assert "No architecture is completely trained yet" in nothing


# What the commands and the report print


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A store with a study of two objectives, in which nothing keeps a bound, and a plain one."""
    path = str(tmp_path / "s.db")
    with open_store(path, create=True) as store:
        filled(store, [(0, 0.8, 1.0), (1, 0.7, 1.0)], objectives=TWO, constraints=ACCURATE)
        filled(store, [(2, 0.8, 1.0)], "plain", objectives=ONE, constraints={})
    return path


NONE_KEEPS = "None of 2 completely trained architectures keeps the study's constraints"


def printed(capsys: pytest.CaptureFixture[str], *command: str) -> tuple[str, str]:
    assert run_program(list(command)) == 0
    return capsys.readouterr()


def test_best_marks_and_counts(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = printed(capsys, "best", "--store", path, "--study", "s")
    assert out.count("broken") == 2
    assert f"{NONE_KEEPS} (validation_accuracy at least 0.9)" in err
    rows = json.loads(printed(capsys, "best", "--store", path, "--study", "s", "--json")[0])
    assert [row["keeps_constraints"] for row in rows] == [False, False]
    out, err = printed(capsys, "best", "--store", path, "--study", "plain")
    assert "bounds" not in out
    assert "constraints" not in err


def test_studies_mark_their_best(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = printed(capsys, "studies", "--store", path)
    assert out.count("80.00%*") == 1
    assert err.startswith("* s: The study wants")
    assert NONE_KEEPS in err
    assert "plain" not in err
    plain, bounded = json.loads(printed(capsys, "studies", "--store", path, "--json")[0])
    assert (plain["keeping_constraints"], bounded["keeping_constraints"]) == (None, [])
    assert bounded["constraints"] == {"validation_accuracy": "at least 0.9"}


def test_show_says_what_is_broken(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = printed(capsys, "show", architecture(0).id, "--store", path)
    assert "Study s wants validation_accuracy at least 0.9: this is broken." in " ".join(
        out.split()
    )
    out, _ = printed(capsys, "show", architecture(2).id, "--store", path)
    assert "wants" not in out


def test_an_empty_front_names_the_constraint(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("best", "--store", path, "--study", "s", "--pareto")
    for more in ((), ("--json",)):
        _, err = printed(capsys, *command, *more)
        assert "keeps the study's constraints (validation_accuracy at least 0.9)" in err


@pytest.mark.parametrize("option", [("--sort", "params"), ("--top", "3"), ("--top", "10")])
def test_the_front_takes_no_order_and_no_cut(
    path: str, capsys: pytest.CaptureFixture[str], option: tuple[str, str]
) -> None:
    command = ["best", "--store", path, "--study", "s", "--pareto", *option]
    assert run_program(command) == 2
    assert f"{option[0]}: does not go with --pareto" in capsys.readouterr().err


def report(path: str, study: str) -> tuple[str, dict[str, Any]]:
    output = io.StringIO()
    with open_store(path, create=False) as store:
        stand = Progress(store.studies.summaries()[0].counts, 3, None, None)
        outcome = RunOutcome(study, ExitCode.DONE, stand)
        commands = NextCommands("s.yaml", study, path)
        print_report(Console(file=output, width=160), store, outcome, commands)
        return output.getvalue(), as_json(store, outcome)


def test_the_report_marks_what_breaks_the_bounds(path: str) -> None:
    text, plain = report(path, "s")
    assert "broken" in text
    assert NONE_KEEPS in text
    assert "keeps the study's constraints (validation_accuracy at least 0.9)" in text
    assert [row["keeps_constraints"] for row in plain["best"]] == [False, False]
    assert (plain["keeping_constraints"], plain["pareto_objectives"]) == ([], [])
    text, plain = report(path, "plain")
    for word in ("broken", "bounds", "constraints", "validation_accuracy"):
        assert word not in text
    assert plain["keeping_constraints"] is None


def test_the_report_prints_the_front_over_the_own_objectives(path: str) -> None:
    objectives = {"validation_accuracy": "maximise", "inference_bytes": "minimise"}
    results: list[Result] = [(number, 0.5 + number / 100, 1.0) for number in range(6)]
    with open_store(path, create=False) as store:
        filled(store, results, "memory", objectives=objectives, constraints={})
        wanted = [
            row.architecture_id for row in front(store, "memory", read_objectives(objectives, {}))
        ]
    text, plain = report(path, "memory")
    table = text.split("Pareto front of validation_accuracy, inference_bytes")[1]
    assert all(id_ in table for id_ in wanted)
    assert [row["architecture_id"] for row in plain["pareto_objectives"]] == wanted


# Bounds that cannot be


@pytest.mark.parametrize(
    ("bound", "side"),
    [({"at_least": 90}, "at_least"), ({"at_most": -0.1}, "at_most")],
)
def test_bounds_that_no_accuracy_could_meet_are_refused(bound: object, side: str) -> None:
    with pytest.raises(InputError) as error:
        read_objectives(ONE, {"validation_accuracy": bound})
    (problem,) = error.value.problems
    assert problem.where == f"constraints.validation_accuracy.{side}"
    assert "must be 0 to 1" in problem.message
    for kept in ({"at_least": 0, "at_most": 1}, {"at_most": 0.5}):
        assert read_objectives(ONE, {"validation_accuracy": kept}).constraints


def test_a_stored_study_with_such_a_bound_can_still_be_read(store: Store) -> None:
    bound = {"validation_accuracy": {"at_least": 90}}
    filled(store, [(0, 0.9, 1.0)], objectives=ONE, constraints=bound)
    assert marks(store) == [(architecture(0).id, False)]
    assert best(store)[0].state is TrialState.COMPLETE


def test_the_method_is_said_with_its_options_and_each_name_once(tmp_path: Path) -> None:
    searcher = {"name": "surrogate", "startup": 18, "other": None}
    with open_store(str(tmp_path / "s.db"), create=True) as store:
        config = {"searcher": searcher, "scheduler": {"name": "asha", "grace_epochs": 2}}
        study = add_study(store, "s", config=config)
        said = method_sentence(study)
    assert said == (
        f"Searcher: {study.searcher} (startup 18, other null). "
        f"Scheduler: {study.scheduler} (grace_epochs 2)."
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("validation_accuracy", 0.91234, "91.23%"),
        ("validation_loss", 0.43211, "0.4321"),
        ("macs", 3_740_000_000.0, "3.74G"),
        ("training_bytes", 12_349.6, "12.3k"),
        ("latency", 4.8249, "4.82 ms"),
    ],
)
def test_a_metric_is_written_as_it_is_read(name: str, value: float, words: str) -> None:
    assert metric_words(name, value) == words


BOUND = "the study's constraints (validation_accuracy at least 0.9)"


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [
        ([], f"No architecture is completely trained yet: nothing keeps {BOUND} so far."),
        ([0.8], f"None of 1 completely trained architecture keeps {BOUND}."),
        ([0.8, 0.7], f"None of 2 completely trained architectures keeps {BOUND}."),
        ([0.9], f"1 of 1 completely trained architecture keeps {BOUND}: [0]."),
        ([0.8, 0.95], f"1 of 2 completely trained architectures keeps {BOUND}: [1]."),
        ([0.95, 0.8, 0.9], f"2 of 3 completely trained architectures keep {BOUND}: [0], [2]."),
    ],
)
def test_what_keeps_is_said_word_by_word(store: Store, accuracies: list[float], said: str) -> None:
    results: list[Result] = [(number, each, 1.0) for number, each in enumerate(accuracies)]
    filled(store, results, objectives=ONE, constraints=ACCURATE)
    for number in range(len(accuracies)):
        said = said.replace(f"[{number}]", architecture(number).id)
    assert study_objectives(store, "s").sentences == [said]


def test_where_latencies_come_from_is_said_word_by_word() -> None:
    def measured(*disturbed: bool) -> list[Any]:
        return [SimpleNamespace(disturbed=each) for each in disturbed]

    spec = {"batch": 1, "precision": "float32", "runtime": "eager"}
    plan: dict[str, Any] = {"spec": spec, "device": {"name": "a chip"}, "line": {"error": None}}
    begin = "Latencies are medians measured on a chip (batch 1, float32, eager"
    assert latency_sentence(None, []) is None
    assert latency_sentence(plan, measured(False)) == f"{begin})."
    assert latency_sentence(plan, measured(True, False, True)) == (
        f"{begin}), 2 of 3 while the machine was not quiet."
    )
    plan["spec"] = spec | {"threads": 4}
    plan["line"] = {"error": {"median": 0.0123, "largest": 0.25, "n": 1}}
    assert latency_sentence(plan, []) == (
        f"{begin}, threads 4); the search went by predictions, off by 1.2% in the median and 25.0% "
        "at most on 1 held-out network."
    )

"""Which epoch judges a trial: one rule, wherever it is asked for. Nothing here starts Ray."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.table.read import Training
from search import optimize
from search.cli.leaderboard_tables import PRUNED, leaderboards
from search.config import Config
from search.driver.attempt import Attempt
from search.driver.extra_trials import ranked_trials
from search.driver.replay import networks_of, study_of_history
from search.driver.study_setup import task_of
from search.objectives import JudgedBy, judged_accuracy, judged_by, judged_values
from search.query import best, evaluated, optimism
from search.query.evaluated import evaluated_trials
from search.schedulers import NoScheduler
from search.searchers import Observation
from search.store import TrialState, open_store
from search.study import Study
from space.errors import InputError
from tests.search.driving import begin, epoch, run_all, train
from tests.search.small import config, values
from tests.support.samples import architecture
from tests.trainers.proofs import proves
from trainers import Protocol
from trainers.legacy_defaults import LEGACY_DEFAULTS

CURVES = {"early": [0.9, 0.2], "late": [0.3, 0.8]}
"""Accuracies by epoch: one is best by its best epoch, the other by its last."""

EXPECTED: dict[JudgedBy, list[float]] = {"last": [0.8, 0.2], "best": [0.9, 0.8]}


def test_a_stored_protocol_without_the_field_is_judged_by_the_best_epoch() -> None:
    assert judged_by({}) == LEGACY_DEFAULTS["judged_by"] == "best"
    assert judged_by(Protocol().to_dict()) == "last"
    assert judged_by(Protocol(judged_by="best").to_dict()) == "best"


FINITE = st.floats(0, 1)


@given(st.lists(st.tuples(FINITE, FINITE), max_size=6))
def test_the_last_epoch_or_of_every_metric_the_best(curve: list[tuple[float, float]]) -> None:
    names = ("validation_accuracy", "validation_loss")
    metrics = {i: dict(zip(names, each, strict=True)) for i, each in enumerate(curve, 1)}
    if not curve:
        assert judged_values(metrics, "last") == judged_values(metrics, "best") == {}
        return
    accuracies, losses = zip(*curve, strict=True)
    assert judged_values(metrics, "last") == metrics[len(curve)]
    best_of = judged_values(metrics, "best")
    assert best_of == {"validation_accuracy": max(accuracies), "validation_loss": min(losses)}
    assert judged_accuracy(accuracies, "last") == accuracies[-1]
    assert judged_accuracy(accuracies, "best") == max(accuracies)
    for missing in (None, math.nan):
        assert judged_accuracy([*accuracies, missing], "last") is None
        assert judged_accuracy([*accuracies, missing], "best") == max(accuracies)


def test_an_epoch_without_a_metric_judges_by_none() -> None:
    curve = {1: {"validation_accuracy": 0.5}, 2: {"macs": 1.0}}
    assert judged_values(curve, "last") == {"macs": 1.0}
    assert judged_values(curve, "best") == {"validation_accuracy": 0.5, "macs": 1.0}


@proves("judged_by")
@pytest.mark.parametrize("rule", EXPECTED)
def test_a_study_is_judged_by_its_rule_wherever_it_is_asked(rule: JudgedBy, tmp_path: Path) -> None:
    """Store, leaderboard, front, order of the best, comparison with random points."""
    protocol = values()["protocol"] | {"judged_by": rule}
    settings = config(tmp_path, trials=2, protocol=protocol)
    expected = EXPECTED[rule]
    with open_store(settings.store, create=True) as store:
        session = begin(store, settings)
        for curve in CURVES.values():
            assignment = session.next_assignment()
            assert assignment is not None
            train(session, assignment, curve)
        study = store.studies.get(settings.study)
        trials = store.trials.of_study(study.id)
        assert sorted((t.accuracy for t in trials), reverse=True) == expected  # type: ignore[type-var]
        assert [t.best_accuracy for t in trials] == [0.9, 0.8]
        assert [t.last_accuracy for t in trials] == [0.2, 0.8]
        rows = best(store)
        assert [row.accuracy for row in rows] == expected
        assert {row.judged_by for row in rows} == {rule}
        assert (optimism(rows) is not None) is (rule == "best")
        assert store.studies.summary(study.id).best_accuracy == expected[0]
        found = evaluated(store, settings.study, ["validation_accuracy"])
        assert [row.values["validation_accuracy"] for row in found] == expected
        task, history = task_of(settings), store.studies.history(study.id)
        told_study = study_of_history(history, networks_of(history), task, rule)
        order = ranked_trials(told_study)
        ranked = [told_study.values(trial)["validation_accuracy"] for trial in order]
        assert ranked == expected
        told = [
            v or {} for _, v in evaluated_trials(store, settings.study, settings.parsed_objectives)
        ]
        assert sorted((v["validation_accuracy"] for v in told), reverse=True) == expected
        assert session.progress().optimistic is (rule == "best")


@pytest.mark.parametrize("rule", EXPECTED)
def test_losses_follow_the_rule_too(rule: JudgedBy, tmp_path: Path) -> None:
    protocol = values()["protocol"] | {"judged_by": rule}
    settings = config(
        tmp_path, trials=1, protocol=protocol, objectives={"validation_loss": "minimise"}
    )
    with open_store(settings.store, create=True) as store:
        session = begin(store, settings)
        assignment = session.next_assignment()
        assert assignment is not None
        train(session, assignment, [0.5, 0.5])
        first, second = store.trials.of_study(store.studies.get(settings.study).id)[0], [0.4, 0.7]
        for number, loss in enumerate(second, 1):
            record = store.epochs.of_trial(first.id)[number - 1]
            _rewrite(store, first.id, record.epoch, loss)
        (row,) = evaluated(store, settings.study, ["validation_loss"])
        assert row.values["validation_loss"] == (0.7 if rule == "last" else 0.4)
        ((_, metrics),) = evaluated_trials(store, settings.study, settings.parsed_objectives)
        assert metrics is not None
        assert metrics["validation_loss"] == row.values["validation_loss"]


def _rewrite(store: Any, trial: int, number: int, loss: float) -> None:
    from sqlalchemy import update

    from search.store.models import MetricRow

    of_it = (MetricRow.trial_id == trial, MetricRow.epoch == number)
    store.write(lambda db: db.execute(update(MetricRow).where(*of_it).values(validation_loss=loss)))


class Listening:
    """A searcher that remembers what it was told last."""

    def __init__(self) -> None:
        self.last = Observation(TrialState.RUNNING)

    def tell(self, point: object, observation: Observation) -> None:
        self.last = observation


@pytest.mark.parametrize("rule", EXPECTED)
def test_searchers_are_told_by_the_rule(rule: JudgedBy, tmp_path: Path) -> None:
    task = replace(task_of(config(tmp_path)), known=lambda point: {"macs": 5.0})
    searcher = Listening()
    scheduler = NoScheduler(task.objectives, task.fidelities)
    study = Study(task, [searcher], scheduler, rule)  # type: ignore[list-item]
    study.add(architecture(0))
    for number, accuracy in enumerate([0.9, 0.2], 1):
        study.report(0, number, epoch(number, accuracy))
    study.forget(0, 1)
    assert searcher.last.values["validation_accuracy"] == 0.9
    study.report(0, 2, epoch(2, 0.2))
    study.tell(0, TrialState.COMPLETE)
    assert searcher.last.values["validation_accuracy"] == (0.2 if rule == "last" else 0.9)
    assert searcher.last.values["macs"] == 5.0


class Line:
    """The numbers 0 to 9."""

    def sample(self, rng: Any) -> int:
        return int(rng.integers(10))

    def neighbours(self, point: int) -> list[int]:
        return [p for p in (point - 1, point + 1) if 0 <= p < 10]

    def key(self, point: int) -> int:
        return point

    def encode(self, point: int) -> list[float]:
        return [float(point)]


@pytest.mark.parametrize(("rule", "accuracy"), [("last", 0.25), ("best", 0.75)])
def test_an_attempt_that_ended_while_the_store_is_away_is_judged_by_the_rule(
    rule: JudgedBy, accuracy: float, tmp_path: Path
) -> None:
    settings = config(tmp_path, trials=1)
    with open_store(settings.store, create=True) as store:
        session = begin(store, settings)
        run_all(session)
        (record,) = store.trials.of_study(session.record.id)
    curve = {1: {"validation_accuracy": 0.75}, 2: {"validation_accuracy": 0.25}}
    trial: Any = SimpleNamespace(curve=curve)
    ended = Attempt(record, trial).ended(TrialState.COMPLETE, rule)
    assert (ended.accuracy, ended.last_accuracy, ended.last_epoch) == (accuracy, 0.25, 2)


def test_optimize_judges_by_the_last_fidelity_as_a_protocol_does() -> None:
    def curve(point: int) -> Any:
        yield from (0.9 - point / 100, point / 10)

    found = optimize(Line(), curve, "random", budget=5, fidelities=2)
    assert Protocol().judged_by == "last"
    assert all(each.values["objective"] == each.point / 10 for each in found.evaluations)
    assert found.best is not None
    assert found.best.point == max(each.point for each in found.evaluations)


def test_the_benchmarks_judge_by_the_rule_of_their_table() -> None:
    curve = (0.5, 0.9, 0.7)
    for rule, accuracy in {"last": 0.7, "best": 0.9}.items():
        found = Training(curve, curve, curve, "cpu", None, rule)  # type: ignore[arg-type]
        assert found.accuracy == accuracy
    assert Training((), (), (), "cpu", None).accuracy == 0
    assert Training(curve, curve, curve, "cpu", "broke").accuracy == 0


def test_what_was_pruned_never_stands_among_the_complete(tmp_path: Path) -> None:
    """Not even where it is the most accurate, or the only trial of its architecture."""
    settings = config(tmp_path, trials=3)
    with open_store(settings.store, create=True) as store:
        session = begin(store, settings)
        ids = []
        for curve in ([0.3, 0.4], [0.95], [0.5, 0.6]):
            assignment = session.next_assignment()
            assert assignment is not None
            ids.append(assignment.architecture.id)
            if len(curve) == 2:
                train(session, assignment, curve)
                continue
            session.started(assignment.trial.number)
            trial = store.trials.of_study(session.record.id)[-1]
            _prune(store, trial.id)
        rows = best(store)
        assert [row.architecture_id for row in rows] == [ids[2], ids[0], ids[1]]
        assert [row.is_complete for row in rows] == [True, True, False]
        tables = leaderboards(rows, "Best")
        assert [table.title for table in tables] == ["Best", PRUNED]
        assert store.studies.summary(session.record.id).best_accuracy == 0.6
        assert math.isclose(best(store, where="state = pruned")[0].accuracy or 0, 0.95)


def _prune(store: Any, trial: int) -> None:
    from tests.support.samples import epoch as epoch_record

    store.epochs.record(trial, epoch_record(1, 0.95))
    store.trials.finish(trial, "pruned", "rung")


def test_optimize_judges_by_the_best_fidelity_on_request() -> None:
    """Also metrics of other names, by what is wanted of them; the last may lack some."""

    def curve(point: int) -> Any:
        yield {"gain": 1.0, "loss": point / 10, "other": 1.0, "delay": 1.0}
        yield {"gain": float(point), "loss": 1.0, "other": 2.0, "delay": 0.5}
        yield {"gain": -1.0, "other": 3.0, "delay": 2.0}

    found = optimize(
        Line(),
        curve,
        "random",
        budget=5,
        fidelities=3,
        objectives={"gain": "maximise", "loss": "minimise"},
        constraints={"delay": 1.5},
        judged_by="best",
    )
    assert found.counts[TrialState.COMPLETE] == 5
    for each in found.evaluations:
        expected = {"gain": max(1.0, each.point), "loss": min(1.0, each.point / 10)}
        assert each.values == expected | {"other": 3.0, "delay": 0.5}


@pytest.mark.parametrize("name", ["validation_accuracy", "validation_loss"])
@pytest.mark.parametrize(("direction", "end"), [("maximise", 0.9), ("minimise", 0.1)])
def test_what_a_person_wants_of_a_measured_metric_is_heard(
    name: str, direction: str, end: float
) -> None:
    def curve(point: int) -> Any:
        yield from ({name: value} for value in (0.1, 0.9, 0.5))

    found = optimize(
        Line(),
        curve,
        "random",
        budget=1,
        fidelities=3,
        objectives={name: direction},
        judged_by="best",
    )
    assert [each.values for each in found.evaluations] == [{name: end}]


@pytest.mark.parametrize(
    ("name", "wanted", "kept"),
    [
        ("validation_loss", "maximise", "minimise"),
        ("validation_accuracy", "minimise", "maximise"),
    ],
)
def test_an_objective_of_which_the_store_keeps_the_other_end_is_refused(
    name: str, wanted: str, kept: str
) -> None:
    for rule, direction, refused in (
        ("last", wanted, False),
        ("best", kept, False),
        ("best", wanted, True),
    ):
        protocol = values()["protocol"] | {"judged_by": rule}
        written = values(protocol=protocol, objectives={name: direction})
        if not refused:
            assert Config.from_dict(written).objectives == {name: direction}
            continue
        with pytest.raises(InputError) as error:
            Config.from_dict(written)
        assert str(error.value) == (
            f"objectives.{name}: must be '{kept}', by which the store finds the best epoch, "
            f"or protocol.judged_by must be last; got '{wanted}'"
        )


@pytest.mark.parametrize(("rule", "state"), [("last", "failed"), ("best", "complete")])
def test_a_metric_that_the_last_fidelity_lacks(rule: JudgedBy, state: str) -> None:
    """Also one of which no end is better, as it is bound on both sides."""

    def curve(point: int) -> Any:
        yield {"gain": 0.5, "within": 1.0}
        yield {"gain": 0.6, "within": 2.0}
        yield {"gain": 0.4}

    found = optimize(
        Line(),
        curve,
        "random",
        budget=2,
        fidelities=3,
        objectives={"gain": "maximise"},
        constraints={"within": {"at_least": 1, "at_most": 3}},
        judged_by=rule,
    )
    assert {each.state for each in found.evaluations} == {state}
    for each in found.evaluations:
        assert each.values == ({"gain": 0.6, "within": 2.0} if rule == "best" else {})

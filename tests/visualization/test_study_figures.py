"""Figures of a study hold what the queries give: fronts, histories, curves, the graph."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from search.objective_parsing import stored_objectives
from search.query import (
    BestRow,
    best,
    evaluated,
    front,
    hypervolume_course,
    operator_records,
    study_course,
    trial_summaries,
)
from search.store import Store, TrialState, open_store
from search.visualization.figure_words import NothingToDraw
from search.visualization.study_figures import (
    plot_axis_importances,
    plot_hypervolume_history,
    plot_learning_curves,
    plot_optimization_history,
    plot_pareto_front,
    plot_relation_graph,
)
from space.errors import InputError
from space.relation_graph import EDGES, NODES
from tests.dashboard import stores
from tests.support import samples

STUDY = "quickstart"
FIGURES: dict[str, Callable[..., go.Figure]] = {
    "front": plot_pareto_front,
    "history": plot_optimization_history,
    "curves": plot_learning_curves,
    "importances": plot_axis_importances,
}


def traces(made: go.Figure) -> dict[str, Any]:
    return {trace.name: trace for trace in made.data}


def ids(*drawn: Any) -> set[str]:
    return {custom[0] for trace in drawn for custom in trace.customdata or ()}


def beaten(row: BestRow, other: BestRow, cost: str) -> bool:
    """Whether the other is as good in both and better in one."""
    mine = (-getattr(row, cost), row.accuracy or 0.0)
    theirs = (-getattr(other, cost), other.accuracy or 0.0)
    return all(b >= a for a, b in zip(mine, theirs, strict=True)) and mine != theirs


# The front


@pytest.mark.parametrize("cost", ["params", "macs"])
def test_the_front_is_of_complete_results_that_none_beats(finished: Store, cost: str) -> None:
    rows = best(finished, study=STUDY, top=None)
    whole = [row for row in rows if row.is_complete]
    kept = {
        row.architecture_id for row in whole if not any(beaten(row, other, cost) for other in whole)
    }
    made = plot_pareto_front(finished, STUDY, across=cost)
    found = traces(made)
    assert ids(found["on the front"]) == kept
    assert ids(*made.data) == {row.architecture_id for row in whole}
    assert f"{len(whole)} completely trained architectures" in made.layout.title.subtitle.text
    beside = traces(plot_pareto_front(finished, STUDY, across=cost, pruned=True))
    apart = beside["stopped early: does not compare"]
    assert ids(apart) == {row.architecture_id for row in rows if not row.is_complete}
    assert apart.marker.symbol != beside["on the front"].marker.symbol
    assert ids(beside["on the front"]) == kept
    for place, custom in zip(apart.x, apart.customdata, strict=True):
        (row,) = [row for row in rows if row.architecture_id == custom[0]]
        assert place == getattr(row, cost)


def test_a_clause_narrows_the_front(finished: Store) -> None:
    made = plot_pareto_front(finished, STUDY, where="params < 60k")
    rows = best(finished, study=STUDY, where="params < 60k and state = complete", top=None)
    assert ids(*made.data) == {row.architecture_id for row in rows}


@pytest.mark.parametrize(
    ("study", "asked", "named"),
    [
        ("two", {}, ("macs", "accuracy")),
        ("two", {"across": "accuracy"}, ("accuracy", "macs")),
        ("three", {"across": "training_bytes", "up": "flops"}, ("training_bytes", "macs")),
    ],
)
def test_the_front_of_several_objectives_is_the_studys(
    objectives: Store, study: str, asked: dict[str, str], named: tuple[str, str]
) -> None:
    wanted = stored_objectives(objectives.studies.get(study).objective)
    made = plot_pareto_front(objectives, study, **asked)
    found = traces(made)["on the front" if study == "two" else "Pareto front"]
    rows = {row.architecture_id: row for row in front(objectives, study, wanted)}
    assert ids(found) == set(rows)
    across, up = (name.replace("accuracy", "validation_accuracy") for name in named)
    for x, y, custom in zip(found.x, found.y, found.customdata, strict=True):
        values = rows[custom[0]].values
        assert (x, y) == (values[across], values[up])


@pytest.mark.parametrize(
    ("objective", "axes"),
    [
        ({"params": "minimise"}, ("params", "validation_accuracy")),
        ({"validation_loss": "minimise"}, ("params", "validation_loss")),
    ],
)
def test_another_single_objective_has_a_front_too(
    objective: dict[str, str], axes: tuple[str, str], tmp_path: Path
) -> None:
    with open_store(str(tmp_path / "a.db"), create=True) as store:
        study = samples.add_study(store, "s", objective={"objectives": objective})
        run = samples.begin_run(store, study.id)
        for number in range(6):
            samples.complete_trial(store, study.id, run.id, number, 0.5 + number / 10)
        rows = evaluated(store, "s", axes)
        found = traces(plot_pareto_front(store, "s"))["on the front"]
    across, up = axes
    sign = 1 if up == "validation_accuracy" else -1
    kept = {
        (row.values[across], row.values[up])
        for row in rows
        if not any(
            other.values[across] <= row.values[across]
            and sign * other.values[up] >= sign * row.values[up]
            and other.values != row.values
            for other in rows
        )
    }
    assert set(zip(found.x, found.y, strict=True)) == kept


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"across": "watts"}, "across: 'watts' is not allowed; one of params, macs"),
        ({"up": "params"}, "up: 'params' is not allowed; one of validation_accuracy"),
        ({"across": "training_bytes", "pruned": True}, "pruned: trials that were stopped early"),
        ({"where": "params <"}, "where: expected a number"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    finished: Store, asked: dict[str, Any], where: str
) -> None:
    with pytest.raises(InputError) as refused:
        plot_pareto_front(finished, STUDY, **asked)
    assert str(refused.value).startswith(where)


def test_no_metric_runs_both_ways(objectives: Store) -> None:
    with pytest.raises(InputError, match="up: 'macs' runs across already"):
        plot_pareto_front(objectives, "three", across="macs", up="flops")


# The history


def test_the_history_has_every_evaluation_and_the_best_so_far(finished: Store) -> None:
    made = plot_optimization_history(finished, STUDY)
    found = traces(made)
    trials = trial_summaries(finished, study=STUDY)
    for state in (TrialState.COMPLETE, TrialState.PRUNED):
        drawn = dict(zip(found[state].x, found[state].y, strict=True))
        assert drawn == {row.number: row.accuracy for row in trials if row.state is state}
    best_yet, expected = 0.0, []
    for row in sorted(trials, key=lambda row: row.number):
        if row.state is TrialState.COMPLETE and (row.accuracy or 0.0) > best_yet:
            best_yet = row.accuracy or 0.0
            expected.append((row.number, best_yet))
    line = found["best so far, of complete trials"]
    assert list(zip(line.x, line.y, strict=True))[:-1] == expected
    assert line.line.shape == "hv"
    assert made.layout.xaxis.title.text == "trial"
    assert "validation accuracy" in made.layout.yaxis.title.text


def test_random_points_stand_apart_with_a_band(tmp_path: Path) -> None:
    path = tmp_path / "baseline.db"
    with open_store(str(path), create=True) as store:
        study = stores.add_study(store, "s", 60)
        run = stores.begin_run(store, study.id)
        for number, (_, point) in enumerate(stores.points(30)):
            origin = "random baseline" if number % 2 else "tpe"
            trial = stores.add_trial(store, study.id, run.id, origin, point)
            stores.train(store, trial, run.id, point, 1)
            store.trials.finish(trial, "complete")
        found = traces(plot_optimization_history(store, "s"))
        course = study_course(store, "s")
    assert len(found["random baseline, complete"].x) == 15
    assert list(found["complete"].x) == list(range(0, 30, 2))
    assert found["random baseline, complete"].marker.symbol != found["complete"].marker.symbol
    assert course.random is not None
    assert list(found["its median"].y) == list(course.random.median)
    band = found["random search at as many evaluations, 95 %"]
    assert list(band.x) == [*range(0, 30, 2), *range(28, -1, -2)]
    assert list(band.y) == [*course.random.better, *reversed(course.random.worse)]
    assert set(found["best so far, of complete trials"].y) <= set(found["complete"].y)


# Curves and the graph


def test_curves_are_of_the_best_or_the_chosen_trials(finished: Store) -> None:
    order = [row for row in trial_summaries(finished, study=STUDY, order="best") if row.epochs_done]
    made = plot_learning_curves(finished, STUDY, top=3, measure="validation loss")
    for row, line in zip(order, made.data[:3], strict=False):
        epochs = finished.epochs.of_trials([row.id])[row.id]
        assert list(line.y) == [epoch.validation_loss for epoch in epochs]
        assert line.name.startswith(f"#{row.number} ")
    assert len(made.data) == 3
    assert len({line.marker.symbol for line in made.data}) == 3
    (pruned,) = plot_learning_curves(finished, STUDY, trials=[2]).data
    assert pruned.line.dash == "dot"
    for asked, said in (
        ({"trials": [999]}, "trials: 999 has no epoch"),
        ({"measure": "speed"}, "measure: 'speed' is not allowed; one of accuracy"),
        ({"top": 0}, "top: 0 is not allowed; must be 1 to 50"),
    ):
        with pytest.raises(InputError, match=said):
            plot_learning_curves(finished, STUDY, **asked)  # type: ignore[arg-type]


def test_the_graph_has_the_studys_records_or_none(finished: Store) -> None:
    nodes = plot_relation_graph(finished, STUDY).data[-1]
    records = operator_records(finished, study=STUDY)
    assert [custom[0] for custom in nodes.customdata] == [
        records[name].best_architecture or "" for name in NODES
    ]
    bare = plot_relation_graph()
    assert list(bare.data[-1].text) == [f"<b>{name}</b>" for name in NODES]
    labels = [a.text.replace("<br>", " ") for a in bare.layout.annotations if a.text]
    assert sorted(labels) == sorted(edge.label for edge in EDGES)


# Little to draw


@pytest.mark.parametrize("kind", FIGURES)
def test_an_empty_store_has_no_such_study(kind: str, tmp_path: Path) -> None:
    stores.empty(tmp_path / "a.db")
    with (
        open_store(str(tmp_path / "a.db"), create=False) as store,
        pytest.raises(InputError, match="study: 'x' does not exist"),
    ):
        FIGURES[kind](store, "x")


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("failed", [0, 2])
def test_without_results_it_is_said_what_there_is(kind: str, failed: int, tmp_path: Path) -> None:
    with open_store(str(tmp_path / "a.db"), create=True) as store:
        study = samples.add_study(store, "s")
        run = samples.begin_run(store, study.id)
        for number in range(failed):
            trial = samples.add_trial(store, study.id, run.id, number)
            store.trials.start(trial.id, run.id)
            store.trials.finish(trial.id, "failed", "it broke")
        with pytest.raises(NothingToDraw) as said:
            FIGURES[kind](store, "s")
        assert str(said.value).startswith("study 's'")
        if kind != "importances":
            assert str(said.value).endswith("2 failed" if failed else "none")
        plot_relation_graph(store, "s")


def test_one_trial_is_drawn(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "a.db"), create=True) as store:
        study = samples.add_study(store, "s")
        run = samples.begin_run(store, study.id)
        done = samples.complete_trial(store, study.id, run.id, 0, 0.5)
        assert ids(*plot_pareto_front(store, "s").data) == {done.architecture_id}
        for kind in ("history", "curves"):
            made = FIGURES[kind](store, "s")
            assert [trace.y[0] for trace in made.data] == [0.5] * len(made.data)
        with pytest.raises(NothingToDraw, match=r"need 20 completely trained .* there is 1"):
            plot_axis_importances(store, "s")


def test_two_protocols_are_never_joined(tmp_path: Path) -> None:
    """A figure takes one study; the same architecture under another protocol is not in it."""
    with open_store(str(tmp_path / "a.db"), create=True) as store:
        for name, accuracy in (("a", 0.5), ("b", 0.9)):
            study = samples.add_study(store, name, protocol_hash=name * 16)
            run = samples.begin_run(store, study.id)
            samples.complete_trial(store, study.id, run.id, 0, accuracy)
        for name, accuracy in (("a", 0.5), ("b", 0.9)):
            points = traces(plot_pareto_front(store, name))["on the front"]
            assert list(points.y) == [accuracy]


# The hypervolume


@pytest.mark.parametrize("study", ["two", "three"])
def test_the_hypervolume_has_a_mark_where_the_front_moved(objectives: Store, study: str) -> None:
    course = hypervolume_course(objectives, study)
    assert course is not None
    made = plot_hypervolume_history(objectives, study)
    of_it = {trace.mode: trace for trace in made.data if trace.name == "the study"}
    marks, steps = of_it["markers"], of_it["lines"]
    assert list(zip(marks.x, marks.y, strict=True)) == [
        (point.evaluation, point.share) for point in course.searched
    ]
    assert steps.x[-1] == course.evaluations
    on_front = {row.architecture_id for row in front(objectives, study, course.objectives)}
    assert ids(marks) & on_front


def test_of_one_objective_there_is_no_hypervolume(finished: Store) -> None:
    with pytest.raises(InputError, match="has one objective, validation_accuracy"):
        plot_hypervolume_history(finished, STUDY)

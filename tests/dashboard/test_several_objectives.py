"""A study's own objectives: who is on the front, how it is drawn, what each page says of it."""

import statistics
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.queries import objectives_picture
from dashboard.scope import Scope
from dashboard.views.architecture_view import offered
from search.metrics import ANALYTIC_METRICS, METRICS
from search.objective_parsing import stored_objectives
from search.objectives import dominates, objectives_from
from search.query import Evaluated, best, front, front_of, hypervolume_course
from search.store import ParentRecord, Store, open_store
from search.visualization import objectives_figure as pictures
from search.visualization.frame import cost_axis, figure
from search.visualization.objectives_figure import ObjectivesPicture, objectives_figure
from search.visualization.theme import BREAKING_COLOUR, COST_TITLES, METRIC_NAMES
from space.wording import percent
from tests.dashboard import stores
from tests.dashboard.conftest import Open
from tests.dashboard.test_pages import texts
from tests.support import samples
from tests.support.bulk import add_many_trials

TWO, THREE = (stored_objectives(stores.OBJECTIVES[name]) for name in ("two", "three"))


@pytest.fixture
def goals_store(store_files: dict[str, Path]) -> Iterator[Store]:
    st.cache_data.clear()
    with open_store(str(store_files["objectives"]), create=False) as store:
        yield store


def scope_of(store: Store, study: str, where: str = "") -> Scope:
    return Scope(store, store.url, study, where)


# What is read


@pytest.mark.parametrize("study", ["two", "three"])
def test_every_complete_architecture_is_in_the_picture_once(goals_store: Store, study: str) -> None:
    objectives = stored_objectives(stores.OBJECTIVES[study])
    picture = objectives_picture(scope_of(goals_store, study), study, objectives)
    complete = best(goals_store, where="state = complete", study=study, top=None)
    ids = [row.architecture_id for row in picture.shown]
    assert sorted(ids) == sorted(row.architecture_id for row in complete)
    assert (picture.total, picture.without, picture.is_sample) == (len(ids), 0, False)
    assert picture.front == front_of(picture.shown, objectives)
    on_front = [row.architecture_id for row in front(goals_store, study, objectives)]
    assert [row.architecture_id for row in picture.front] == on_front
    broken = {row.architecture_id for row in complete if (row.accuracy or 0) < 0.85}
    wanted = broken if study == "two" else set()
    assert {row.architecture_id for row in picture.breaking} == wanted
    assert bool(wanted) == (study == "two")


def test_the_filter_narrows_the_picture(goals_store: Store) -> None:
    every = objectives_picture(scope_of(goals_store, "three"), "three", THREE)
    some = objectives_picture(scope_of(goals_store, "three", "flops < 1M"), "three", THREE)
    known = {row.architecture_id for row in every.shown if row.values["macs"] < 1e6}
    assert {row.architecture_id for row in some.shown} == known
    assert 0 < len(known) < every.total


def test_of_many_the_front_stays_whole(goals_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_POINTS", 3)
    picture = objectives_picture(scope_of(goals_store, "three"), "three", THREE)
    assert picture.is_sample
    assert len(picture.dominated) == 3
    ids = [row.architecture_id for row in picture.front]
    assert ids == [row.architecture_id for row in front(goals_store, "three", THREE)]
    assert len(ids) > 3


# What is drawn


def drawn_by_chance(directions: dict[str, str], seed: int) -> ObjectivesPicture:
    """Forty architectures with figures by chance, and a bound on the accuracy."""
    rng = np.random.default_rng(seed)
    objectives = objectives_from(directions, {"validation_accuracy": {"at_least": 0.4}})
    rows = [
        Evaluated(
            f"{number:016x}",
            "ViT",
            {
                "validation_accuracy": rng.uniform(0.3, 0.9),
                "validation_loss": rng.uniform(0.3, 0.9),
                "macs": 10.0 ** rng.uniform(5, 7),
            },
            1 + number % 2,
            "p",
        )
        for number in range(40)
    ]
    chosen = front_of(rows, objectives)
    rest = [row for row in rows if row not in chosen]
    kept = [row for row in rest if objectives.keeps(row.values)]
    breaking = [row for row in rest if not objectives.keeps(row.values)]
    return ObjectivesPicture(objectives, chosen, kept, breaking, len(rows), 0)


@pytest.mark.parametrize("across", ["maximise", "minimise"])
@pytest.mark.parametrize("up", ["maximise", "minimise"])
@pytest.mark.parametrize("seed", range(3))
def test_steps_join_the_front_of_two(up: str, across: str, seed: int) -> None:
    """Each step gives up some of the one objective for more of the other; none is beaten."""
    picture = drawn_by_chance({"validation_accuracy": up, "macs": across}, seed)
    first, second = picture.objectives.objectives
    made = objectives_figure(picture, second, first)
    (line,) = [trace for trace in made.data if trace.mode == "lines"]
    assert line.line.shape == "hv"
    points = [
        (second.to_maximise({"macs": x}), first.to_maximise({"validation_accuracy": y}))
        for x, y in zip(line.x, line.y, strict=True)
    ]
    for before, after in pairwise(points[:-1]):
        assert after[0] < before[0]
        assert after[1] > before[1]
    assert points[-1] == (
        min(second.to_maximise(row.values) for row in picture.shown),
        points[-2][1],
    )
    feasible = [
        picture.objectives.vector(row.values) for row in (*picture.dominated, *picture.front)
    ]
    for one in points[:-1]:
        assert not any(dominates(other, one[::-1]) for other in feasible)


def test_what_breaks_a_constraint_is_open_and_grey_and_named() -> None:
    picture = drawn_by_chance({"validation_accuracy": "maximise", "macs": "minimise"}, 0)
    up, across = picture.objectives.objectives
    traces = {trace.name: trace for trace in objectives_figure(picture, across, up).data}
    assert list(traces) == ["breaks a constraint", "complete", "Pareto front", "on the front"]
    broken = traces["breaks a constraint"]
    assert (broken.marker.symbol, broken.marker.color) == ("circle-open", BREAKING_COLOUR)
    assert [custom[0] for custom in broken.customdata] == [
        row.architecture_id for row in picture.breaking
    ]
    assert broken.showlegend is not False
    ids = [
        custom[0]
        for name in ("breaks a constraint", "complete", "on the front")
        for custom in traces[name].customdata
    ]
    assert ids == [row.architecture_id for row in picture.shown]


def test_the_front_of_three_is_marked_and_not_joined() -> None:
    directions = {"validation_accuracy": "maximise", "macs": "minimise"}
    picture = drawn_by_chance(directions | {"validation_loss": "minimise"}, 1)
    up, across, _ = picture.objectives.objectives
    traces = objectives_figure(picture, across, up).data
    assert {trace.mode for trace in traces} == {"markers"}
    (marked,) = [trace for trace in traces if trace.name == "Pareto front"]
    assert marked.showlegend
    assert len(marked.x) == len(picture.front)
    row = picture.front[0]
    assert marked.customdata[0][2].count(" · ") == 2
    assert marked.customdata[0][3] == ("1 training" if row.repeats == 1 else "2 trainings")


def test_axes_say_which_way_is_better() -> None:
    directions = {"validation_accuracy": "maximise", "macs": "minimise"}
    picture = drawn_by_chance(directions | {"validation_loss": "minimise"}, 0)
    accuracy, macs, loss = picture.objectives.objectives
    made = objectives_figure(picture, macs, accuracy).layout
    assert made.yaxis.title.text == "validation accuracy, higher is better"
    assert made.yaxis.tickformat == ".0%"
    assert made.xaxis.title.text.endswith("lower is better")
    assert made.xaxis.type == "log"
    made = objectives_figure(picture, loss, macs).layout
    assert made.xaxis.title.text == "validation loss, lower is better"
    assert (made.xaxis.type, made.yaxis.type) == (None, "log")


def test_every_metric_has_a_name() -> None:
    assert set(METRIC_NAMES) == set(METRICS)
    assert set(COST_TITLES) == set(ANALYTIC_METRICS)


@pytest.mark.parametrize("values", [(34_000, 39_000), (87_800, 308_000), (1e6, 1e6), (20, 3e9)])
def test_ticks_of_costs_are_round_and_within(values: tuple[float, float]) -> None:
    made = figure(300)
    cost_axis(made, values, "costs")
    axis = made.layout.xaxis
    assert 3 <= len(axis.tickvals) <= 27
    low, high = axis.range
    assert all(low <= np.log10(tick) <= high for tick in axis.tickvals)
    assert len(set(axis.ticktext)) == len(axis.ticktext)
    assert all(len(str(round(tick)).rstrip("0")) <= 3 for tick in axis.tickvals)


# What the pages show

HEADING = "The study's own objectives"


def headings(test: AppTest) -> list[str]:
    return [heading.value for heading in test.subheader]


def test_the_front_stands_below_the_picture(opened: Open, store_files: dict[str, Path]) -> None:
    path = store_files["objectives"]
    with open_store(str(path), create=False) as store:
        wanted = front(store, "two", TWO)
    test = opened("accuracy_cost", path, study="two")
    assert not test.exception
    assert headings(test) == [HEADING]
    assert "5 of 16 architectures, within the study's constraints" in texts(test)
    table = test.dataframe[0].value
    assert list(table["accuracy ↑"]) == [row.values["validation_accuracy"] for row in wanted]
    assert list(table["FLOPs ↓"]) == [row.values["macs"] for row in wanted]
    assert list(table["seeds"]) == [row.repeats for row in wanted]
    for cell, row in zip(table["architecture"], wanted, strict=True):
        assert cell.startswith("/architecture?")
        assert f"architecture={row.architecture_id}" in cell
    assert not test.get("button_group")[1:]


def test_of_three_objectives_two_are_chosen(opened: Open, store_files: dict[str, Path]) -> None:
    test = opened("accuracy_cost", store_files["objectives"], study="three")
    assert "all 3 objectives" in texts(test)
    test.button_group(key="up").set_value("FLOPs").run()
    assert not test.exception
    assert test.button_group(key="across").options == ["accuracy", "training bytes"]
    assert len(test.dataframe[0].value.columns) == 6


def test_nothing_changes_where_accuracy_is_all(opened: Open, store_files: dict[str, Path]) -> None:
    assert headings(opened("accuracy_cost", store_files["finished"])) == []
    assert headings(opened("accuracy_cost", store_files["objectives"])) == []  # several studies


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("accuracy < 0.8", "No completely trained architecture matches the filter."),
        ("accuracy < 0.85", "None of 1 architecture keeps the study's constraints"),
    ],
)
def test_without_a_front_it_is_said(
    opened: Open, store_files: dict[str, Path], where: str, said: str
) -> None:
    test = opened("accuracy_cost", store_files["objectives"], study="two", where=where)
    assert not test.exception
    assert said in texts(test)
    assert not test.dataframe


def test_one_objective_other_than_accuracy_has_a_table_alone(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "loss.db"
    objective = {"objectives": {"validation_loss": "minimise"}}
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store, "loss", objective=objective)
        run = samples.begin_run(store, study.id)
        for number in range(3):
            samples.complete_trial(store, study.id, run.id, number, 0.5 + number / 10)
    test = opened("accuracy_cost", path)
    assert not test.exception
    assert headings(test) == [HEADING]
    assert list(test.dataframe[0].value["loss ↓"]) == [1.5] * 3
    assert len(test.get("plotly_chart")) == 1


@pytest.mark.parametrize("lost", [(0, 1), (0,)])
def test_a_missing_objective_is_named(opened: Open, tmp_path: Path, lost: tuple[int, ...]) -> None:
    """Trainings that never gave a finite loss, in all architectures or in some."""
    path = tmp_path / "lost.db"
    objectives = {"objectives": {"validation_accuracy": "maximise", "validation_loss": "minimise"}}
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store, "lost", objective=objectives)
        run = samples.begin_run(store, study.id)
        for number in range(2):
            trial = samples.add_trial(store, study.id, run.id, number)
            loss = None if number in lost else 0.5
            store.epochs.record(trial.id, samples.epoch(1, 0.5, validation_loss=loss))
            store.trials.finish(trial.id, "complete")
    test = opened("accuracy_cost", path, study="lost")
    assert not test.exception
    shown = texts(test)
    none = "2 architectures completely trained, none with all objectives."
    assert (none in shown) == (lost == (0, 1))
    assert ("There is no finite value for loss." in shown) == (lost == (0, 1))
    assert ("1 architecture without a value for loss left out." in shown) == (lost == (0,))
    assert "No completely trained architecture" not in shown


def test_networks_of_another_version_leave_the_rest_of_the_page(
    opened: Open, tmp_path: Path
) -> None:
    path = tmp_path / "other.db"
    with open_store(str(path), create=True) as store:
        add_many_trials(store, stores.add_study(store, "other", 9, stores.OBJECTIVES["two"]).id, 40)
    test = opened("accuracy_cost", path)
    assert not test.exception
    assert [error.value for error in test.error] == ["The study's own objectives cannot be shown"]
    assert len(test.get("plotly_chart")) == 1
    test = opened("progress", path)
    assert not test.exception
    assert [error.value for error in test.error] == ["The hypervolume cannot be shown"]
    assert "Last failures" in [each.value for each in test.subheader]


# The architecture's page beside the leaderboard


def test_the_box_has_the_leaderboards_order(goals_store: Store) -> None:
    names = offered(scope_of(goals_store, "two"))
    rows = best(goals_store, study="two", top=None)
    assert list(names)[: len(rows)] == [row.architecture_id for row in rows]
    assert len(names) == len(rows) + len(stores.FAILURES)
    assert [name.split(" · ")[0] for name in names.values()][-1] in ("failed", "infeasible")
    assert sum(" ± " in name for name in names.values()) == 2


@pytest.fixture
def headline(opened: Open, store_files: dict[str, Path]) -> Callable[..., AppTest]:
    def run(number: int, **query: str) -> AppTest:
        id_ = stores.points(number + 1)[number][1].id
        test = opened("architecture", store_files["objectives"], architecture=id_, **query)
        assert not test.exception
        return test

    return run


def test_the_page_shows_what_the_leaderboard_shows(
    headline: Callable[..., AppTest], goals_store: Store
) -> None:
    test = headline(0, study="two")
    (metric,) = [metric for metric in test.metric if metric.label == "Accuracy"]
    first, second, third = trained = [
        trial.best_accuracy or 0.0
        for trial in goals_store.trials.of_architecture(stores.points(1)[0][1].id)
        if trial.study_id == goals_store.studies.get("two").id
    ]
    assert metric.value == percent(statistics.mean(trained))
    assert metric.delta == f"± {percent(statistics.stdev(trained))} over 3 trainings"
    assert second > first > third
    said = f"The best single training reached {percent(second)} (trial 26 of two)."
    assert said in texts(test)
    box = test.selectbox(key=f"architecture-box-{stores.points(1)[0][1].id}")
    assert box.options[0].startswith(percent(best(goals_store, study="two")[0].accuracy))


def test_one_training_is_said_as_it_is(headline: Callable[..., AppTest]) -> None:
    test = headline(3, study="three")
    (metric,) = [metric for metric in test.metric if metric.label == "Accuracy"]
    assert metric.delta == ""
    assert metric.value.endswith("%")
    assert "best single training" not in texts(test)


def test_what_the_filter_leaves_out_stands_as_in_the_whole_store(
    headline: Callable[..., AppTest],
) -> None:
    (outside,) = [m for m in headline(0, where="params < 20k").metric if m.label == "Accuracy"]
    (whole,) = [m for m in headline(0).metric if m.label == "Accuracy"]
    assert (outside.value, outside.delta) == (whole.value, whole.delta)
    (failed,) = [m for m in headline(25).metric if m.label == "Accuracy"]
    assert failed.value == "–"


def test_a_better_training_with_inherited_weights_is_named(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "inherited.db"
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store, "s")
        run = samples.begin_run(store, study.id)
        for repeat, accuracy in enumerate((0.5, 0.7)):
            samples.complete_trial(store, study.id, run.id, 0, accuracy, repeat=repeat)
        parent = ParentRecord(samples.complete_trial(store, study.id, run.id, 1, 0.4).id, "along")
        samples.complete_trial(store, study.id, run.id, 0, 0.9, repeat=2, parent=parent)
    test = opened("architecture", path, architecture=samples.architecture(0).id)
    (metric,) = [metric for metric in test.metric if metric.label == "Accuracy"]
    assert (metric.value, metric.delta) == ("60.00%", "± 14.14% over 2 trainings")
    assert "reached 90.00% (trial 3 of s, with inherited weights)" in texts(test)


def test_live_progress_says_how_much_the_front_covers(
    opened: Open, store_files: dict[str, Path]
) -> None:
    with open_store(str(store_files["objectives"]), create=False) as store:
        course = hypervolume_course(store, "two")
    assert course is not None
    page = opened("progress", store_files["objectives"], study="two")
    assert not page.exception
    assert course.sentence in [caption.value for caption in page.caption]
    assert "Hypervolume of the front" in [each.value for each in page.subheader]
    filtered = opened("progress", store_files["objectives"], study="two", where="params > 1")
    assert "Hypervolume of the front" not in [each.value for each in filtered.subheader]


def test_live_progress_of_one_objective_has_no_hypervolume(
    opened: Open, store_files: dict[str, Path]
) -> None:
    page = opened("progress", store_files["finished"])
    assert "Hypervolume of the front" not in [each.value for each in page.subheader]

"""Figures of `mixspace.Study`, and what a cell of a notebook shows of it."""

from inspect import signature
from pathlib import Path
from xml.etree import ElementTree

import pytest

import mixspace
from search.query import best, pareto_front
from search.store import open_store
from search.visualization import network_figures, study_figures
from tests.dashboard import stores

visualization = mixspace.visualization


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> mixspace.Study:
    path = tmp_path_factory.mktemp("study") / "a.db"
    stores.finished(path, 40)
    return mixspace.Study("quickstart", path)


@pytest.mark.parametrize(
    "name", [name for name in visualization.__all__ if name.startswith("plot_")]
)
def test_every_figure_is_the_one_that_the_command_draws(name: str) -> None:
    mine = getattr(visualization, name)
    theirs = getattr(study_figures, name, None) or getattr(network_figures, name)
    own = [each for each in signature(mine).parameters.values() if each.name != "study"]
    others = signature(theirs).parameters.values()
    asked = [each for each in others if each.name not in ("store", "study")]
    assert [(p.name, p.default, p.kind) for p in own] == [
        (p.name, p.default, p.kind) for p in asked
    ]


@pytest.mark.thorough
def test_a_figure_of_a_study_is_that_of_its_store(study: mixspace.Study) -> None:
    with study.opened() as store:
        for name in (
            *("plot_pareto_front", "plot_optimization_history", "plot_learning_curves"),
            *("plot_axis_importances", "plot_relation_graph"),
        ):
            mine = getattr(visualization, name)(study)
            assert mine == getattr(study_figures, name)(store, "quickstart"), name
    assert visualization.plot_relation_graph() == study_figures.plot_relation_graph()
    narrow = {"where": "params < 60k", "across": "macs"}
    assert visualization.plot_pareto_front(study, **narrow) != visualization.plot_pareto_front(
        study
    )
    with pytest.raises(mixspace.MixspaceError, match="nothing to draw"):
        visualization.plot_pareto_front(study, where="params < 1")


def test_a_figure_is_written_from_python(study: mixspace.Study, tmp_path: Path) -> None:
    figure = visualization.plot_relation_graph()
    visualization.write(figure, str(tmp_path / "graph.HTML"))
    assert "Dynamic DW-S Conv." in (tmp_path / "graph.HTML").read_text()
    with pytest.raises(mixspace.InputError, match=r"path: 'a.pdf' has none of the endings"):
        visualization.write(figure, "a.pdf")


def test_a_cell_shows_progress_and_the_front(study: mixspace.Study) -> None:
    text = study._repr_html_()
    assert len(text) < 30_000
    shown = ElementTree.fromstring(text)
    (progress,) = shown.iter("progress")
    assert progress.attrib == {"value": "40", "max": "40"}
    with study.opened() as store:
        rows = best(store, study="quickstart", where="state = complete", top=None)
    circles = [dict(dot.attrib) for dot in shown.iter("{http://www.w3.org/2000/svg}circle")]
    filled = [dot for dot in circles if dot["fill"] != "none"]
    assert len(filled) == len(pareto_front(rows))
    assert len(circles) - len(filled) == len(rows)
    across = [float(dot["cx"]) for dot in filled]
    assert across == sorted(across)
    assert [float(dot["cy"]) for dot in filled] == sorted(
        (float(dot["cy"]) for dot in filled), reverse=True
    )


@pytest.mark.parametrize("trained", [0, 1])
def test_a_cell_of_a_study_with_little(trained: int, tmp_path: Path) -> None:
    name = "<b>h</b> & <img src=x> 'quoted'"
    with open_store(str(tmp_path / "a.db"), create=True) as store:
        study = stores.add_study(store, name, 5)
        run = stores.begin_run(store, study.id)
        for origin, point in stores.points(trained):
            trial = stores.add_trial(store, study.id, run.id, origin, point)
            stores.train(store, trial, run.id, point, 1)
            store.trials.finish(trial, "complete")
    shown = ElementTree.fromstring(mixspace.Study(name, tmp_path / "a.db")._repr_html_())
    assert (shown[0].text or "").startswith(f"Study({name!r}, ")
    assert len(list(shown.iter("{http://www.w3.org/2000/svg}svg"))) == trained
    assert not list(shown.iter("img")) + list(shown.iter("b"))

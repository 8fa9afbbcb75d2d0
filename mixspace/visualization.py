"""Figures of studies, networks and token mixers, in the manner of `optuna.visualization`.

    import mixspace

    study = mixspace.Study("quickstart")
    mixspace.visualization.plot_pareto_front(study).show()

Each function returns a `plotly.graph_objects.Figure`, to be shown in a notebook, changed, or
written by `write`. The dashboard and `python -m search plot` draw the same.
"""

import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from mixspace.arguments import SHARE, STUDY, refuse_wrong_types
from search.effects import MARGIN
from search.visualization import figure_file, study_figures
from search.visualization.curve_figures import Measure
from search.visualization.figure_file import NotDrawn
from search.visualization.figure_words import NothingToDraw
from search.visualization.network_figures import plot_architecture, plot_connectivity
from space.input.paths import given_path

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from mixspace.study import Study
    from search.store import Store

__all__ = [
    "Measure",
    "NotDrawn",
    "NothingToDraw",
    "plot_architecture",
    "plot_axis_importances",
    "plot_connectivity",
    "plot_hypervolume_history",
    "plot_learning_curves",
    "plot_optimization_history",
    "plot_pareto_front",
    "plot_relation_graph",
    "write",
]


def _opened(study: object) -> "Store":
    """The store of a study.

    Raises:
        InputError: it is no study.
    """
    refuse_wrong_types(study=(study, STUDY))
    found: Study = study  # type: ignore[assignment]
    return found.opened()


def plot_pareto_front(
    study: "Study",
    *,
    across: str | None = None,
    up: str | None = None,
    where: str | None = None,
    pruned: bool = False,
) -> "go.Figure":
    """The Pareto front over two metrics, with all complete architectures behind it.

    Args:
        study: whose results are drawn.
        across, up: the metrics of the axes. A study of one measured objective has it up, and any
            cost of the architecture across (params where nothing is said), one of a cost has that
            across and accuracy up; one of several has two of its own, the costs across. The front
            is that of all its objectives.
        where: only complete trials that fulfil this clause.
        pruned: whether what was stopped early stands beside, marked; of accuracy against params or
            MACs alone.

    Raises:
        InputError: no such metric or axis, or a malformed clause.
        NothingToDraw: there is no completely trained architecture.
    """
    with _opened(study) as store:
        return study_figures.plot_pareto_front(
            store, study.name, across=across, up=up, where=where, pruned=pruned
        )


def plot_optimization_history(study: "Study") -> "go.Figure":
    """The first objective against the trials, and the best so far.

    Where the study has a random baseline, a band says what random search comes to with as many
    evaluations: 95 % of what is drawn from the random points with replacement.

    Raises:
        NothingToDraw: no trial has a value.
    """
    with _opened(study) as store:
        return study_figures.plot_optimization_history(store, study.name)


def plot_hypervolume_history(study: "Study") -> "go.Figure":
    """How much the front of a study of several objectives covers, against its evaluations.

    A share of the box that reaches from a tenth of the range below the worst complete result up to
    the best value of each objective, costs by their logarithm. Random points stand apart.

    Raises:
        InputError: the study has a single objective.
        NothingToDraw: no trial of its searcher is complete.
    """
    with _opened(study) as store:
        return study_figures.plot_hypervolume_history(store, study.name)


def plot_learning_curves(
    study: "Study",
    *,
    measure: Measure = "accuracy",
    top: int = 10,
    trials: Collection[int] | None = None,
    where: str | None = None,
) -> "go.Figure":
    """What trials reported epoch by epoch; pruned ones are dotted, and behind all complete ones.

    Args:
        study: whose trials are drawn.
        measure: "accuracy", "validation loss" or "train loss".
        top: how many of the best trials, 1 to 50.
        trials: the numbers of others, in their stead.
        where: only trials that fulfil this clause.

    Raises:
        InputError: no such measure or trial, or a malformed clause.
        NothingToDraw: no trial has finished an epoch.
    """
    with _opened(study) as store:
        return study_figures.plot_learning_curves(
            store, study.name, measure=measure, top=top, trials=trials, where=where
        )


def plot_axis_importances(
    study: "Study", *, target: str | None = None, where: str | None = None
) -> "go.Figure":
    """How much each axis tells of which networks are the best (PED-ANOVA, Optuna's).

    Beside each bar a mark says what the axis comes to by chance, with the results dealt out anew.

    Args:
        study: whose complete results count.
        target: the metric by which they are the best; None is the study's first objective.
        where: only complete trials that fulfil this clause.

    Raises:
        InputError: no such metric, or a malformed clause.
        NothingToDraw: fewer than 20 completely trained architectures, or all of them alike.
    """
    with _opened(study) as store:
        return study_figures.plot_axis_importances(store, study.name, target=target, where=where)


def plot_relation_graph(
    study: "Study | None" = None, *, where: str | None = None, margin: float = MARGIN
) -> "go.Figure":
    """The paper's relation graph (Figure 1), with what a study found of operators and edges.

    Edges have the effects of `Study.effects`, in points with the interval, where two networks of
    the study differ by one of them.

    Args:
        study: whose results stand in the nodes and on the edges; None draws the graph alone.
        where: only trials that fulfil this clause.
        margin: a difference of accuracies (0 to 1) that matters to nobody.

    Raises:
        InputError: a malformed clause.
    """
    refuse_wrong_types(margin=(margin, SHARE))
    if study is None:
        return study_figures.plot_relation_graph()
    with _opened(study) as store:
        return study_figures.plot_relation_graph(store, study.name, where=where, margin=margin)


def write(figure: "go.Figure", path: str | os.PathLike[str]) -> None:
    """Write a figure as a page (.html) or as an image (.svg, .png).

    A page needs no network when it is opened. An image needs the extra `mixspace[plot]` and a
    Chrome or Chromium, which `BROWSER_PATH` may name; it is as wide as the figure says, else 900
    pixels, and of a PNG twice as many.

    Args:
        figure: to be written, of ours or any other.
        path: of the file; one that is there is written anew.

    Raises:
        InputError: another suffix, no such folder, or what an image needs is not here.
        NotDrawn: Chrome failed.
    """
    figure_file.write(figure, given_path(path, "path"), "path")

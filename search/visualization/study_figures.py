"""The figures of a study by its name, as a paper may take them.

A study has one protocol, so that a figure never joins results of two. Fronts, histories and
importances are made of complete results; what was pruned stands beside them, marked, or is left
out. Each has a title, a line that says what it stands on, and axes with units.
"""

from collections.abc import Collection, Mapping

import plotly.graph_objects as go

from search.effects import MARGIN
from search.metrics import ANALYTIC_METRICS, DEVICE_METRICS, METRICS
from search.objective_parsing import stored_objectives
from search.query import (
    Cost,
    Objective,
    Objectives,
    accuracy_cost,
    best,
    bound_words,
    evaluated,
    hypervolume_course,
    networks,
    operator_records,
    study_course,
    study_effects,
    study_objectives,
    trial_summaries,
)
from search.query.study_fronts import COSTS
from search.store import Store, StudyRecord, TrialState
from search.visualization.accuracy_cost_figure import accuracy_cost_figure, add_pruned
from search.visualization.curve_figures import MEASURES, Curve, Measure, curves_figure
from search.visualization.figure_words import (
    NothingToDraw,
    judged,
    metric_called,
    named,
    nothing_to_draw,
    stands_on,
)
from search.visualization.history_figure import history_figure
from search.visualization.hypervolume_figure import hypervolume_figure
from search.visualization.importances_figure import importances_figure
from search.visualization.measured_graph import measured_graph, wide
from search.visualization.objectives_figure import ObjectivesPicture, objectives_figure
from search.visualization.paper import finished
from search.visualization.relation_graph_figure import relation_graph_figure
from search.visualization.theme import COST_TITLES, METRIC_NAMES
from space.errors import InputError, Problem, refuse
from space.wording import count, did_you_mean

MOST_CURVES = 50


# --- the front ---------------------------------------------------------------------------------


def plot_pareto_front(
    store: Store,
    study: str,
    *,
    across: str | None = None,
    up: str | None = None,
    where: str | None = None,
    pruned: bool = False,
) -> go.Figure:
    """The Pareto front of a study over two metrics, with all complete architectures behind it.

    Args:
        store: where the study is.
        study: its name.
        across, up: the metrics of the axes. A study of one measured objective has it up, and any
            cost of the architecture across (params where nothing is said), one of a cost has that
            across and accuracy up; one of several has two of its own, the costs across. The front
            is that of all its objectives.
        where: only complete trials that fulfil this clause.
        pruned: whether what was stopped early stands beside, marked; of accuracy against params or
            MACs alone.

    Raises:
        InputError: no such study, metric or axis, or a malformed clause.
        NothingToDraw: it has no completely trained architecture.
    """
    record = store.studies.get(study)
    wanted = study_objectives(store, study)
    axes, objectives = _front_axes(wanted.objectives, metric_called(across), metric_called(up))
    _refuse_pruned(axes, pruned)
    cost = axes[0].name
    if wanted.accuracy_alone and not wanted.bounds and cost in COSTS:
        made, note = _accuracy_cost(store, record, cost, where)
    else:
        made, note = _objectives(store, record, objectives, axes, where)
    if pruned and cost in COSTS:
        rows = best(store, study=study, where=where, top=None)
        add_pruned(made, [row for row in rows if not row.is_complete], cost)
    return finished(made, f"Pareto front: {_against(axes)}", note)


def _front_axes(
    own: Objectives, across: str | None, up: str | None
) -> tuple[tuple[Objective, Objective], Objectives]:
    """What runs across and up, and the objectives that make the front."""
    if len(own) == 1:
        (first,) = own
        if first.name in ANALYTIC_METRICS:
            accuracy = Objective("validation_accuracy", "maximise")
            _refuse_axes(
                {"across": (across, {first.name: first}), "up": (up, {accuracy.name: accuracy})}
            )
            return (first, accuracy), Objectives((first, accuracy), own.constraints)
        offered = {name: Objective(name, "minimise") for name in ANALYTIC_METRICS}
        offered.pop(first.name, None)
        _refuse_axes({"across": (across, offered), "up": (up, {first.name: first})})
        cost = offered[across or next(iter(offered))]
        return (cost, first), Objectives((first, cost), own.constraints)
    # Measured ones up and costs across, as in the other picture.
    costs = {*COST_TITLES, *DEVICE_METRICS}
    ordered = sorted(own.objectives, key=lambda each: each.name in costs)
    offered = {each.name: each for each in ordered}
    _refuse_axes({"across": (across, offered), "up": (up, offered)})
    if across is not None and across == up:
        raise InputError.of("up", f"{up!r} runs across already")
    upwards = offered[up] if up else next(each for each in ordered if each.name != across)
    others = [each for each in ordered if each != upwards]
    return (offered[across] if across else others[0], upwards), own


def _refuse_axes(axes: Mapping[str, tuple[str | None, Mapping[str, Objective]]]) -> None:
    refuse(
        Problem(
            axis,
            f"{name!r} is not allowed; one of {', '.join(offered)}{did_you_mean(name, offered)}",
        )
        for axis, (name, offered) in axes.items()
        if name is not None and name not in offered
    )


def _refuse_pruned(axes: tuple[Objective, Objective], pruned: bool) -> None:
    across, up = axes
    if pruned and (across.name not in COSTS or up.name != "validation_accuracy"):
        message = f"are drawn beside validation_accuracy against {' or '.join(COSTS)} alone"
        raise InputError.of("pruned", f"trials that were stopped early {message}")


def _accuracy_cost(
    store: Store, record: StudyRecord, cost: Cost, where: str | None
) -> tuple[go.Figure, str]:
    picture = accuracy_cost(store, cost, study=record.name, where=where)
    if not picture.total:
        raise nothing_to_draw(store, record.name, where)
    sample = f", {picture.points:,} of them as points" if picture.density else ""
    return accuracy_cost_figure(picture, cost), stands_on(record, picture.total, sample)


def _objectives(
    store: Store,
    record: StudyRecord,
    objectives: Objectives,
    axes: tuple[Objective, Objective],
    where: str | None,
) -> tuple[go.Figure, str]:
    picture = ObjectivesPicture.of(
        evaluated(store, record.name, objectives.names, where=where), objectives
    )
    if not picture.total:
        raise nothing_to_draw(store, record.name, where)
    bounds = bound_words(objectives.constraints)
    more = f", {len(picture.shown):,} of them drawn" if picture.is_sample else ""
    more += f", front of all {len(objectives)} objectives" if len(objectives) > 2 else ""
    more += f", within {bounds}" if bounds else ""
    return objectives_figure(picture, *axes), stands_on(record, picture.total, more)


def _against(axes: tuple[Objective, Objective]) -> str:
    across, up = (METRIC_NAMES[each.name] for each in axes)
    return f"{up} against {across}"


# --- the course --------------------------------------------------------------------------------


def plot_optimization_history(store: Store, study: str) -> go.Figure:
    """A study's first objective against its trials: each one, and the best so far.

    Where the study has a random baseline, its points are apart, and a band says what random search
    comes to with as many evaluations: 95 % of what is drawn from those points with replacement.

    Args:
        store: where the study is.
        study: its name.

    Raises:
        InputError: no such study.
        NothingToDraw: no trial of it has a value.
    """
    record = store.studies.get(study)
    course = study_course(store, study)
    if all(point.value is None for point in course.points):
        raise nothing_to_draw(store, study, None)
    complete = sum(point.state is TrialState.COMPLETE for point in course.points)
    pruned = len(course.points) - complete
    beside = sum(point.is_random for point in course.points)
    more = f" · {count(pruned, 'pruned trial')}" if pruned else ""
    more += f" · {count(beside, 'random point')} beside the searcher" if beside else ""
    note = f"{named(record)} · {count(complete, 'complete trial')}{more} · {judged(record)}"
    title = f"Best {METRIC_NAMES[course.objective.name]} against trials"
    return finished(history_figure(course), title, note)


def plot_hypervolume_history(store: Store, study: str) -> go.Figure:
    """How much the front of a study of several objectives covers, against its evaluations.

    A share of the box that reaches from a tenth of the range below the worst complete result up to
    the best value of each objective, costs by their logarithm. Random points stand apart.

    Args:
        store: where the study is.
        study: its name.

    Raises:
        InputError: no such study, or one of a single objective.
        NothingToDraw: no trial of its searcher is complete.
    """
    record = store.studies.get(study)
    objectives = stored_objectives(record.objective)
    if len(objectives) < 2:
        (only,) = objectives
        raise InputError.of(
            "study",
            f"{study!r} has one objective, {only.name}; its best so far is drawn by "
            "plot_optimization_history (of `plot`: --kind history)",
        )
    course = hypervolume_course(store, study)
    if course is None:
        raise nothing_to_draw(store, study, None)
    wanted = " and ".join(METRIC_NAMES[each.name] for each in objectives)
    more = count(course.evaluations, "evaluation")
    more += f" · {count(course.random_evaluations, 'random point')}" if course.random else ""
    note = f"{named(record)} · {more} · {judged(record)}"
    return finished(hypervolume_figure(course), f"Hypervolume of {wanted}", note)


def plot_learning_curves(
    store: Store,
    study: str,
    *,
    measure: Measure = "accuracy",
    top: int = 10,
    trials: Collection[int] | None = None,
    where: str | None = None,
) -> go.Figure:
    """What trials reported epoch by epoch; pruned ones are dotted, and behind all complete ones.

    Args:
        store: where the study is.
        study: its name.
        measure: "accuracy", "validation loss" or "train loss".
        top: how many of the best trials.
        trials: the numbers of others, in their stead.
        where: only trials that fulfil this clause.

    Raises:
        InputError: no such study, measure or trial, or a malformed clause.
        NothingToDraw: no trial has finished an epoch.
    """
    record = store.studies.get(study)
    _refuse_curves(measure, top)
    every = trial_summaries(store, study=study, where=where, order="best")
    rows = [row for row in every if row.epochs_done]
    if trials is None:
        rows = rows[:top]
    else:
        missing = sorted(set(trials) - {row.number for row in rows})
        refuse(Problem("trials", f"{number} has no epoch in {study!r}") for number in missing)
        rows = [row for row in rows if row.number in set(trials)]
    if not rows:
        raise nothing_to_draw(store, study, where)
    epochs = store.epochs.of_trials([row.id for row in rows])
    curves = [Curve.of(row, epochs[row.id]) for row in rows]
    made = curves_figure(curves, measure)
    made.update_layout(margin={"t": 16}, showlegend=True)
    which = f"the best {len(rows)} of {len(every):,} trials" if trials is None else "chosen trials"
    return finished(made, f"Learning curves: {measure}", f"{named(record)} · {which}")


def _refuse_curves(measure: str, top: object) -> None:
    problems = []
    if measure not in MEASURES:
        allowed = f"one of {', '.join(MEASURES)}{did_you_mean(measure, MEASURES)}"
        problems.append(Problem("measure", f"{measure!r} is not allowed; {allowed}"))
    if type(top) is not int or not 1 <= top <= MOST_CURVES:
        problems.append(Problem("top", f"{top!r} is not allowed; must be 1 to {MOST_CURVES}"))
    refuse(problems)


# --- the axes ----------------------------------------------------------------------------------


def plot_axis_importances(
    store: Store, study: str, *, target: str | None = None, where: str | None = None
) -> go.Figure:
    """How much each axis tells of which networks are the best (PED-ANOVA, Optuna's).

    Beside each bar a mark says what the axis comes to by chance, with the results dealt out anew.

    Args:
        store: where the study is.
        study: its name.
        target: the metric by which they are the best; None is the study's first objective.
        where: only complete trials that fulfil this clause.

    Raises:
        InputError: no such study or metric, or a malformed clause.
        NothingToDraw: too few completely trained architectures, or all of them alike.
    """
    from search.visualization.axis_importances import ENOUGH, axis_importances

    record = store.studies.get(study)
    objective = _target(stored_objectives(record.objective), metric_called(target))
    rows = [
        row
        for row in evaluated(store, study, [objective.name], where=where)
        if objective.name in row.values
    ]
    if len(rows) < ENOUGH:
        raise NothingToDraw(
            f"study {study!r}: importances need {ENOUGH} completely trained architectures with "
            f"{objective.name}; there {'is' if len(rows) == 1 else 'are'} {len(rows):,}"
        )
    architectures = networks(store, study, [row.architecture_id for row in rows])
    found = axis_importances(rows, architectures, objective)
    if found is None:
        raise NothingToDraw(
            f"study {study!r}: its {len(rows):,} completely trained architectures do not differ "
            f"in {objective.name}, or in no axis that tells of it"
        )
    more = f", the best {found.best} against all"
    fixed = f" · the same throughout: {', '.join(found.fixed)}" if found.fixed else ""
    note = stands_on(record, found.total, more) + fixed
    title = f"Importance of the axes for {METRIC_NAMES[objective.name]}"
    return finished(importances_figure(found), title, note)


def _target(own: Objectives, target: str | None) -> Objective:
    if target is None:
        return own.objectives[0]
    if target not in METRICS:
        allowed = f"one of {', '.join(METRICS)}{did_you_mean(target, METRICS)}"
        raise InputError.of("target", f"{target!r} is not allowed; {allowed}")
    high = Objective(target, "maximise" if target == "validation_accuracy" else "minimise")
    return next((each for each in own if each.name == target), high)


def plot_relation_graph(
    store: Store | None = None,
    study: str | None = None,
    *,
    where: str | None = None,
    margin: float = MARGIN,
) -> go.Figure:
    """The paper's relation graph (Figure 1), with what a study found of operators and edges.

    Args:
        store: where the study is; None draws the graph alone.
        study: its name.
        where: only trials that fulfil this clause.
        margin: a difference of accuracies (0 to 1) that matters to nobody.

    Raises:
        InputError: no such study, or a malformed clause.
    """
    title = "The relation graph of token mixers"
    if store is None or study is None:
        note = "12 operators, and what changes from one to the next; after Figure 1 of the paper"
        return wide(finished(relation_graph_figure(), title, note))
    record = store.studies.get(study)
    records = operator_records(store, study=study, where=where)
    (found,) = study_effects(store, [study], where=where, margin=margin)
    more = f"nodes: best of the networks made of it alone, ≥: pruned; {judged(record)}"
    return measured_graph(found, records, more)

"""Figures that commands write into files: `plot` any, others the one that goes with them."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from search.store import Store, open_to_read
from search.visualization.figure_file import SUFFIXES, refuse_bad_file, write
from space import Architecture
from space.cli.commands import PathType
from space.cli.messages import printable
from space.custom.plugins import load_known_plugins
from space.errors import InputError, Problem

if TYPE_CHECKING:
    import plotly.graph_objects as go


def plot_option(what: str) -> Callable[[Any], Any]:
    """`--plot FILE`, for a command beside whose text a figure may be written.

    Args:
        what: the figure shows.
    """
    return click.option(
        "--plot",
        type=PathType(),
        metavar="FILE",
        help=f"Also draw {what} into this file: {', '.join(SUFFIXES)}.",
    )


def draw(
    store: str, subject: str, kind: str, asked: Mapping[str, Any], out: Path, option: str
) -> None:
    """Draw a figure of a study or of an architecture into a file.

    Args:
        store: URL of the store.
        subject: name of the study, or id of the architecture.
        kind: of the figure, as of `plot`.
        asked: what is asked of it.
        out: the file.
        option: that names the file, for refusals.

    Raises:
        InputError: a file that cannot be written, no such subject, and as the figure does.
    """
    refuse_bad_file(out, option)
    with open_to_read(store) as opened:
        made = _drawn(opened, subject, kind, asked)
    write(made, out, option)
    click.echo(printable(f"{out} shows the {kind} of {subject}."), err=True)


def _know_mixers(store: Store, studies: Iterable[int]) -> None:
    """Import what registers the custom mixers of studies, as far as it is there."""
    for id_ in studies:
        load_known_plugins(store.studies.by_id(id_).space)


def _drawn(store: Store, subject: str, kind: str, asked: Mapping[str, Any]) -> "go.Figure":
    from search.visualization import study_figures as figures

    if kind == "architecture":
        from search.visualization.network_figures import plot_architecture

        record = store.architectures.get(subject)
        if '"custom"' in record.json:
            _know_mixers(
                store, {trial.study_id for trial in store.trials.of_architecture(record.id)}
            )
        return plot_architecture(Architecture.from_json(record.json))
    _know_mixers(store, [store.studies.get(subject).id])
    drawers: Mapping[str, Callable[..., go.Figure]] = {
        "front": figures.plot_pareto_front,
        "history": figures.plot_optimization_history,
        "hypervolume": figures.plot_hypervolume_history,
        "curves": figures.plot_learning_curves,
        "importances": figures.plot_axis_importances,
        "relation-graph": figures.plot_relation_graph,
    }
    try:
        return drawers[kind](store, subject, **asked)
    except InputError as error:
        raise InputError(
            Problem(f"--{p.where}" if p.where in asked else p.where, p.message)
            for p in error.problems
        ) from None

"""`effects`: what each design decision does to accuracy and to costs, in paired differences."""

import math
from collections.abc import Sequence
from pathlib import Path

import click

from search.cli.figures import draw, plot_option
from search.cli.options import store_option
from search.effects import Effect, MoveKind, interval_in_points, points
from search.query import (
    AxisShare,
    StudyEffects,
    StudyImportance,
    study_effects,
    study_importance,
    table_effects,
    table_importance,
)
from search.store import open_to_read
from search.visualization.figure_file import refuse_bad_file, write
from space.axes import AXES
from space.cli.commands import json_option, print_json
from space.cli.messages import printable
from space.cli.output import stdout_console
from space.cli.tables import Column, FittedTable
from space.errors import InputError
from space.wording import NONE

_WHAT = ("edges", *AXES, "kernel_size", "groups", "heads", "ratio", "block_type")
_TITLES = {
    MoveKind.EDGE: "The paper's relation graph",
    MoveKind.AXIS: "Axes",
    MoveKind.TYPES: "Types of mixer that differ in one axis",
    MoveKind.SIZE: "Sizes",
    MoveKind.BLOCK_TYPE: "Types of block",
}
_MOST_MARGIN = 100.0
_TABLE = ".parquet"


@click.command("effects")
@click.argument("studies", nargs=-1, required=True, metavar="STUDY...|FILE.parquet")
@click.option("--where", metavar="CLAUSE", help="Only trainings that fulfil this clause.")
@click.option(
    "--axis",
    "what",
    type=click.Choice(_WHAT),
    help="Only the moves along this, and of an axis those between each two types.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, _MOST_MARGIN),
    default=0.5,
    show_default=True,
    metavar="POINTS",
    help="A difference of accuracies that matters to nobody.",
)
@plot_option("the relation graph with the measured edges, as for a paper,")
@store_option()
@json_option
def command(
    studies: tuple[str, ...],
    where: str | None,
    what: str | None,
    margin: float,
    plot: Path | None,
    store: str,
    as_json: bool,
) -> None:
    """Print what each design decision does to accuracy and costs, and how much each axis matters.

    \b
    Examples:
      python -m search effects first
      python -m search effects first second --axis dynamics
      python -m search effects first --where "params < 200k and block_type = conv"
      python -m search effects first --plot graph.svg
      python -m search effects benchmarks/table/fashion-cells.parquet --json

    A move is an edge of the paper's relation graph, another value of an axis, another size of a
    mixer, or another type of block. Its effect is the mean difference of validation accuracies, in
    points, target less source, between networks that are equal in all else, of complete trials of
    one protocol, with the same seeds where both had them. Costs are those of the target over those
    of the source. Studies of several protocols are taken apart. The clause is that of `best`.

    A context is all that two networks of a pair have in common beside the mixers in question. The
    interval holds 95 % and is over contexts, so it says what the move does in other networks of
    the kind. A verdict is of all moves of its kind at once (Holm), and is by type of block where
    the effect turns with it. Of fewer than 3 contexts the interval is over seeds, where several
    trainings of a network tell it, and the verdict is of these networks alone: "here".

    The importance of an axis is the share of the variance of accuracies that it explains beyond
    all other axes, in a model of all networks, which needs no pairs. Its interval holds 95 % and
    is by the bootstrap over networks; "alone" is what it explains with all that comes with it.
    """
    if plot is not None:
        refuse_bad_file(plot, "--plot")
    found = _found(studies, store, where, margin / 100)
    if plot is not None:
        is_file = studies[0].endswith(_TABLE)
        whence = None if is_file else store
        _draw([effects for effects, _ in found], whence, where, margin / 100, plot)
    if as_json:
        print_json([each.plain() | {"importance": beside.plain()} for each, beside in found])
        return
    for effects, importance in found:
        _print(effects, what)
        if what is None:
            _print_importance(importance, effects.notes)


def _found(
    studies: Sequence[str], store: str, where: str | None, margin: float
) -> list[tuple[StudyEffects, StudyImportance]]:
    """Effects and importance of each protocol."""
    files = [name for name in studies if name.endswith(_TABLE)]
    if files and len(studies) > 1:
        raise InputError.of("study", f"{files[0]!r} is a file, and is taken alone")
    if files and where is not None:
        raise InputError.of(
            "--where", f"is asked of studies in a store, and {files[0]!r} is a file"
        )
    if files:
        path = Path(files[0])
        return [(table_effects(path, margin=margin), table_importance(path))]
    with open_to_read(store) as opened:
        effects = study_effects(opened, studies, where=where, margin=margin)
        return list(zip(effects, study_importance(opened, studies, where=where), strict=True))


def _draw(
    found: Sequence[StudyEffects], store: str | None, where: str | None, margin: float, plot: Path
) -> None:
    """The figure of one study as `search plot` has it; of several, or of a file, its edges alone.

    Raises:
        InputError: the studies have several protocols, or the file cannot be written.
        NotDrawn: Chrome failed.
    """
    if len(found) > 1:
        message = f"draws one protocol, and these studies have {len(found)}: name those of one"
        raise InputError.of("--plot", message)
    (only,) = found
    if store is not None and len(only.studies) == 1:
        asked = {"margin": margin} | ({} if where is None else {"where": where})
        draw(store, only.studies[0], "relation-graph", asked, plot, "--plot")
        return
    from search.visualization.measured_graph import measured_graph  # heavy

    write(measured_graph(only), plot, "--plot")
    whose = " + ".join(only.studies)
    click.echo(printable(f"{plot} shows the relation graph of {whose}."), err=True)


def _print(found: StudyEffects, what: str | None) -> None:
    console = stdout_console()
    shown = [effect for effect in found.effects if _is_shown(effect, what)]
    for kind, title in _TITLES.items():
        rows = [effect for effect in shown if effect.move.kind is kind]
        if rows:
            console.print(_table(rows, title))
    whose = " + ".join(found.studies)
    said = [f"{whose}: {found.networks:,} networks, {found.judged}.", *found.notes]
    if not shown:
        said.append("No two networks are equal in all but one such move: repeat a few with one.")
    for sentence in said:
        click.echo(printable(sentence), err=True)


def _print_importance(found: StudyImportance, said: Sequence[str]) -> None:
    shares = found.shares
    rows = [*shares.axes, *shares.together]
    if shares.networks >= shares.needed:
        stdout_console().print(
            FittedTable(
                (
                    Column("axis", [row.axis for row in rows], fold_to=20),
                    Column("% of variance", [_percent(row.share) for row in rows], right=True),
                    Column("95 %", [_interval(row) for row in rows], right=True),
                    Column("alone", [_percent(row.alone) for row in rows], right=True, optional=2),
                    Column("values", [str(row.values) for row in rows], right=True, optional=1),
                    Column("verdict", [row.verdict for row in rows], fold_to=16),
                ),
                "Importance of the axes",
            )
        )
    for sentence in found.notes:
        if sentence not in said:
            click.echo(printable(sentence), err=True)


def _percent(share: float) -> str:
    return NONE if math.isnan(share) else f"{100 * share:.1f}"


def _interval(row: AxisShare) -> str:
    return NONE if math.isnan(row.low) else f"[{_percent(row.low)}, {_percent(row.high)}]"


def _is_shown(effect: Effect, what: str | None) -> bool:
    move = effect.move
    if what is None:
        return move.kind is not MoveKind.TYPES
    if what == "edges":
        return move.kind is MoveKind.EDGE
    return move.kind is not MoveKind.EDGE and move.what == what.replace("_", " ")


def _table(rows: Sequence[Effect], title: str) -> FittedTable:
    costs = list(dict.fromkeys(name for row in rows for name in row.ratios))
    left_first = {"seconds": 3, "training_bytes": 4, "macs": 2, "params": 1}
    return FittedTable(
        (
            Column("move", [row.move.name for row in rows], fold_to=24),
            Column("points", [points(row.accuracy.mean) for row in rows], right=True),
            Column("95 %", [interval_in_points(row.accuracy) for row in rows], right=True),
            Column("pairs", [f"{row.pairs:,}" for row in rows], right=True, optional=6),
            Column("contexts", [f"{row.accuracy.contexts:,}" for row in rows], right=True),
            Column("by type of block", [_by_block_type(row) for row in rows], optional=5),
            *(
                Column(
                    f"{name.replace('training_bytes', 'memory')} ×",
                    [_ratio(row.ratios.get(name, math.nan)) for row in rows],
                    right=True,
                    optional=left_first.get(name, 4),
                )
                for name in costs
            ),
            Column("verdict", [row.verdict for row in rows], fold_to=16),
        ),
        title,
    )


def _by_block_type(effect: Effect) -> str:
    if len(effect.by_block_type) < 2:
        return ""
    return "\n".join(f"{name} {points(each.mean)}" for name, each in effect.by_block_type.items())


def _ratio(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.2f}"

"""`best`: query the architectures, and the front of a study over its own objectives."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from search.cli.figures import draw, plot_option
from search.cli.leaderboard_tables import (
    front_table,
    leaderboards,
    no_front,
    what_of_the_spread,
)
from search.cli.next_commands import NextCommands, labelled, next_commands
from search.cli.options import store_option
from search.cli.statements import print_statements
from search.objective_parsing import stored_objectives
from search.objectives import judged_by
from search.query import (
    SORT_KEYS,
    BestOfProtocol,
    BestRow,
    StudyObjectives,
    TestFigures,
    best_by_protocol,
    best_statements,
    canonical_sort,
    chance_sentence,
    chance_sentences,
    compare_splits,
    figures_of_tests,
    front,
    measured,
    optimism,
    optimism_of,
    parse_where,
    ranks,
    spreads,
    study_objectives,
)
from search.query.conditions import conditions
from search.store import Store, StudyRecord, open_to_read
from space.cli.commands import json_option, print_json
from space.cli.output import stdout_console
from space.errors import InputError, Problem, refuse


@click.command("best")
@click.option("--where", metavar="CLAUSE", help="Only architectures that fulfil this clause.")
@click.option("--study", metavar="NAME", help="Only trials of this study.")
@click.option("--top", default=10, show_default=True, metavar="N", help="How many to print.")
@click.option(
    "--sort",
    default="-accuracy",
    show_default=True,
    metavar="KEY",
    help=f"{', '.join(SORT_KEYS)}; '-' before it: descending.",
)
@click.option("--pareto", is_flag=True, help="The whole front over the objectives of --study.")
@plot_option("the front of --study")
@click.option(
    "--explain", is_flag=True, help="Print the SQL and its parameters instead of the answer."
)
@store_option()
@json_option
def command(
    where: str | None,
    study: str | None,
    top: int,
    sort: str,
    pareto: bool,
    plot: Path | None,
    explain: bool,
    store: str,
    as_json: bool,
) -> None:
    """Print the best architectures, one line each.

    \b
    Examples:
      python -m search best --top 5
      python -m search best --where "flops < 4.5G and kernel >= 7" --sort params
      python -m search best --where "dynamics = static and params < 200k" --json
      python -m search best --study imagenet --pareto
      python -m search best --study imagenet --plot front.svg
      python -m search best --where "any locality = window or name in (ViT, PVT)"
      python -m search best --where "stage 3 kernel = 7" --explain

    A clause joins comparisons by and, or, not and parentheses. Fields of the network: params,
    flops (also macs), depth, block_type. Of its trial: accuracy (0.86 or 86%), epochs, seconds,
    state, study, dataset, protocol (the beginning of its hash), date and ended (2026-11-01), seed,
    tag; latency (5 ms), where the study measures it; `accuracy at 10` is that of epoch 10. Of its
    token mixers: locality, channels, rank, sharing, dynamics, kernel, heads, groups, ratio, name;
    these must hold for every mixer, or after the word `any` for at least one; `stage 3 kernel = 7`
    speaks of the third stage alone.

    Results of several protocols do not compare: each has a table of its own, with its own places
    and --top rows.

    An architecture that was trained several times with one protocol counts with the mean of its
    complete trials. Sorted by accuracy, places with = are ties: a two-sided t-test at the 5 %
    level does not tell the architecture from the best one of that place. Its standard deviation
    is pooled over all architectures of the protocol that were trained several times; where there
    are none, nothing is known of the spread and nothing is called a tie.

    What was not trained to the end stands in a table of its own and has no place: its accuracy
    compares with none of a complete training. Accuracies are of the epoch that the protocol judges
    by; a line on stderr says where that is the best one, which is optimistic.

    Where the test split was read, a column has its accuracy; nothing is sorted by it, as what is
    chosen by the test is tested no more.

    A line on stderr says what guessing the commonest class scores, as far as the store tells it.

    With --study, the column bounds says which complete trials keep the study's constraints on
    measured metrics.

    --explain prints what the database is asked, one statement for each protocol, in its own SQL
    with the bound values; nothing is ranked.
    """
    if explain:
        _refuse_beside_explain(pareto=pareto, plot=plot)
        with open_to_read(store) as opened:
            found = best_statements(
                opened, where=where, study=study, sort=canonical_sort(sort), top=top
            )
        print_statements(found, as_json)
        return
    if plot is not None:
        if study is None:
            raise InputError.of("--plot", "draws the front of one study: name it by --study")
        draw(store, study, "front", {} if where is None else {"where": where}, plot, "--plot")
    if pareto:
        _refuse_unused("sort", "top")
        print_front(store, study, where, as_json)
        return
    sort = canonical_sort(sort)
    by_accuracy = sort == "-accuracy"
    commands = next_commands(None, study or "", store, (), store_given=False)
    with open_to_read(store) as opened:
        groups = best_by_protocol(opened, where=where, study=study, sort=sort, top=top)
        rows = [row for group in groups for row in group.rows]
        spread = spreads(opened, study) if by_accuracy else {}
        wanted = None if study is None else study_objectives(opened, study)
        shown = dict.fromkeys(row.study for row in rows)
        records = {name: opened.studies.get(name) for name in shown}
        took = measured(opened, [row.trial_id for row in rows]) if as_json else {}
        tests = figures_of_tests(opened, study)
        tags = opened.tags.of([row.architecture_id for row in rows])
        next_lines = _next_lines(opened, commands, wanted, rows, where)
        hints = [] if rows or as_json or where is None else _hints(opened, where)
    if as_json:
        print_json(
            [
                row.plain()
                | asdict(took[row.trial_id])
                | {"place": place, "keeps_constraints": wanted and wanted.keeps(row)}
                | ({"latency_ms": wanted.latency(row)} if wanted and wanted.latencies else {})
                | {"test": _test_of(row, tests), "tags": tags.get(row.architecture_id, [])}
                for group in groups
                for row, place in zip(group.rows, ranks(group.rows, spread), strict=True)
            ]
        )
        return
    if not rows:
        click.echo("No trained architecture fulfils this.", err=True)
        for hint in hints:
            click.echo(hint, err=True)
        return
    first = "highest" if sort.startswith("-") else "lowest"
    title = f"Architectures by {sort.removeprefix('-')}, {first} first"
    for group in groups:
        of_protocol = title if len(groups) == 1 else f"{_heading(group, records)}\n{title}"
        for table in leaderboards(
            group.rows, of_protocol, spread=spread, wanted=wanted, tests=tests, tags=tags
        ):
            stdout_console().print(table)
    said: list[str | None] = [what_of_the_spread(spread)] if by_accuracy else []
    said += chance_sentences((name, record.objective) for name, record in records.items())
    said += [] if wanted is None else wanted.sentences
    said += [SEVERAL.format(len(groups))] if len(groups) > 1 else []
    said += [optimism(rows), LUCKY if by_accuracy and len(rows) > 1 else None]
    said += next_lines if by_accuracy else []
    for sentence in filter(None, said):
        click.echo(sentence, err=True)


SEVERAL = (
    "These results are of {} protocols, a table for each: those of one do not compare with those "
    "of another."
)


def _heading(group: BestOfProtocol, records: Mapping[str, StudyRecord]) -> str:
    """What stands above the table of one protocol of several."""
    protocol = group.protocol
    how = conditions(next(records[row.study] for row in group.rows))
    return f"Protocol {protocol.hash}, {how}: {protocol.words}"


LUCKY = (
    "The highest of several accuracies is optimistic: the images that it is measured on chose it. "
    "`retrain` trains the best anew, and `test` reads the test split for them."
)


def _next_lines(
    store: Store,
    commands: NextCommands,
    wanted: StudyObjectives | None,
    rows: Sequence[BestRow],
    where: str | None,
) -> list[str]:
    """What comes next with the best of a study; nothing without a study, or one that is fit."""
    if wanted is None or not any(map(wanted.may_be_retrained, rows)):
        return []
    steps = [("Retrain", commands.retrain(where))]
    if store.studies.get(commands.study).retrains is not None:
        steps = commands.ship(compare_splits(store, commands.study).rows, wanted.kept)
    return [*([] if commands.first is None else [commands.first]), *labelled(steps)]


def _test_of(row: BestRow, tests: Mapping[tuple[str, str], TestFigures]) -> Any:
    """What the test says of a row, in plain values; None where it was not read for it."""
    found = tests.get((row.architecture_id, row.protocol_hash)) if row.is_complete else None
    return None if found is None else asdict(found)


def _hints(store: Store, where: str) -> list[str]:
    """Why nothing fulfils a clause, as far as the clause and the store's studies tell."""
    parsed = parse_where(where)
    found = parsed.hints
    for name in parsed.studies:
        try:
            store.studies.get(name)
        except InputError as error:
            found += (f"--where: study {problem.message}" for problem in error.problems)
    return found


def _refuse_beside_explain(**others: object) -> None:
    """Refuse options whose answer is worked out from all rows, by no statement of its own."""
    given = [name for name, value in others.items() if value]
    message = "does not go with --explain, which prints the statements of the table"
    refuse(Problem(f"--{name}", message) for name in given)


def _refuse_unused(*names: str) -> None:
    """Refuse options that the front, which is whole and has an order of its own, cannot heed."""
    context = click.get_current_context()
    given = [name for name in names if context.get_parameter_source(name) != _DEFAULT]
    if given:
        message = "does not go with --pareto, which prints the whole front in its own order"
        raise InputError(Problem(f"--{name}", message) for name in given)


_DEFAULT = ParameterSource.DEFAULT


def print_front(store: str, study: str | None, where: str | None, as_json: bool) -> None:
    """Print the front.

    Raises:
        InputError: no study is named, or it has one objective.
    """
    if study is None:
        raise InputError.of("--pareto", "name the study whose objectives count by --study")
    with open_to_read(store) as opened:
        record = opened.studies.get(study)
        objectives = stored_objectives(record.objective)
        if len(objectives) < 2:
            raise InputError.of("--pareto", f"{study!r} has one objective; leave --pareto out")
        rows = front(opened, study, objectives, where=where)
        hints = [] if rows or where is None else _hints(opened, where)
    if as_json:
        rule = judged_by(record.protocol)
        print_json([asdict(row) | {"judged_by": rule} for row in rows])
    elif rows:
        stdout_console().print(front_table(rows, objectives))
        optimistic = optimism_of([(study, record.protocol)])
        for said in filter(None, [chance_sentence(record.objective), optimistic]):
            click.echo(said, err=True)
    for said in [] if rows else [no_front(objectives), *hints]:
        click.echo(said, err=True)

"""`best --pareto`: the front of a study over its own objectives."""

from dataclasses import asdict

import click

from search.cli.options import print_json
from search.objectives import Goals
from search.query.front import FrontRow
from search.tables import Column, FittedTable
from space.cli.output import stdout_console
from space.errors import InputError
from space.wording import percent, short


def print_front(store: str, study: str | None, where: str | None, as_json: bool) -> None:
    """Print the front.

    Raises:
        InputError: no study is named, or it has one objective.
    """
    from search.config.goals import read_goals
    from search.query import front
    from search.store import open_store

    if study is None:
        raise InputError.of("--pareto", "name the study whose objectives count by --study")
    with open_store(store, create=False) as opened:
        wanted = opened.study(study).objective
        if len(wanted.get("objectives", ())) < 2:
            raise InputError.of("--pareto", f"{study!r} has one objective; leave --pareto out")
        goals = read_goals(wanted["objectives"], wanted.get("constraints", {}))
        rows = front(opened, study, goals, where=where)
    if as_json:
        print_json([asdict(row) for row in rows])
    elif rows:
        stdout_console().print(front_table(rows, goals))
    else:
        click.echo("No completely trained architecture fulfils this.", err=True)


def front_table(rows: list[FrontRow], goals: Goals) -> FittedTable:
    """A line for each architecture, a column for each objective."""
    names = [objective.name for objective in goals.objectives]
    longest = max(len(name) for row in rows for name in row.operators.split(" + "))
    return FittedTable(
        (
            Column("architecture", [row.architecture_id for row in rows]),
            *(
                Column(name, [_shown(name, row.values[name]) for row in rows], right=True)
                for name in names
            ),
            Column("seeds", [str(row.repeats) for row in rows], right=True, optional=1),
            Column("token mixers", [row.operators for row in rows], fold_to=longest),
        ),
        f"Pareto front of {', '.join(names)}; complete trials only",
    )


def _shown(name: str, value: float) -> str:
    if name == "validation_accuracy":
        return percent(value)
    return f"{value:.4f}" if name == "validation_loss" else short(round(value))

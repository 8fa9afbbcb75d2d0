"""`best --pareto`: the front of a study over its own objectives."""

from dataclasses import asdict

import click

from search.cli.options import print_json
from space.cli.output import stdout_console
from space.errors import InputError


def print_front(store: str, study: str | None, where: str | None, as_json: bool) -> None:
    """Print the front.

    Raises:
        InputError: no study is named, or it has one objective.
    """
    from search.front_table import front_table, no_front
    from search.query import front
    from search.store import open_to_read
    from search.written_goals import stored_goals

    if study is None:
        raise InputError.of("--pareto", "name the study whose objectives count by --study")
    with open_to_read(store) as opened:
        goals = stored_goals(opened.study(study).objective)
        if len(goals.objectives) < 2:
            raise InputError.of("--pareto", f"{study!r} has one objective; leave --pareto out")
        rows = front(opened, study, goals, where=where)
    if as_json:
        print_json([asdict(row) for row in rows])
    elif rows:
        stdout_console().print(front_table(rows, goals))
    if not rows:
        click.echo(no_front(goals), err=True)

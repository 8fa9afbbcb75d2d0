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
    from search.objective_parsing import stored_goals
    from search.objectives import judged_by
    from search.query import chance_sentence, front, optimism_of
    from search.store import open_to_read
    from search.tables import front_table, no_front

    if study is None:
        raise InputError.of("--pareto", "name the study whose objectives count by --study")
    with open_to_read(store) as opened:
        record = opened.study(study)
        goals = stored_goals(record.objective)
        if len(goals.objectives) < 2:
            raise InputError.of("--pareto", f"{study!r} has one objective; leave --pareto out")
        rows = front(opened, study, goals, where=where)
    if as_json:
        rule = judged_by(record.protocol)
        print_json([asdict(row) | {"judged_by": rule} for row in rows])
    elif rows:
        stdout_console().print(front_table(rows, goals))
        optimistic = optimism_of([(study, record.protocol)])
        for said in filter(None, [chance_sentence(record.objective), optimistic]):
            click.echo(said, err=True)
    if not rows:
        click.echo(no_front(goals), err=True)

"""`best`: the best architectures of the store."""

from dataclasses import asdict

import click

from search.cli.options import Command, json_option, print_json, store_option
from space.cli.output import stdout_console


@click.command("best", cls=Command)
@click.option("--where", metavar="CLAUSE", help="Only architectures that fulfil this clause.")
@click.option("--study", metavar="NAME", help="Only trials of this study.")
@click.option("--top", default=10, show_default=True, metavar="N", help="How many to print.")
@click.option(
    "--sort",
    default="-accuracy",
    show_default=True,
    metavar="KEY",
    help="accuracy, params, flops, epochs, seconds, depth or trial; '-' before it: descending.",
)
@store_option()
@json_option
def command(
    where: str | None, study: str | None, top: int, sort: str, store: str, as_json: bool
) -> None:
    """Print the best architectures, one line each.

    \b
    Examples:
      python -m search best --top 5
      python -m search best --where "flops < 4.5G and kernel >= 7" --sort params
      python -m search best --where "dynamics = static and params < 200k" --json
      python -m search best --where "any locality = window or name in (ViT, PVT)"

    A clause joins comparisons by and, or, not and parentheses. Fields of the network: params,
    flops, depth, scaffold. Of its trial: accuracy, epochs, seconds, state, study. Of its token
    mixers: locality, channels, rank, sharing, dynamics, kernel, heads, groups, ratio, name; these
    must hold for every mixer, or after the word `any` for at least one.
    """
    from search.query import best
    from search.report import leaderboard
    from search.store import open_store

    with open_store(store, create=False) as opened:
        rows = best(opened, where=where, study=study, sort=sort, top=top)
    if as_json:
        print_json([asdict(row) for row in rows])
    elif rows:
        several = len({row.study for row in rows}) > 1
        title = f"Best by {sort.removeprefix('-')}"
        stdout_console().print(leaderboard(rows, title, with_study=several))
        if len({row.protocol_hash for row in rows}) > 1:
            click.echo(
                "These studies were judged by different protocols: their accuracies do not "
                "compare. Choose one by --study.",
                err=True,
            )
    else:
        click.echo("No trained architecture fulfils this.", err=True)

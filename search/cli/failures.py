"""`failures`: why trials gave no result."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from search.cli.options import store_option
from search.query import FailureKind, FailureShare, failures
from search.store import open_to_read
from space.cli.commands import json_option, print_json
from space.cli.messages import printable
from space.cli.output import stdout_console
from space.cli.tables import Column, FittedTable
from space.wording import NONE, short_range, some

_SHOWN = 12


@click.command("failures")
@click.option("--where", metavar="CLAUSE", help="Only trials that fulfil this clause.")
@click.option("--study", metavar="NAME", help="Only trials of this study.")
@store_option()
@json_option
def command(where: str | None, study: str | None, store: str, as_json: bool) -> None:
    """Print why trials gave no result: by reason, by operator and by size.

    \b
    Examples:
      python -m search failures
      python -m search failures --study imagenet
      python -m search failures --where "any locality = global" --json

    Trials with the same reason, but for the numbers in it, are counted together. The share of an
    operator is that of its ended trials which failed or were infeasible, with its 95 % interval
    (Wilson); a network with several operators counts for each. `show` has a trial's log, and
    `continue --failed` or `--infeasible` tries them again.
    """
    with open_to_read(store) as opened:
        if study is not None:
            opened.studies.get(study)  # a name that is none is told
        found = failures(opened, where=where, study=study)
    if as_json:
        kinds = [asdict(kind) for kind in found.kinds]
        shares = {"operators": found.by_operator, "sizes": found.by_size}
        print_json({"kinds": kinds} | {k: list(map(_plain, v)) for k, v in shares.items()})
        return
    if not found.kinds:
        click.echo("No trial failed, was infeasible or was broken off.", err=True)
        return
    console = stdout_console()
    console.print(_kinds(found.kinds))
    broken = [each for each in found.by_operator if each.failed]
    if broken:
        console.print(_shares("operator", [each.name for each in broken], broken))
        sizes = [short_range(*each.params) for each in found.by_size]
        console.print(_shares("params", sizes, found.by_size))


def _plain(share: FailureShare) -> dict[str, object]:
    return asdict(share) | {"share": share.share, "interval": share.interval}


def _kinds(kinds: Sequence[FailureKind]) -> FittedTable:
    shown = kinds[:_SHOWN]
    left = len(kinds) - len(shown)
    return FittedTable(
        (
            Column("trials", [f"{kind.trials:,}" for kind in shown], right=True),
            Column("state", [str(kind.state) for kind in shown]),
            Column("params", [short_range(*kind.params) for kind in shown], optional=2),
            Column("mostly", [some(list(kind.operators), 2) for kind in shown], optional=1),
            Column("reason", [printable(kind.reason) or NONE for kind in shown], fold_to=30),
        ),
        "Why trials gave no result",
        f"and {left:,} more reasons: --json has them" if left else "",
    )


def _shares(what: str, names: list[str], shares: Sequence[FailureShare]) -> FittedTable:
    ends = [each.interval for each in shares]
    return FittedTable(
        (
            Column(what, names),
            Column("ended", [f"{each.ended:,}" for each in shares], right=True),
            Column("failed", [f"{each.failed:,}" for each in shares], right=True),
            Column("share", [f"{each.share:.1%}" for each in shares], right=True),
            Column("95 %", [f"{low:.1%} – {high:.1%}" for low, high in ends], right=True),
        ),
        f"How often, by {what}",
    )

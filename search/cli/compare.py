"""`compare`: two to six networks side by side."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from search.cli.options import store_option
from search.effects import points
from search.query import ComparedNetwork, NetworkComparison, PairTest, compare_networks
from search.store import open_to_read
from space.cli.commands import json_option, print_json
from space.cli.output import stdout_console
from space.cli.tables import Column, FittedTable
from space.wording import NONE, duration, short


@click.command("compare")
@click.argument("architectures", nargs=-1, required=True, metavar="ID ID...")
@click.option("--where", metavar="CLAUSE", help="Only results that fulfil this clause.")
@click.option("--study", metavar="NAME", help="Only results of this study.")
@store_option()
@json_option
def command(
    architectures: tuple[str, ...],
    where: str | None,
    study: str | None,
    store: str,
    as_json: bool,
) -> None:
    """Print what differs between two to six networks, what each costs, and which is better.

    \b
    Examples:
      python -m search compare 1f0c 3a2e
      python -m search compare 1f0c 3a2e 77b1 --study imagenet
      python -m search compare 1f0c 3a2e --json

    The beginning of an id will do. Results are those of one protocol: that by which most of the
    networks have one, unless --study or --where names another; the accuracy over several trainings
    is their mean.

    Differences of accuracy are in points, the first network less the second, with an interval of
    95 % that holds for all pairs at once (Student's t with the spread over seeds of the protocol,
    Bonferroni). Within it the two are a tie. Without a network that was trained with several seeds
    nobody can tell: `repeat` trains some again.
    """
    with open_to_read(store) as opened:
        found = compare_networks(opened, architectures, where=where, study=study)
    if as_json:
        print_json(_plain(found))
        return
    console = stdout_console()
    console.print(_results(found.networks))
    if found.differences:
        console.print(_differences(found))
    if found.tests:
        console.print(_tests(found.tests))
    for sentence in _said(found):
        click.echo(sentence, err=True)


def _said(found: NetworkComparison) -> list[str]:
    said = [] if found.differences else ["These networks are alike in every part."]
    if found.protocol is None:
        return [*said, "None of them has a result here."]
    said.append(f"Results by protocol {found.protocol.hash} ({found.protocol.words}).")
    if found.others:
        others = ", ".join(f"{each.hash} ({each.words})" for each in found.others)
        said.append(f"There are results by other protocols, which do not compare: {others}.")
    return said


def _results(networks: Sequence[ComparedNetwork]) -> FittedTable:
    rows = [each.row for each in networks]
    accuracies = [NONE if row is None else row.accuracy_words for row in rows]
    states = [NONE if row is None else str(row.state) for row in rows]
    seeds = [NONE if row is None else str(row.repeats) for row in rows]
    took = [NONE if row is None else duration(row.seconds) for row in rows]
    return FittedTable(
        (
            Column("architecture", [each.id for each in networks]),
            Column("accuracy", accuracies, right=True),
            Column("seeds", seeds, right=True, optional=3),
            Column("state", states, optional=4),
            Column("params", [short(each.params) for each in networks], right=True),
            Column("FLOPs", [short(each.macs) for each in networks], right=True, optional=1),
            Column("training", took, right=True, optional=5),
            Column("token mixers", [each.operators for each in networks], fold_to=24, optional=2),
        ),
        "Networks",
    )


def _differences(found: NetworkComparison) -> FittedTable:
    parts = Column("part", [each.part for each in found.differences])
    values = (
        Column(network.id[:8], [each.values[place] for each in found.differences], fold_to=18)
        for place, network in enumerate(found.networks)
    )
    return FittedTable((parts, *values), "What differs, from image to logits")


def _tests(tests: Sequence[PairTest]) -> FittedTable:
    margins = [NONE if each.margin is None else f"±{100 * each.margin:.2f}" for each in tests]
    return FittedTable(
        (
            Column("first", [each.first[:8] for each in tests]),
            Column("second", [each.second[:8] for each in tests]),
            Column("points", [points(each.difference) for each in tests], right=True),
            Column("95 %", margins, right=True),
            Column("verdict", [each.verdict for each in tests], fold_to=24),
        ),
        "Differences of accuracy",
    )


def _plain(found: NetworkComparison) -> dict[str, Any]:
    return {
        "protocol": None if found.protocol is None else asdict(found.protocol),
        "other_protocols": [asdict(each) for each in found.others],
        "networks": [
            {
                "id": each.id,
                "operators": each.operators,
                "params": each.params,
                "macs": each.macs,
                "result": None if each.row is None else each.row.plain(),
            }
            for each in found.networks
        ],
        "differences": [asdict(each) for each in found.differences],
        "tests": [asdict(each) | {"verdict": each.verdict} for each in found.tests],
    }

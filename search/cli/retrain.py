"""`retrain`: train what a search found in full, in a study of its own."""

import click

from search.cli.next_commands import next_commands
from search.cli.options import set_option, store_option
from search.cli.run import carry_out
from search.config.config import MOST_TRIALS
from search.next_steps import MoreWork
from search.runner.going_on import MOST_SEEDS
from search.runner.retraining import to_retrain
from space.cli.commands import json_option


@click.command("retrain")
@click.argument("architectures", nargs=-1)
@click.option(
    "--top",
    type=click.IntRange(1, MOST_TRIALS),
    metavar="N",
    help="The best N of the search, in place of ids.",
)
@click.option("--study", metavar="NAME", help="The search; needed where several could be meant.")
@click.option("--where", metavar="CLAUSE", help="With --top: only those that fulfil this clause.")
@click.option(
    "--protocol",
    metavar="NAME|FILE",
    help="By which they are trained: a file with the fields of a protocol, a configuration, or the "
    "name of one that comes with mixspace. Without it, the search's own.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, MOST_SEEDS),
    default=3,
    show_default=True,
    help="How often each is trained; with one nothing is known of the spread.",
)
@click.option("--name", metavar="NAME", help="Of the new study; else STUDY-retrained.")
@set_option(
    "Change a field of the protocol, such as protocol.epochs, the study that it finetunes "
    "(finetune_from), where the images lie, the seed, or what decides nothing about the results."
)
@store_option()
@json_option
def command(
    architectures: tuple[str, ...],
    top: int | None,
    study: str | None,
    where: str | None,
    protocol: str | None,
    seeds: int,
    name: str | None,
    overrides: tuple[str, ...],
    store: str,
    as_json: bool,
) -> int:
    """Train ARCHITECTURES of a search, or its best, in full: from scratch, with new seeds.

    \b
    Examples:
      python -m search retrain --top 3 --study first
      python -m search retrain 3f2a --protocol small-images-30 --seeds 5
      python -m search retrain --top 1 --set protocol.epochs=60 --name first-long
      python -m search retrain --top 3 --where "params < 200k"
      python -m search retrain --top 1 --protocol imagenet-22k-to-1k --set finetune_from=on-22k

    ARCHITECTURES are ids, or beginnings of them, as `best` prints them. The trainings are trials of
    a study of their own, STUDY-retrained, on the images and the split of the search. None of them
    is a result of the search: that was chosen for being high. The same command again goes on where
    it was interrupted; with more --seeds, or other architectures, it adds them. Then `test` reads
    the test split once for each.

    A protocol that finetunes starts from the finished trainings of the same networks in the study
    that finetune_from names; that of a search which finetunes does so, too.
    """
    found = to_retrain(
        store,
        ids=architectures,
        top=top,
        study=study,
        where=where,
        protocol=protocol,
        seeds=seeds,
        name=name,
        overrides=overrides,
    )
    later = [text for text in overrides if text in found.overrides]
    once = tuple(text for text in overrides if text not in later)
    asked = {
        "ids": architectures,
        "top": top,
        "where": where,
        "protocol": protocol,
        "seeds": seeds,
        "name": name,
        "set": once,
    }
    commands = next_commands(
        None,
        found.config.study,
        found.config.store,
        later,
        store_given=False,
        asked=MoreWork("retrain", asked, found.plan.study),
    )
    return carry_out(
        found.config, commands, resume=True, as_json=as_json, extra_request=found.request
    )

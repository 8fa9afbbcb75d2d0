"""`test`: read the test split once for each finished training, and write down that it was read."""

import click
from rich.text import Text

from search.cli.next_commands import labelled, next_commands
from search.cli.options import set_option, store_option
from search.cli.split_table import split_table
from search.query import SplitComparison, comparison
from search.runner.final_test import MOST_TOP, to_test
from search.store import open_to_read
from space.cli.commands import json_option, print_json
from space.cli.output import stdout_console


@click.command("test")
@click.argument("architectures", nargs=-1)
@click.option(
    "--study", metavar="NAME", help="Whose trainings are tested, such as STUDY-retrained."
)
@click.option(
    "--top",
    type=click.IntRange(1, MOST_TOP),
    metavar="N",
    help="With --study and without ids: the best N by validation; 1 unless given.",
)
@click.option(
    "--again", is_flag=True, help="Read it also where it was read before: kept, and counted."
)
@click.option(
    "--device",
    metavar="DEVICE",
    help="That computes, such as cpu or cuda:1; else the GPU where there is one.",
)
@set_option("Say where the images lie now, such as data.folder=/PATH.")
@store_option()
@json_option
def command(
    architectures: tuple[str, ...],
    study: str | None,
    top: int | None,
    again: bool,
    device: str | None,
    overrides: tuple[str, ...],
    store: str,
    as_json: bool,
) -> None:
    """Read the test split for ARCHITECTURES, or the best of a study: once for each training.

    \b
    Examples:
      python -m search test --study first-retrained
      python -m search test 3f2a --study first-retrained
      python -m search test --study first-retrained --top 3 --json

    All complete trainings of each architecture are tested, one for each seed. The images are the
    ones that nothing was trained on or chosen by; every reading stands in the store before they are
    read, and a second one for the same weights is refused without --again. Nothing is tested while
    a search runs in this process.
    """

    def say(text: str) -> None:
        click.echo(text, err=True)

    test = to_test(
        store,
        ids=architectures,
        study=study,
        top=top,
        again=again,
        device=device,
        overrides=overrides,
        say=say,
    )
    for note in test.notes:
        say(f"note: {note}")
    found = test.run(say)
    baseline = _baseline(store, found)
    if as_json:
        print_json(found.plain() | {"against_random_search": baseline})
        return
    console = stdout_console()
    console.print(split_table(found))
    for sentence in (*found.notes, *([] if baseline is None else [baseline])):
        console.print(Text(sentence))
    commands = next_commands(None, found.study, store, (), store_given=False)
    # Without ids it is the best by validation that is tested first, and exported.
    chosen = found.rows[0].architecture_id if architectures else None
    lines = labelled([("Export", commands.export(chosen))])
    first = [] if commands.first is None else [commands.first]
    # A command that is folded in the middle cannot be copied.
    console.print(Text("\n".join([*first, *lines])), soft_wrap=True)


def _baseline(store: str, found: SplitComparison) -> str | None:
    """What the searcher was worth beside random points, where the search tells it."""
    with open_to_read(store) as opened:
        compared = comparison(opened, found.search or found.study)
    return None if compared is None else compared.sentence

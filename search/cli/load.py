"""`load`: whole studies of another store, such as `dump` writes one."""

from pathlib import Path

import click

from search.cli.options import store_option
from search.query import TABLE_FORMATS
from search.store import CopiedStudies, copy_studies, open_store, open_to_read
from space.cli.messages import printable
from space.errors import InputError
from space.wording import count


@click.command("load")
@click.argument("file")
@click.option("--study", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@store_option()
def command(file: str, study: tuple[str, ...], store: str) -> None:
    """Take whole studies of another store into this one.

    FILE is what `dump` wrote with an ending of .db, or any other store: a file or a URL. It is
    only read, also one of an earlier version. All that the store has of a study comes along, with
    the studies on which it rests; checkpoints stay where they are.

    A study is known by an identity that it has in every store: what is there already is left as it
    is, so loading twice changes nothing. Another study of the same name is refused.

    \b
    Examples:
      python -m search load first.db
      python -m search load ../cluster.db --study imagenet --store mixspace.db
    """
    ending = Path(file).suffix.lower()
    if ending in TABLE_FORMATS:
        message = f"{file!r} is a table of trials, without their epochs; `dump NAME.db` has it all"
        raise InputError.of("file", message)
    with open_to_read(file) as source, open_store(store, create=True) as target:
        found = copy_studies(source, target, study or None)
    for line in said_of(found):
        click.echo(printable(line), err=True)


def said_of(found: CopiedStudies) -> list[str]:
    """A line for each study."""
    said = [f"{name}: {count(trials, 'trial')}" for name, trials in found.trials.items()]
    for name, (there, here) in found.present.items():
        differs = (
            "" if there == here else f", and {here:,} are offered: delete it first to take them"
        )
        said.append(f"{name}: is there already, with {count(there, 'trial')}{differs}")
    return said or ["There is no study to take."]

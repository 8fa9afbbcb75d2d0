"""`delete`: a study and all that is its own."""

import sys

import click

from search.cli.options import store_option
from search.driver.checkpoints import Checkpoints
from search.store import StudyContents, StudyRecord, open_store
from space.cli.messages import printable
from space.errors import InputError
from space.input.paths import is_folder
from space.wording import count


@click.command("delete")
@click.argument("study")
@click.option("--yes", is_flag=True, help="Do not ask.")
@store_option()
def command(study: str, yes: bool, store: str) -> None:
    """Delete a study for good: its trials, epochs and runs, and networks that no other study has.

    It is refused while a run works on the study, and as long as another study rests on it: took
    over its results or weights, retrains its networks, or names it in its configuration.

    What stays: readings of the test split with their networks, so that nobody reads it unseen;
    latencies; and the checkpoints, whose folder is printed. Tags and notes of networks that go,
    go too.

    \b
    Examples:
      python -m search delete first
      python -m search delete first --yes --store postgresql://user@host/mixspace
    """
    with open_store(store, create=False) as opened:
        record = opened.studies.get(study)
        contents = opened.studies.contents(record.id)
        if not yes and not _agreed(f"{record.name} in {opened.url} has {_words(contents)}."):
            click.echo("Nothing was deleted.", err=True)
            return
        gone = opened.studies.delete(record.id)
        click.echo(printable(f"Deleted {record.name}: {_words(gone)}."), err=True)
        if gone.readings:
            readings = count(gone.readings, "reading")
            click.echo(f"The audit keeps {readings} of the test split.", err=True)
        for folder in _folders(record, opened.url):
            click.echo(printable(f"Its checkpoints are still in {folder}"), err=True)


def _agreed(what: str) -> bool:
    """Whether a person says yes.

    Raises:
        InputError: nobody is there to be asked.
    """
    click.echo(printable(what), err=True)
    try:
        return click.confirm("Delete it for good?", err=True)
    except click.Abort:
        if sys.stdin is not None and sys.stdin.isatty():
            raise
        raise InputError.of("--yes", "needed where nobody can be asked") from None


def _words(contents: StudyContents) -> str:
    numbers = {
        "trial": contents.trials,
        "epoch": contents.epochs,
        "run": contents.runs,
        "tag": contents.tags,
        "note": contents.notes,
    }
    networks = count(contents.architectures, "network")
    named = [count(number, name) for name, number in numbers.items() if number]
    return ", ".join([*named, f"{networks} that no other study has"])


def _folders(record: StudyRecord, store: str) -> list[str]:
    checkpoints = Checkpoints.of(record, store)
    places = (checkpoints.folder, *checkpoints.earlier)
    return [str(place) for place in places if is_folder(place)]

"""`tag`, `note`: words and notes that people give architectures."""

import click

from search.cli.named_architecture import architecture_named
from search.cli.options import store_option
from search.store import Store, open_store
from space.cli.messages import printable
from space.errors import InputError
from space.wording import count


@click.command("tag")
@click.argument("architecture", metavar="ARCHITECTURE|STUDY/TRIAL")
@click.argument("tag")
@click.option("--remove", is_flag=True, help="Take the tag away.")
@store_option()
def tag_command(architecture: str, tag: str, remove: bool, store: str) -> None:
    """Give an architecture a tag: a word to find it by.

    ARCHITECTURE is an id, or the beginning of one, as `best` prints it; first/12 is that of trial
    12 of study first. A tag is of the architecture, in whatever studies it is trained.

    \b
    Examples:
      python -m search tag 1f0c candidate
      python -m search tag first/12 "too slow"
      python -m search tag 1f0c candidate --remove
      python -m search best --where "tag = candidate"
    """
    with open_store(store, create=False) as opened:
        id_ = architecture_named(opened, architecture)
        change = opened.tags.remove if remove else opened.tags.add
        if not change(id_, tag) and remove:
            raise InputError.of("tag", f"{tag!r} is none of its tags: {_tags(opened, id_)}")
        click.echo(printable(f"{id_}: {_tags(opened, id_)}"), err=True)


@click.command("note")
@click.argument("architecture", metavar="ARCHITECTURE|STUDY/TRIAL")
@click.argument("text", required=False)
@click.option("--remove", type=int, metavar="ID", help="Take the note of this id away.")
@store_option()
def note_command(architecture: str, text: str | None, remove: int | None, store: str) -> None:
    """Write down what is to be remembered of an architecture; `show` prints it.

    Notes stand beside each other, each with its time and an id to take it away by.

    \b
    Examples:
      python -m search note 1f0c "diverges above a learning rate of 0.02"
      python -m search note first/12 "loss is noisy; see the log"
      python -m search note 1f0c --remove 3
    """
    if (text is None) is (remove is None):
        raise InputError.of("text", "give either a text to write down, or --remove ID")
    with open_store(store, create=False) as opened:
        id_ = architecture_named(opened, architecture)
        if text is not None:
            opened.tags.add_note(id_, text)
        elif remove is not None and not opened.tags.remove_note(id_, remove):
            known = ", ".join(str(note.id) for note in opened.tags.notes_of(id_)) or "none"
            raise InputError.of("--remove", f"{id_} has no note {remove}; it has {known}")
        notes = len(opened.tags.notes_of(id_))
    click.echo(f"{id_}: {count(notes, 'note')}", err=True)


def _tags(store: Store, architecture_id: str) -> str:
    found = store.tags.of([architecture_id]).get(architecture_id, [])
    return ", ".join(found) or "no tags"

"""Where Ray's workers look for the program: first of all in the working folder of their driver."""

from pathlib import Path

from search.own_rooms import place_of_foreign
from space.errors import InputError


def refuse_foreign_search(folder: Path) -> None:
    """Refuse a working folder in which the workers would find another `search` than ours.

    Of all rooms it is the one that matters: once a worker has ours, it takes the others from there.

    Raises:
        InputError: naming the module.
    """
    found = place_of_foreign("search", folder)
    if found is not None:
        raise InputError.of(
            "working folder",
            f"Ray's workers would take {found} for the `search` of mixspace: run from another "
            "folder, or rename it",
        )
